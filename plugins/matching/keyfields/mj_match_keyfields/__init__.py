"""Match strategy `KeyFields`: a record is the row whose key fields hold the record's values."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import Matcher, MatchType, Rows
from mjcore.errors import ConfigError, Problem, did_you_mean
from mjcore.hookspecs import hookimpl
from mjcore.models import EntityMap
from mjcore.records import ABSENT, MappedRecord, RowKey, Value


@frozen
class KeyFields:
    """Without `key_fields`: the destinations of the field maps with `IsKeyField`."""

    key_fields: tuple[str, ...] = ()


@frozen
class KeyFieldsMatcher:
    fields: tuple[str, ...]

    def candidates(self, records: Sequence[MappedRecord], rows: Rows) -> Sequence[Sequence[RowKey]]:
        columns = [[record.values.get(name) for record in records] for name in self.fields]
        keys: list[tuple[Value, ...] | None] = list(zip(*columns, strict=True))
        if not all(map(is_filled, columns)):
            keys = [None if key is None or any(map(is_blank, key)) else key for key in keys]
        wanted = list(dict.fromkeys(key for key in keys if key is not None))
        found = rows.find(self.fields, wanted) if wanted else {}
        return [() if key is None else found.get(key, ()) for key in keys]


def is_filled(column: Sequence[Value]) -> bool:
    """Return whether all are texts, and none is blank: nothing has to be looked at one by one."""
    return {str}.issuperset(map(type, column)) and all(map(str.strip, column))


def is_blank(value: Value) -> bool:
    return value is None or value is ABSENT or (isinstance(value, str) and not value.strip())


def compile_key_fields(config: KeyFields, entity_map: EntityMap) -> Matcher:
    """Return the matcher; `ConfigError` names every field that cannot be matched on."""
    marked = (m.destination_field_name for m in entity_map.field_maps if m.is_key_field and m.status == "Active")
    names = tuple(dict.fromkeys(config.key_fields or marked))
    if not names:
        raise ConfigError(Problem("KeyFields", "no key fields; list them here or mark field maps with IsKeyField: true"))
    faults = ((i, fault(name, entity_map)) for i, name in enumerate(names))
    problems = [Problem(f"KeyFields[{i}]" if config.key_fields else "KeyFields", text) for i, text in faults if text]
    if problems:
        raise ConfigError(*problems)
    return KeyFieldsMatcher(names)


def fault(name: str, entity_map: EntityMap) -> str | None:
    """Return why records cannot be matched on this field, or None."""
    entity = entity_map.entity
    column = entity.field(name)
    if column and column.type == "json":
        return f"{name!r} holds JSON, which cannot be matched on; choose another field"
    if column is None and entity.fields and name not in entity.primary_key:
        return f"{entity.name} has no field {name!r}{did_you_mean(name, [f.name for f in entity.fields])}"
    filled = {m.destination_field_name for m in entity_map.field_maps if m.status == "Active"}
    if filled and name not in filled:
        return f"no field map fills {name!r}, so nothing could ever match; add one or choose another field"
    return None


@hookimpl
def mj_match_types() -> Iterable[MatchType[KeyFields]]:
    return [MatchType("KeyFields", KeyFields, compile_key_fields)]
