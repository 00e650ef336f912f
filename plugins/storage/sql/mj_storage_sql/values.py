"""Codecs: how the values of one column travel to the database and back, by dialect.

To the kernel a number is an int or a Decimal, an instant is aware and in UTC, JSON is a structure.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from attrs import frozen

from mj_storage_sql.text import dumps, dumps_all, loads
from mjcore.errors import RowRefused, TransformError, UnknownName
from mjcore.fitting import as_number
from mjcore.models import EntityField
from mjcore.records import RowKey, Value

DialectName: TypeAlias = Literal["sqlite", "postgresql"]
Convert: TypeAlias = Callable[[Any], Any]
NUMBERS = ("number", "currency", "percent")


@frozen
class Codec:
    """`encode` and `decode` are for values that are not null; None: the driver takes and gives them as they are.

    `encode_all` encodes many values, none of them null, at once.
    `text` makes of a canonical value what a record key and a look-up are written as; `of_text` turns that back.
    """

    kind: str
    encode: Convert | None = None
    decode: Convert | None = None
    text: Convert = str
    of_text: Convert = str
    native: frozenset[type] = frozenset()
    """Types of values that are decoded as they are."""
    encode_all: Callable[[Sequence[Any]], Sequence[Any]] | None = None


def encoded(codec: Codec, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them."""
    encode = codec.encode
    if encode is None:
        return values
    if values and values.count(values[0]) == len(values) and not isinstance(values[0], int):  # 1 equals 1.0 and true
        return [None if values[0] is None else encode(values[0])] * len(values)
    if codec.encode_all and None not in values:
        return codec.encode_all(values)
    return [None if v is None else encode(v) for v in values]


def decoded(codec: Codec, values: Sequence[Any]) -> Sequence[Value]:
    """Return a column's values as the kernel has them."""
    decode = codec.decode
    if decode is None or codec.native.issuperset(map(type, values)):
        return values
    if type(values[0]) is str and values.count(values[0]) == len(values):
        return [decode(values[0])] * len(values) if codec.kind != "json" else [decode(value) for value in values]
    return [None if value is None else decode(value) for value in values]


def codec_of(column: EntityField, dialect: DialectName) -> Codec:
    """Return the codec of an entity's column."""
    if column.type in NUMBERS or (column.type == "reference" and column.number != "decimal"):
        if column.exact and dialect == "sqlite":
            return _EXACT
        return _DOUBLE if column.number == "double" and dialect == "sqlite" else _NUMBER[dialect]
    if column.type == "datetime":
        return _INSTANT[dialect, column.has_zone]
    return {"boolean": _BOOLEAN, "date": _DAY, "json": _JSON}.get(column.type, _TEXT)[dialect]


# --- Keys as text ------------------------------------------------------------------------------------


def key_to_text(codecs: Sequence[Codec], key: RowKey) -> str:
    """Return a record key as one text: that of a single column as it is, several as a JSON list of texts."""
    if len(codecs) == 1:
        return str(codecs[0].text(key[0]))
    return dumps([codec.text(part) for codec, part in zip(codecs, key, strict=True)])


def text_to_key(codecs: Sequence[Codec], text: str) -> RowKey:
    """Turn back what `key_to_text` made, or what people write: several parts separated by commas."""
    parts = [text] if len(codecs) == 1 else loads(text) if text.startswith("[") else [p.strip() for p in text.split(",")]
    if len(parts) != len(codecs):
        raise UnknownName(f"key of {len(codecs)} parts", text, ())
    return tuple(codec.of_text(part) for codec, part in zip(codecs, parts, strict=True))


def keys_to_text(codecs: Sequence[Codec], keys: Sequence[RowKey]) -> list[str]:
    """Return many record keys as texts."""
    if len(codecs) == 1:
        text = codecs[0].text
        return [key[0] if type(key[0]) is str and text is str else str(text(key[0])) for key in keys]
    return [key_to_text(codecs, key) for key in keys]


# --- Numbers -----------------------------------------------------------------------------------------


