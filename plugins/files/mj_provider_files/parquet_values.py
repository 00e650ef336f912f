"""Arrow's values and types as the kernel knows them."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa  # type: ignore[import-untyped] # ships no types

from mjcore.records import Value
from mjcore.schema import FieldType

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is the column's or the connection's
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def values(column: pa.Array, zone: ZoneInfo) -> list[Value]:
    """Return Python values: instants in UTC, bytes as base64, lists and structs as JSON; nothing is rounded."""
    is_type = pa.types
    kind = column.type
    if is_type.is_dictionary(kind):
        return values(column.dictionary_decode(), zone)
    if is_type.is_timestamp(kind):
        home = UTC if kind.tz else zone
        return [None if n is None else _instant(n, PER_SECOND[kind.unit], home) for n in column.cast(pa.int64()).to_pylist()]
    if is_type.is_time(kind):
        return list(column.cast(pa.string()).to_pylist())
    if is_type.is_duration(kind):
        return list(column.cast(pa.int64()).to_pylist())
    found: list[Value] = column.to_pylist()
    if is_type.is_nested(kind) or _is_binary(kind) or isinstance(kind, pa.BaseExtensionType):
        is_map = is_type.is_map(kind)
        return [_json(dict(value) if is_map and value is not None else value, zone) for value in found]
    return found


def _instant(number: int, per_second: int, zone: tzinfo) -> datetime | str:
    """Return an instant; as text where it is too fine or too far for a datetime."""
    seconds, rest = divmod(number, per_second)
    try:
        moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return f"{number}/{per_second} seconds since 1970"
    if per_second > 10**6 and rest % 1000:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
    return moment.replace(microsecond=rest * 10**6 // per_second)


def _json(value: Value, zone: ZoneInfo) -> Value:
    """Return a value that JSON has; decimals and whole numbers stay exact."""
    match value:
        case None | bool() | int() | float() | str() | Decimal():
            return value
        case list() | tuple():
            return [_json(item, zone) for item in value]
        case Mapping():
            return {str(name): _json(item, zone) for name, item in value.items()}
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return Decimal(value // timedelta(microseconds=1)).scaleb(-6)
        case UUID():
            return str(value)
    raise ValueError(f"{type(value).__name__} cannot be read")


def field_type(kind: pa.DataType) -> FieldType:
    is_type = pa.types
    if is_type.is_dictionary(kind):
        return field_type(kind.value_type)
    if is_type.is_boolean(kind):
        return "boolean"
    if is_type.is_integer(kind) or is_type.is_floating(kind) or is_type.is_decimal(kind) or is_type.is_duration(kind):
        return "number"
    if is_type.is_date(kind):
        return "date"
    if is_type.is_timestamp(kind):
        return "datetime"
    return "json" if is_type.is_nested(kind) else "string"


def _is_binary(kind: pa.DataType) -> bool:
    is_type = pa.types
    return bool(is_type.is_binary(kind) or is_type.is_large_binary(kind) or is_type.is_fixed_size_binary(kind))
