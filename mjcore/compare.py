"""When values are the same: by the column's type, by content hash, by key. The one comparison of the project."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from marshal import dumps

from mjcore.models import EntityField
from mjcore.records import ABSENT, JSON, Fields, Reference, RowKey, Value

PLAIN = frozenset({str, int, bool, type(None)})
"""Types whose values are their own JSON."""
_TAGS = {"$absent", "$decimal", "$float", "$date", "$datetime", "$reference", "$bytes", "$tuple", "$escaped"}


def same(column: EntityField | None, a: Value, b: Value) -> bool:
    """Tell whether two canonical values of one column are equal: null only to null, no trimming, no case folding.

    Numbers are compared as numbers, instants as instants, JSON by structure (where 1 is not true).
    """
    if a is None or b is None:
        return a is b
    if column is not None and column.type == "json":
        return _encode(a) == _encode(b)
    return bool(a == b)


def content_hashes(version: int, columns: Sequence[Sequence[Value]]) -> list[bytes]:
    """Return, per record, a 16 byte hash of its raw source values and of the mapping version that reads them.

    `columns` has the values of each source field, of one record after the other.
    """
    encoded = [column if PLAIN.issuperset(map(type, column)) else list(map(_distinct, column)) for column in columns]
    salt = version.to_bytes(8, "big")
    # marshal's format 0 is fixed, and tells apart whatever differs
    return [blake2b(dumps(row, 0), digest_size=16, salt=salt).digest() for row in zip(*encoded, strict=True)]


def _distinct(value: Value) -> Value:
    """Return plain values as they are, of all others their JSON, in a type that no value has."""
    return value if type(value) in PLAIN else _encode(value)


def plain(fields: Fields) -> Mapping[str, JSON]:
    """Return raw source fields as JSON that `from_json` turns back."""
    if PLAIN.issuperset(map(type, fields.values())):
        return fields
    return {name: to_json(value) for name, value in fields.items()}


def key_text(key: RowKey) -> str:
    """Return a primary key as people write it: its parts, separated by commas."""
    return ", ".join(str(part) for part in key)


def to_json(value: Value) -> JSON:
    """Return a source value as JSON that `from_json` turns back into the very same value."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, list):
        return [to_json(v) for v in value]
    if isinstance(value, Mapping):
        pairs = {str(k): to_json(v) for k, v in value.items()}
        return {"$escaped": pairs} if len(pairs) == 1 and not _TAGS.isdisjoint(pairs) else pairs
    return _tagged(value)


def _tagged(value: Value) -> JSON:
    match value:
        case float():
            return {"$float": repr(value)}
        case Decimal():
            return {"$decimal": str(value)}
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case Reference():
            return {"$reference": [value.object_name, value.external_id]}
        case bytes():
            return {"$bytes": value.hex()}
        case tuple() | set() | frozenset():
            return {"$tuple": [to_json(v) for v in value]}
        case _ if value is ABSENT:
            return {"$absent": True}
    return str(value)


def from_json(value: JSON) -> Value:
    """Turn back what `to_json` made."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        (tag, content), *_ = value.items()
        if tag in _TAGS:
            return _untagged(tag, content)
    return {k: from_json(v) for k, v in value.items()}


def _untagged(tag: str, content: Value) -> Value:
    match tag:
        case "$absent":
            return ABSENT
        case "$float":
            return float(content)
        case "$decimal":
            return Decimal(content)
        case "$date":
            return date.fromisoformat(content)
        case "$datetime":
            return datetime.fromisoformat(content)
        case "$reference":
            return Reference(*content)
        case "$bytes":
            return bytes.fromhex(content)
        case "$tuple":
            return tuple(from_json(v) for v in content)
    return {k: from_json(v) for k, v in content.items()}


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=to_json)


def _encode(value: Value) -> bytes:
    return _encoder.encode(value).encode()
