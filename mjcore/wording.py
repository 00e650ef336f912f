"""In words: what a value should have been and what it is, and how many of something there are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from mjcore.capabilities import Secret

_FOUND: Sequence[tuple[type[Any], str]] = (
    (NoneType, "null"),
    (bool, "the boolean"),
    (int, "the number"),
    (float, "the number"),
    (str, "the text"),
    (Mapping, "a mapping"),
    (Sequence, "a list"),
)
EXPECTED: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    datetime: "an instant with its zone (2026-01-31T08:30:00Z)",
    date: "a day (2026-01-31)",
    Secret: "a reference to a secret (env:NAME, file:PATH)",
    NoneType: "null",
}


class Unfit(Exception):
    """A value of the wrong type."""

    def __init__(self, expected: str, value: object, hint: str = "") -> None:
        super().__init__(expected)
        self.expected, self.value, self.hint = expected, value, hint

    def message(self, *, private: bool) -> str:
        return f"{self.expected} expected, found {_shown(self.value, private=private)}{'' if private else self.hint}"


def _shown(value: object, *, private: bool) -> str:
    """Return a value as a message names it; beside secrets only its kind, as it may be one at the wrong place."""
    for kind, name in _FOUND:
        if isinstance(value, kind):
            text = "" if private or kind in (NoneType, Mapping, Sequence) else f" {value!r}"
            return name + (text if len(text) <= 60 else "")
    return type(value).__name__


def expected(kind: Any) -> str:
    """Return what a type wants, in words."""
    origin = get_origin(kind) or kind
    if origin is Literal:
        choices = [str(c) for c in get_args(kind)]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(expected(k) for k in get_args(kind) if k is not NoneType))
    if origin in EXPECTED:
        return EXPECTED[origin]
    return "a list" if origin in (tuple, list, set, frozenset, Sequence, Iterable) else "a mapping"


def counted(count: int, one: str, several: str = "") -> str:
    """Return a count with its noun, such as `1 conflict` and `2,000 conflicts`; `several` where that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
