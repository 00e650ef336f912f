"""Values on their way into an expression and back, as JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from mjcore.errors import TransformError
from mjcore.records import ABSENT, Fields, Reference, Value

MAX_ITEM = 1_048_576
MAX_DIGITS = 400


def encode(value: Value, record: Fields) -> str:
    """Return one item, ASCII without line ends. Raises `TransformError` for what has no JavaScript value.

    Whole numbers stay exact (beyond 2**53 as BigInt), days and instants are ISO 8601 text, references are their ids.
    """
    try:
        item = _encoder.encode([record] if value is ABSENT else [record, value])
    except (TypeError, ValueError, RecursionError) as error:
        raise TransformError(f"no JavaScript value: {error}") from None
    if len(item) > MAX_ITEM:
        raise TransformError(f"the value and the record have {len(item):,} characters; {MAX_ITEM:,} are possible")
    return item


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return _number(value)
        case date():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case Reference():
            return value.external_id
    raise TypeError(type(value).__name__)


def _number(value: Decimal) -> int | float:
    if value.is_finite() and abs(value.adjusted()) < MAX_DIGITS:
        if value == value.to_integral_value():
            return int(value)
        if Decimal(repr(float(value))) == value:
            return float(value)
    raise ValueError(f"{value} would be rounded")


_encoder = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":"))
_decoder = json.JSONDecoder(parse_float=Decimal)


def decode(lines: Sequence[str]) -> list[Value]:
    """Return the results that lines of JSON hold, and a `TransformError` where one tells of it."""
    try:
        answers = _decoder.decode(f"[{','.join(lines)}]")
    except ValueError:
        if len(lines) > 1:
            return [value for line in lines for value in decode([line])]
        return [TransformError("the result has too many digits")]
    return list(map(_result, answers))


def _result(answer: str | list[Value]) -> Value:
    if isinstance(answer, str):
        return TransformError(f"the expression failed: {answer}")
    return answer[0] if answer else ABSENT
