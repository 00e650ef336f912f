"""The text of a value: the same rule in every step that works on text, of this project and of others."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from mjcore.errors import TransformError
from mjcore.records import Value

MAX_DIGITS = 400


def text_of(value: Value) -> str:
    """Return text as it is, numbers in plain digits, true or false, days and instants in ISO 8601.

    Lists, objects and whatever else has no text of its own raise `TransformError`.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            # an exponent of nine digits would print as a gigabyte of zeros
            if number.is_finite() and abs(number.adjusted()) < MAX_DIGITS:
                return format(number, "f")
        case date():
            return value.isoformat()
    raise TransformError(f"text expected, not {type(value).__name__}")


def texts_of(values: Sequence[Value]) -> Sequence[str]:
    """Return the text of each value: for whole columns, most of which are texts as they stand."""
    if {str}.issuperset(map(type, values)):
        return values
    return [value if type(value) is str else text_of(value) for value in values]