def _number(value: Any) -> Value:
    """What a column of numbers holds; text that is none, which SQLite allows there, stays text and equals no number."""
    try:
        return as_number(value)
    except TransformError:
        return value


def _plain_number(value: Any) -> str:
    text = str(value) if isinstance(value, int) else format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _for_sqlite(value: Any) -> Any:
    """Integers of 64 bits stay such; all else must be a double exactly."""
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    return _double(value)


def _double(value: Any) -> float:
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double) or Decimal(repr(double)) != value:
        raise RowRefused(f"{value} would be rounded by SQLite; `Exact: true` on the field keeps it as text")
    return double


_WHOLE = frozenset({int, type(None)})
_DOUBLE = Codec("number", _double, _number, _plain_number, _number, _WHOLE)
_EXACT = Codec("text", _plain_number, _number, _plain_number, _number)
_NUMBER = {
    "sqlite": Codec("number", _for_sqlite, _number, _plain_number, _number, _WHOLE),
    "postgresql": Codec("number", None, _number, _plain_number, _number, _WHOLE),
}


# --- Booleans, days, instants ------------------------------------------------------------------------


def _boolean(value: Any) -> Value:
    return bool(value) if value in (0, 1) else value


def _of_flag(text: str) -> Value:
    return text == "true"


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _day(value: Any) -> Value:
    """Take the day of what SQLite holds as text; other text stays text."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else value
    except ValueError:
        return value


def _instant(value: Any) -> Value:
    """Without a zone, UTC is meant; text that is no instant stays text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _sortable(value: datetime) -> str:
    """The form that SQLite's own functions and most applications read."""
    text = value.isoformat(" ", "microseconds")
    if text.endswith("+00:00"):
        return text[:-6]
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _all_sortable(values: Sequence[datetime]) -> Sequence[str]:
    """Rewrite JSON, which is made far quicker: `"2026-01-31T10:20:30.123456Z"`."""
    return [
        f"{text[1:11]} {(text[12:-2] + '.000000')[:15]}" if len(text) in (22, 29) and text.endswith('Z"') else _sortable(value)
        for value, text in zip(values, dumps_all(values), strict=True)
    ]


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None)


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


_BOOLEAN = {
    "sqlite": Codec("boolean", int, _boolean, _flag, _of_flag),
    "postgresql": Codec("boolean", None, None, _flag, _of_flag),
}
_DAY = {
    "sqlite": Codec("date", _iso, _day, _iso, _day),
    "postgresql": Codec("date", None, None, _iso, _day),
}
_INSTANT = {
    ("sqlite", True): Codec("datetime", _sortable, _instant, _iso, _instant, encode_all=_all_sortable),
    ("sqlite", False): Codec("datetime", _sortable, _instant, _iso, _instant, encode_all=_all_sortable),
    ("postgresql", True): Codec("datetime", None, _instant, _iso, _instant),
    ("postgresql", False): Codec("datetime", _naive, _instant, _iso, _instant),
}


# --- JSON, text --------------------------------------------------------------------------------------


def _structure(value: Any) -> Value:
    """SQLite gives a number back as such where a column of type JSON holds one; text that is no JSON stays text."""
    if not isinstance(value, str):
        return _number(value)
    try:
        return _exact(loads(value))
    except ValueError:
        return value


def _exact(value: Any) -> Any:
    """Whole numbers are ints, as fitting has them."""
    if isinstance(value, Decimal):
        return as_number(value)
    if isinstance(value, list):
        return [_exact(v) for v in value]
    if isinstance(value, dict):
        return {k: _exact(v) for k, v in value.items()}
    return value


def _text(value: Any) -> Value:
    """Columns of types that the plan's vocabulary lacks are shown as their text."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if isinstance(value, str) else str(value)


_JSON = {
    "sqlite": Codec("json", dumps, _structure, dumps, _structure, encode_all=dumps_all),
    "postgresql": Codec("json", dumps, _structure, dumps, _structure, encode_all=dumps_all),
}
_TEXT = {
    "sqlite": Codec("text", None, _text, native=frozenset({str, type(None)})),
    "postgresql": Codec("text", None, _text, native=frozenset({str, type(None)})),
}
