"""What the step does to one text: `String.replace`, or taking out what was found."""

from collections.abc import Callable

from mj_transform_regex.expression import MAX_PATTERN, Expression, from_units, to_units
from mj_transform_regex.template import expand, parse_template
from mjcore.errors import ConfigError, Problem, TransformError

MAX_INPUT = 65_536
MAX_OUTPUT = 1_048_576


def replacer(expression: Expression, replacement: str) -> Callable[[str], str]:
    """Return the function that replaces the first match, with the flag g every one; no match leaves the text as it is."""
    if len(replacement) > MAX_PATTERN:
        raise ConfigError(Problem("Replacement", f"{len(replacement):,} characters; {MAX_PATTERN:,} are possible"))
    pieces = parse_template(replacement, expression.pattern)
    literal = pieces[0].literal if len(pieces) == 1 else None

    def replace(text: str) -> str:
        if literal is not None and (quick := expression.replaced(text, literal)) is not None:
            return quick
        parts, size, at = [], 0, 0
        for match in expression.matches(text):
            new = [text[at : match.start()], *expand(pieces, match)]
            size += sum(map(len, new))
            if size > MAX_OUTPUT:
                raise TransformError(f"the result is longer than {MAX_OUTPUT:,} characters")
            parts += new
            at = match.end()
        return "".join([*parts, text[at:]]) if parts else text

    return _in_units(expression, replace)


def extractor(expression: Expression) -> Callable[[str], str]:
    """Return the function that takes the first group of the first match, or all of it in a pattern without groups."""
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

    return _in_units(expression, extract)


def _in_units(expression: Expression, change: Callable[[str], str]) -> Callable[[str], str]:
    """Let `change` see the text as JavaScript does."""

    def changed(text: str) -> str:
        if len(text) > MAX_INPUT:
            raise TransformError(f"the text has {len(text):,} characters; a regex step takes {MAX_INPUT:,}")
        units = text if expression.flags.unicode else to_units(text)
        return change(text) if units is text else from_units(change(units))

    return changed
