"""What the step does to a text: `String.replace`, or taking out what was found."""

from collections.abc import Sequence

from attrs import frozen

from mj_transform_regex.expression import MAX_PATTERN, Expression, from_units, to_units
from mj_transform_regex.quick import Change, Quick, quick_extractor, quick_replacer
from mj_transform_regex.template import expand, parse_template
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Fields, Value
from mjcore.scalars import texts_of

MAX_INPUT = 65_536
MAX_OUTPUT = 1_048_576


@frozen
class Regex:
    """The compiled step."""

    change: Change
    """Takes any text."""
    quick: Quick | None

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        texts = texts_of(values)
        change, quick = self.change, self.quick
        if quick is None:
            return list(map(change, texts))
        longest = quick.longest
        plain = [text for text in texts if text.isascii() and len(text) <= longest]
        changed = quick.change_all(plain)
        if len(plain) == len(texts):
            return changed
        following = iter(changed)
        return [next(following) if text.isascii() and len(text) <= longest else change(text) for text in texts]


def replacer(expression: Expression, replacement: str) -> Regex:
    """Return the step that replaces the first match, with the flag g every one; no match leaves the text as it is."""
    if len(replacement) > MAX_PATTERN:
        raise ConfigError(Problem("Replacement", f"{len(replacement):,} characters; {MAX_PATTERN:,} are possible"))
    pieces = parse_template(replacement, expression.pattern)
    quick = quick_replacer(expression, pieces)

    def replace(text: str) -> str:
        if quick and len(text) <= quick.longest:
            return quick.change(text)
        parts, size, at = [], 0, 0
        for match in expression.matches(text):
            new = [text[at : match.start()], *expand(pieces, match)]
            size += sum(map(len, new))
            if size > MAX_OUTPUT:
                raise TransformError(f"the result is longer than {MAX_OUTPUT:,} characters")
            parts += new
            at = match.end()
        return "".join([*parts, text[at:]]) if parts else text

    return Regex(_in_units(expression, replace), quick)


def extractor(expression: Expression) -> Regex:
    """Return the step that takes the first group of the first match, or all of it in a pattern without groups."""
    if 1 in expression.emptied:
        raise ConfigError(
            Problem("Pattern", "the first group may be skipped when it is repeated: extract needs one that always takes part")
        )
    group: str | int = "g1" if expression.pattern.groups else 0

    def extract(text: str) -> str:
        match = next(expression.matches(text), None)
        if match is None:
            raise TransformError(f"no match in {text!r:.60}")
        found: str | None = match.group(group)
        if found is None:
            raise TransformError(f"the first group took no part in the match in {text!r:.60}")
        return found

    change = _in_units(expression, extract)
    return Regex(change, quick_extractor(expression, group, change))


def _in_units(expression: Expression, change: Change) -> Change:
    """Let `change` see the text as JavaScript does."""

    def changed(text: str) -> str:
        if len(text) > MAX_INPUT:
            raise TransformError(f"the text has {len(text):,} characters; a regex step takes {MAX_INPUT:,}")
        units = text if expression.flags.unicode else to_units(text)
        return change(text) if units is text else from_units(change(units))

    return changed
