"""Single characters and assertions, as the `regex` library writes them."""

from attrs import frozen

from mj_transform_regex.charset import LINE_END, WORD, Ranges, class_text, ignoring_case, union
from mj_transform_regex.flags import Flags
from mj_transform_regex.nodes import Leaf


@frozen
class Members:
    """Characters, as ranges and as properties of the `regex` library."""

    ranges: Ranges = ()
    properties: tuple[str, ...] = ()
    char: int | None = None
    """Set when it is one character, written as such: it can begin or end a range."""


def word(flags: Flags) -> Ranges:
    """Return what `\\w` means."""
    return ignoring_case(WORD, unicode=True) if flags.unicode and flags.ignore_case else WORD


def one(char: int) -> Members:
    return Members(((char, char),), char=char)


def one_of(members: list[Members], flags: Flags, negative: bool = False) -> Leaf:
    """Return one character out of a set, or out of the rest."""
    ranges = union(pair for some in members for pair in some.ranges)
    if flags.ignore_case:
        ranges = ignoring_case(ranges, flags.unicode)
    return Leaf(class_text(ranges, [name for some in members for name in some.properties], negative), 1)


def line_assertion(char: str, flags: Flags) -> Leaf:
    if not flags.multiline:
        return Leaf(r"\A" if char == "^" else r"\Z", 0)
    inside = class_text(LINE_END, negative=True)
    return Leaf(f"(?<!{inside})" if char == "^" else f"(?!{inside})", 0)


def word_boundary(flags: Flags, negative: bool) -> Leaf:
    char = class_text(word(flags)) if flags.unicode else class_text(WORD)
    there, not_there = ("(?!{0})", "(?={0})") if negative else ("(?={0})", "(?!{0})")
    return Leaf(f"(?:(?<!{char}){there.format(char)}|(?<={char}){not_there.format(char)})", 0)
