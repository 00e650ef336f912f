"""Fits a mapped value to the column that will hold it: without loss, or not at all."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias

from mjcore.errors import TransformError
from mjcore.models import EntityField
from mjcore.records import Reference, Value

Fitter: TypeAlias = Callable[[Value], Value]
FitsAll: TypeAlias = Callable[[Sequence[Value], set[type]], bool]

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?(Z|[+-][0-9]{2}:?[0-9]{2})", re.ASCII
)
INT64 = 2**63


def fitter(column: EntityField) -> Fitter:
    """Return the function that fits one value, not None, to this column.

    It returns str, int, Decimal, bool, date, aware datetime in UTC, or a JSON structure, and raises `TransformError`
    naming the column.
    """
    fit = _BY_TYPE.get(column.type, _text)(column)

    def named(value: Value) -> Value:
        try:
            return fit(value)
        except TransformError as error:
            raise TransformError(f"{column.name}: {error}") from None

    return named


def fits_all(column: EntityField) -> FitsAll:
    """Return a quick test of many values of these types: True where each fits as it is, False where that has to be looked at."""
    kind = {"boolean": bool, "date": date}.get(column.type)
    if kind is not None:
        return lambda _, types: types <= {kind}
    if column.type in _BY_TYPE:
        return lambda _, types: not types
    limit = column.max_length

    def fits(values: Sequence[Value], types: set[type]) -> bool:
        if not types <= {str} or (limit is not None and max(map(len, values), default=0) > limit):
            return False
        return "".join(values).isprintable()

    return fits


def shown(value: Value) -> str:
    """Return a value as a message shows it: its kind and a short piece of it."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '…'}"


def _text(column: EntityField) -> Fitter:
    limit = column.max_length

    def fit(value: Value) -> Value:
        if type(value) is not str:
            value = _as_text(value, several=column.type == "multi_enum")
        if limit is not None and len(value) > limit:
            raise TransformError(f"{len(value)} characters, but the column holds {limit}")
        if not value.isprintable():
            _storable(value)
        return value

    return fit


def _as_text(value: Value, *, several: bool) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if several and isinstance(value, list | tuple) and all(isinstance(v, str) and ";" not in v for v in value):
        return ";".join(value)
    raise TransformError(f"text expected, not {shown(value)}; a `coerce` step can convert it")


def _storable(text: str) -> None:
    """Refuse what no database keeps as text."""
    if "\0" in text:
        raise TransformError("the text holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TransformError("the text holds half of a surrogate pair") from None


def _number(column: EntityField) -> Fitter:
    check = {"decimal": _decimal, "numeric": _numeric, "integer": _integer, "double": _double}[column.number]

    def fit(value: Value) -> Value:
        number = as_number(value)
        if not column.exact:
            check(column, number)
        return number

    return fit


def as_number(value: Value) -> int | Decimal:
    """Return digits, an int, a Decimal or a float as an exact number: an int where it is whole."""
    if type(value) is str and NUMBER.fullmatch(value):
        value = Decimal(value)
    elif isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TransformError(f"a number expected, not {shown(value)}")
    return int(value) if value == value.to_integral_value() and value.adjusted() < 400 else value


def _decimal(column: EntityField, number: int | Decimal) -> None:
    """Digits before and after the point must fit; a column without a precision takes any."""
    fraction = _decimal_places(number)
    if column.scale is not None and fraction > column.scale:
        raise TransformError(f"{number} has {fraction} decimal places, but the column keeps {column.scale}")
    if column.precision is not None:
        whole = len(str(abs(int(number)))) if int(number) else 0
        room = column.precision - (column.scale or 0)
        if whole > room:
            raise TransformError(f"{number} has {whole} digits before the point, but the column holds {room}")


def _decimal_places(number: int | Decimal) -> int:
    """Count digits after the point, without closing zeros; exactly, where `normalize` would round very long ones."""
    _, digits, exponent = Decimal(number).as_tuple()
    zeros = next((i for i, digit in enumerate(reversed(digits)) if digit), len(digits))
    return max(0, -int(exponent) - zeros)


def _integer(column: EntityField, number: int | Decimal) -> None:
    limit = 2 ** ((column.precision or 64) - 1)
    if not isinstance(number, int):
        raise TransformError(f"{number} is no whole number")
    if not -limit <= number < limit:
        raise TransformError(f"{number} is out of the column's range")


def _double(_: EntityField, number: int | Decimal) -> None:
    try:
        exact = Decimal(repr(float(number))) == number
    except OverflowError:
        exact = False
    if not exact:
        raise TransformError(f"{number} would be rounded by the column; `Exact: true` on the field keeps it as text")


def _numeric(column: EntityField, number: int | Decimal) -> None:
    if not (isinstance(number, int) and -INT64 <= number < INT64):
        _double(column, number)


def _boolean(_: EntityField) -> Fitter:
    texts = {"true": True, "false": False}

    def fit(value: Value) -> Value:
        if type(value) is bool:
            return value
        if type(value) is str and value in texts:
            return texts[value]
        raise TransformError(f"true or false expected, not {shown(value)}; a `coerce` step can convert it")

    return fit


def _date(_: EntityField) -> Fitter:
    def fit(value: Value) -> Value:
        if type(value) is str and DAY.fullmatch(value):
            return _parsed(date.fromisoformat, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise TransformError(f"a day (YYYY-MM-DD) expected, not {shown(value)}; a `format` or `coerce` step can convert it")

    return fit


def _datetime(column: EntityField) -> Fitter:
    step = 10 ** (6 - column.fraction_digits)

    def fit(value: Value) -> Value:
        if type(value) is str and INSTANT.fullmatch(value):
            value = _parsed(datetime.fromisoformat, value)
        if not isinstance(value, datetime):
            raise TransformError(f"an instant (ISO 8601 with zone) expected, not {shown(value)}; a `coerce` step can convert it")
        if value.tzinfo is None:
            raise TransformError(f"{value.isoformat()} has no time zone; a `coerce` step can name one")
        if value.microsecond % step:
            raise TransformError(f"{value.isoformat()} is finer than the column, which keeps {column.fraction_digits} digits")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise TransformError(f"{value.isoformat()} is out of range in UTC") from None

    return fit


def _parsed(parse: Callable[[str], Value], text: str) -> Value:
    try:
        return parse(text)
    except ValueError as error:
        raise TransformError(f"{text!r} does not exist: {error}") from None


def _json(_: EntityField) -> Fitter:
    def fit(value: Value) -> Value:
        if isinstance(value, str):
            if not value.isprintable():
                _storable(value)
            return value
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float | Decimal):
            return as_number(value)
        if isinstance(value, list | tuple):
            return [fit(v) for v in value]
        if isinstance(value, dict) and all(isinstance(k, str) for k in value):
            return {fit(k): fit(v) for k, v in value.items()}
        raise TransformError(f"JSON expected, not {shown(value)}")

    return fit


def _reference(column: EntityField) -> Fitter:
    fit_id = _text(EntityField(column.name))  # an external id, whatever the key that it stands for

    def fit(value: Value) -> Value:
        if isinstance(value, list | tuple):
            if len(value) > 1:
                raise TransformError(f"one reference expected, not {len(value)}")
            value = value[0] if value else None
        if isinstance(value, Reference):
            value = value.external_id
        return None if value is None else fit_id(value)

    return fit


_BY_TYPE: dict[str, Callable[[EntityField], Fitter]] = {
    "number": _number,
    "currency": _number,
    "percent": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "json": _json,
    "reference": _reference,
}
