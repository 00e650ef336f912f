"""Metadata files: YAML or JSON as plain values, with the line of each.

Scalars are JSON's: `true`, `false`, `null`, `~`, and numbers as JSON writes them; all else is text, and keys always are.
So `{NO: Norway, on: Active, 01: First}` and `OnError: Null` mean what they say.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from attrs import frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mjcore.errors import ConfigError, Problem
from mjcore.records import JSON

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS: Mapping[str, JSON] = {"true": True, "false": False, "null": None, "~": None, "": None}
TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value"))
MERGE = "<<"
STEP = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


@frozen
class Document:
    """One file: its data as JSON values, and where each of them stands."""

    name: str
    data: Mapping[str, JSON]
    root: Node | None

    def line(self, path: str) -> int | None:
        """Return the line of a path such as `Connections[0].Name`, or of the nearest value around it.

        None: not even the first part of the path is in this file.
        """
        node, line = self.root, None
        while path:
            child, path = _step(node, path)
            if child is None:
                break
            key, node = child
            line = key.start_mark.line + 1
        return line


def read(path: Path) -> Document:
    """Read one file. `ConfigError` names the file and the line of what is wrong."""
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(name, error.strerror or str(error) if isinstance(error, OSError) else str(error))) from None
    return parse(text, name)


def read_all(paths: Iterable[Path]) -> list[Document]:
    """Read several files. `ConfigError` with the problems of all."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            documents.append(read(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return documents


def parse(text: str, name: str) -> Document:
    """Read YAML or JSON from a text; `name` stands in error messages."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(Problem(f"{name}:{mark.line + 1}" if mark else name, str(error.problem or error))) from None
    except YAMLError as error:
        raise ConfigError(Problem(name, " ".join(str(error).split()))) from None
    if root is None:
        return Document(name, {}, root)
    reader = _Reader(name)
    data = reader.value(root)
    if reader.problems:
        raise ConfigError(*reader.problems)
    if not isinstance(data, Mapping):
        raise ConfigError(Problem(f"{name}:1", "a mapping expected, such as `Connections: […]`"))
    return Document(name, data, root)


class _Reader:
    """Turns nodes into values. A node that is used twice by an alias is one value."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: set[int] = set()
        self.done: dict[int, JSON] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node) -> JSON:
        if id(node) in self.open:
            self.fault(node, "an alias inside the value that it stands for")
            return None
        if id(node) not in self.done:
            self.open.add(id(node))
            self.done[id(node)] = self._value(node)
            self.open.discard(id(node))
        return self.done[id(node)]

    def _value(self, node: Node) -> JSON:
        if isinstance(node, MappingNode):
            return self.mapping(node)
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.value]
        return self.scalar(cast("ScalarNode", node))

    def scalar(self, node: ScalarNode) -> JSON:
        text, tag = self.text(node), str(node.tag)
        if tag not in TAGS:
            self.fault(node, f"the tag {tag} is not used here")
        if node.style is not None or tag.endswith(":str"):
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        return float(text) if NUMBER.fullmatch(text) else text

    def text(self, node: ScalarNode) -> str:
        """Return the text of a scalar; JSON writes what lies beyond 16 bits as two escapes."""
        try:
            return cast("str", node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fault(node, "half a surrogate pair is no character")
            return ""

    def mapping(self, node: MappingNode) -> Mapping[str, JSON]:
        found: dict[str, JSON] = {}
        merged: dict[str, JSON] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.fault(key, "a key must be text")
            elif key.value == MERGE and key.style is None:
                merged = {**self.merge(value), **merged}
            elif (name := self.text(key)) in found:
                self.fault(key, f"the key {name!r} is there twice")
            else:
                found[name] = self.value(value)
        return {**merged, **found}

    def merge(self, node: Node) -> Mapping[str, JSON]:
        """Return what `<<: *alias` or `<<: [*a, *b]` brings in; the first one wins."""
        value = self.value(node)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, Mapping) for part in parts):
            self.fault(node, f"{MERGE} takes a mapping or a list of mappings")
        return {key: item for part in reversed(parts) if isinstance(part, Mapping) for key, item in part.items()}

    def fault(self, node: Node, message: str) -> None:
        self.problems.append(Problem(f"{self.name}:{node.start_mark.line + 1}", message))


def _step(node: Node | None, path: str) -> tuple[tuple[Node, Node] | None, str]:
    """Return the (key, value) that the path's first part names, and the rest of the path."""
    if isinstance(node, MappingNode):
        path = path.removeprefix(".")
        fits = [(k, v) for k, v in node.value if isinstance(k, ScalarNode) and _starts(path, k.value)]
        if fits:  # a key may hold dots itself: the longest is meant
            key, value = max(fits, key=lambda pair: len(pair[0].value))
            return (key, value), path[len(key.value) :]
    found = STEP.match(path)
    if isinstance(node, SequenceNode) and found and found[1] and int(found[1]) < len(node.value):
        item = node.value[int(found[1])]
        return (item, item), path[found.end() :]
    return None, path


def _starts(path: str, key: str) -> bool:
    return path.startswith(key) and path[len(key) : len(key) + 1] in ("", ".", "[", ":")
