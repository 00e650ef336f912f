"""Numbers and booleans from text."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from attrs import frozen

from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Value
from mjcore.scalars import MAX_DIGITS, text_of

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?P<fraction>\.[0-9]*)?|(?P<bare>\.[0-9]+))(?P<exponent>[eE][+-]?[0-9]{1,3})?")


def to_number(value: Value) -> int | Decimal:
    """Return text in plain digits, or a number, exactly; digits alone as int, all else as Decimal."""
    if isinstance(value, str):
        return _parsed(value.strip())
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TransformError(f"a number expected, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise TransformError(f"a number expected, not {value}")
    return value


def _parsed(text: str) -> int | Decimal:
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        raise TransformError(f"a number in plain digits expected, not {text!r:.60}; a `format` step reads those of a locale")
    return Decimal(text) if any(match.groups()) else int(text)


def number_reader(shape: str) -> Callable[[str], int | Decimal] | None:
    """Return what reads texts of one shape, its digits written as 0; None where that is no number."""
    match = _NUMBER.fullmatch(shape)
    if match is None or len(shape) > MAX_DIGITS:
        return None
    return Decimal if any(match.groups()) else int


@frozen
class Booleans:
    """The texts that are true, and those that are false."""

    known: Mapping[str, bool]
    texts: Mapping[bool, str]

    @classmethod
    def of(cls, true: tuple[str, ...], false: tuple[str, ...]) -> "Booleans":
        if not true or not false:
            raise ConfigError(Problem("FalseValues" if true else "TrueValues", "empty; leave it out for the default"))
        known = {text.strip().casefold(): True for text in true} | {text.strip().casefold(): False for text in false}
        for text in true:
            if not known[text.strip().casefold()]:
                raise ConfigError(Problem("TrueValues", f"{text!r} is among FalseValues, too"))
        return cls(known, {True: true[0], False: false[0]})

    def read(self, value: Value) -> bool:
        if isinstance(value, bool):
            return value
        text = text_of(value)
        try:
            return self.known[text.strip().casefold()]
        except KeyError:
            raise TransformError(f"{text!r:.60} is neither true nor false (known: {', '.join(self.known)})") from None

    def write(self, value: Value) -> str:
        return self.texts[self.read(value)]
