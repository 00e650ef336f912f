"""Stand-ins for keys that the database will make: numbers while a plan is made, the records of the rows in its file."""

from collections.abc import Callable, Collection, Mapping

from attrs import evolve, frozen

from mjcore.models import Entity, EntityMap, SyncContext
from mjcore.records import ABSENT, BatchWrite, Fields, RowKey, Value
from mjcore.store import Store

FIRST = -(2**62)
"""The first one; the next ones are below it. No database comes so far by counting."""
_MARK = str(FIRST)[:10]


@frozen
class Planned:
    """Stands for the key, or a part of it, of the row that a record is linked to by the time this is written."""

    entity_map_id: str
    external_id: str

    def __str__(self) -> str:
        return f"(the row of {self.external_id})"


def is_stand_in(value: Value) -> bool:
    """Tell whether a value is such a number, or its text."""
    text = str(value) if isinstance(value, int | str) else ""
    return text.startswith(_MARK) and len(text) == len(str(FIRST))


def stand_in(entity: Entity, name: str, number: int) -> Value:
    """Return a stand-in as the key column `name` would hold it."""
    column = entity.field(name)
    is_number = column is None or column.type in ("number", "currency", "percent")
    return number if is_number else str(number)


def references(entity: Entity, entities: Mapping[str, Entity]) -> dict[str, Entity]:
    """Return the columns that hold keys of other rows, each with the entity of those; `entities` are by name."""
    columns = {f.name: entities.get(f.entity or "") for f in entity.fields if f.type == "reference"}
    return {name: of for name, of in columns.items() if of is not None}


def each_key(
    write: BatchWrite, of_key: Callable[[RowKey], RowKey], columns: Collection[str], of_value: Callable[[str, Value], Value]
) -> BatchWrite:
    """Return a batch with other keys, and other values of the columns that hold keys (called with their names)."""

    def turned(values: Fields) -> Fields:
        return {name: of_value(name, value) if name in columns else value for name, value in values.items()}

    return evolve(
        write,
        changes=[evolve(c, key=of_key(c.key), old=turned(c.old), new=turned(c.new)) for c in write.changes],
        links=[evolve(link, key=of_key(link.key)) for link in write.links],
        held=[of_key(key) for key in write.held],
        conflicts=[
            evolve(c, key=of_key(c.key), base=turned(c.base), source=turned(c.source), current=turned(c.current))
            for c in write.conflicts
        ],
    )


def named(store: Store, entity: Entity, entities: Mapping[str, Entity], write: BatchWrite) -> BatchWrite:
    """Return a batch that names records instead of stand-ins; `store` has what was written before it."""
    columns = references(entity, entities)
    if "database" not in {entity.key_origin, *(e.key_origin for e in columns.values())}:
        return write
    asked: dict[str, tuple[Entity, dict[RowKey, Planned]]] = {}

    def ask(of: Entity, key: RowKey) -> RowKey:
        if any(map(is_stand_in, key)):
            asked.setdefault(of.id, (of, {}))[1][key] = Planned("", "")
        return key

    def key_of(of: Entity, value: Value) -> RowKey:
        return (stand_in(of, of.primary_key[0], int(value)),) if is_stand_in(value) else (value,)

    each_key(write, lambda key: ask(entity, key), columns, lambda name, value: ask(columns[name], key_of(columns[name], value)))
    for of, keys in asked.values():
        holders = store.linked(of, list(keys))
        for key in keys:  # of a row whose link is gone, the link that was
            entity_map_id, external_id = holders[key][0] if key in holders else _last(store, of, key)
            keys[key] = Planned(entity_map_id, external_id)

    def told(of: Entity, key: RowKey) -> Planned | None:
        return asked[of.id][1].get(key) if of.id in asked else None

    def named_key(key: RowKey) -> RowKey:
        planned = told(entity, key)
        return tuple(planned if is_stand_in(part) else part for part in key) if planned else key

    return each_key(write, named_key, columns, lambda name, value: told(columns[name], key_of(columns[name], value)) or value)


def _last(store: Store, entity: Entity, key: RowKey) -> tuple[str, str]:
    entity_map_id, link = store.links_of(entity, key)[0]
    return entity_map_id, link.external_id


def planned_in(write: BatchWrite, columns: Collection[str]) -> set[Planned]:
    """Return the records that a batch names."""
    asked: set[Planned] = set()

    def ask_key(key: RowKey) -> RowKey:
        asked.update(part for part in key if isinstance(part, Planned))
        return key

    def ask(_: str, value: Value) -> Value:
        return ask_key((value,))[0]

    each_key(write, ask_key, columns, ask)
    return asked


def keys_of(
    store: Store, context: SyncContext, maps: Mapping[str, EntityMap], asked: Collection[Planned]
) -> dict[Planned, RowKey]:
    """Return the keys of the rows that records are linked to by now."""
    keys: dict[Planned, RowKey] = {}
    for of in {planned.entity_map_id for planned in asked} & maps.keys():
        some = {planned.external_id: planned for planned in asked if planned.entity_map_id == of}
        links = store.links(evolve(context, entity_map=maps[of]), sorted(some))
        keys |= {some[external_id]: link.key for external_id, link in links.items()}
    return keys


def deferred(write: BatchWrite) -> BatchWrite:
    """Return a batch without references that are `ABSENT`; their records wait for a second pass."""
    waiting = {c.external_id for c in write.changes if ABSENT in c.new.values()}
    changes = []
    for change in write.changes:
        new = {name: value for name, value in change.new.items() if value is not ABSENT}
        old = {name: value for name, value in change.old.items() if value is not ABSENT and (name in new or not change.new)}
        if new or not change.new:
            changes.append(evolve(change, old=old, new=new))
    resolved = [i for i in write.resolved if i not in waiting]
    return evolve(write, changes=changes, unresolved=sorted({*write.unresolved, *waiting}), resolved=resolved)
