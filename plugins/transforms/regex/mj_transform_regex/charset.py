"""Sets of characters, as JavaScript compares them, written as classes of the `regex` library."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Inclusive, sorted, not touching."""

LAST = 0x10FFFF
LAST_CASED = 0x1F000
"""No character beyond has a case."""

DIGIT: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
LINE_END: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
SPACE: Ranges = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort ranges, and join those that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(ranges: Ranges) -> Ranges:
    """Return all other characters."""
    lows = [0, *(high + 1 for _, high in ranges)]
    highs = [*(low - 1 for low, _ in ranges), LAST]
    return tuple((low, high) for low, high in zip(lows, highs, strict=True) if low <= high)


def ignoring_case(ranges: Ranges, unicode: bool) -> Ranges:
    """Add every character that differs from a member in case alone."""
    lows = [low for low, _ in ranges]
    more: set[int] = set()
    for char, family in _families(unicode).items():
        at = bisect_right(lows, char) - 1
        if at >= 0 and char <= ranges[at][1]:
            more.update(family)
    return union(chain(ranges, ((char, char) for char in more)))


@cache
def _families(unicode: bool) -> Mapping[int, tuple[int, ...]]:
    """Return the characters that JavaScript holds to be the same when it ignores case, by each of them."""
    fold = _fold_unicode if unicode else _fold
    families: defaultdict[int, list[int]] = defaultdict(list)
    for char in range(LAST_CASED):
        families[fold(char)].append(char)
    return {char: tuple(family) for family in families.values() if len(family) > 1 for char in family}


def _fold(char: int) -> int:
    """Without the flag u: to upper case, unless that is several characters or ASCII for one that is not."""
    upper = chr(char).upper()
    if char > 0xFFFF or len(upper) > 1 or (char > 0x7F and ord(upper) <= 0x7F):
        return char
    return ord(upper)


def _fold_unicode(char: int) -> int:
    """With the flag u: simple case folding."""
    folded = chr(char).casefold()
    if len(folded) > 1:
        folded = _FOLDED_ALIKE.get(chr(char), chr(char).lower())
    return char if len(folded) > 1 else ord(folded)


_FOLDED_ALIKE = {"\u1fd3": "\u0390", "\u1fe3": "\u03b0", "\ufb05": "\ufb06"}
"""Their full foldings are equal texts of several characters."""


# --- As text -------------------------------------------------------------------------------------


def escaped(char: int) -> str:
    """Return a character that stands for itself, in a class and outside."""
    text = chr(char)
    if text.isascii() and text.isalnum():
        return text
    return f"\\u{char:04x}" if char <= 0xFFFF else f"\\U{char:08x}"


def class_text(ranges: Ranges, properties: Iterable[str] = (), negative: bool = False) -> str:
    """Return one character of a set. `properties` are added to it, such as `\\p{Lu}`."""
    content = "".join(escaped(low) if low == high else f"{escaped(low)}-{escaped(high)}" for low, high in ranges)
    content += "".join(properties)
    if not content:
        return "." if negative else "(?!)"
    if not negative and len(ranges) == 1 and ranges[0][0] == ranges[0][1] and content == escaped(ranges[0][0]):
        return content
    return f"[{'^' if negative else ''}{content}]"
