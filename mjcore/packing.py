"""Values as a plan's scratch database holds them: one text each, equal where the values are, whatever the column."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

from attrs import evolve

from mjcore.compare import from_json, to_json
from mjcore.records import Conflict, Link, Value


def pack(value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal) and value.is_finite():
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        value = Decimal(text) if "." in text else int(text)
    elif isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC)
    return json.dumps(to_json(value), sort_keys=True)


def unpack(text: Value) -> Value:
    return None if text is None else from_json(json.loads(text))


def packed(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(map(pack, values))


def unpacked(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(map(unpack, values))


def link_in(link: Link) -> Link:
    return evolve(link, key=packed(link.key))


def link_out(link: Link) -> Link:
    return evolve(link, key=unpacked(link.key))


def each_value(conflict: Conflict, turn: Callable[[Value], Value]) -> Conflict:
    base, source, current = (
        {name: turn(value) for name, value in fields.items()} for fields in (conflict.base, conflict.source, conflict.current)
    )
    return evolve(conflict, key=tuple(map(turn, conflict.key)), base=base, source=source, current=current)
