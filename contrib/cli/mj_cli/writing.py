"""Writes metadata as YAML that `documents.parse` reads as the same data."""

from collections.abc import Mapping, Sequence
from io import StringIO
from textwrap import wrap
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from mj_cli.output import plain

WIDTH = 80
"""Columns that lines of suggestions keep to, where they can."""


class _Representer(RoundTripRepresenter):
    """Quotes text that a reader could take for something else: `?0` on one line, or what YAML sees as the end of a line."""


def _text(representer: _Representer, text: str) -> ScalarNode:
    is_plain = text.isprintable() and text[:1].isalnum()  # where it is still a number or a word of YAML, ruamel quotes it
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Representer.add_representer(str, _text)


def write(data: Mapping[str, Any]) -> str:
    """Return YAML; comments of ruamel's own mappings are kept."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 10_000
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def on_one_line(value: Any) -> Any:
    """Return a value that `write` puts on one line."""
    whole: CommentedMap | CommentedSeq
    if isinstance(value, Mapping):
        whole = CommentedMap((key, on_one_line(item)) for key, item in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        whole = CommentedSeq(on_one_line(item) for item in value)
    else:
        return value
    whole.fa.set_flow_style()
    return whole


def commented(lines: Sequence[tuple[Mapping[str, Any], str]], indent: int) -> Any:
    """Return a list of mappings that `write` puts on one line each where there is room, with comments above them.

    `indent`: columns before the list.
    """
    listed = CommentedSeq(fitting(value, indent + len("- ")) for value, _ in lines)
    for index, (_, comment) in enumerate(lines):
        if folded := wrap(plain(comment), WIDTH - indent - len("# ")):
            listed.yaml_set_comment_before_after_key(index, before="\n".join(folded), indent=indent)
    return listed


def fitting(value: Mapping[str, Any], indent: int) -> Any:
    """Return a mapping that `write` puts on one line after `indent` columns, or where that is too long a line for each key."""
    one_line = on_one_line(value)
    needed = indent + len(write({"": one_line}).removeprefix('"": ').rstrip())
    return one_line if needed <= WIDTH or not value else {key: on_one_line(item) for key, item in value.items()}
