"""JSON as the database keeps it: exact numbers, any text, quick for the common case."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def dumps(value: Any) -> str:
    """Return JSON text: decimals as numbers, days and instants as ISO 8601.

    Half a surrogate pair, which raw source values may hold, is escaped as JSON allows.
    """
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, default=_plain)


def dumps_all(values: Sequence[Any]) -> list[str]:
    """Return the JSON text of each value; many at once are quicker."""
    try:
        return _encoder.encode_lines(values).decode().split("\n")[:-1]  # JSON text has no line break of its own
    except UnicodeEncodeError:
        return list(map(dumps, values))


def loads(text: str | bytes) -> Any:
    """Turn back what `dumps` made; numbers with a fraction are Decimals."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        return json.loads(text, parse_float=Decimal)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, builtin_types=())
