"""The scratch database of a plan: rows and links as they would be.

Every value is packed as one text, so that even what a column of the real table should not hold is kept as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, cast

from attrs import define, evolve, field

from mjcore.chunks import chunks
from mjcore.models import Entity, EntityField, EntityMap, SyncContext
from mjcore.packing import each_value, link_in, link_out, pack, packed, unpack, unpacked
from mjcore.records import BatchWrite, Conflict, Counts, Fields, Lease, Link, RecordError, RowChange, RowKey, Value
from mjcore.store import Store

BATCH = 1000
GONE = "mj:gone"
"""Column of the scratch tables: the plan has deleted the row."""
_GONE, _THERE = "true", "false"


@define
class Scratch:
    """Takes and gives what the kernel has; `store` holds it packed."""

    store: Store
    lease: Lease | None = None
    _mirrors: dict[str, Entity] = field(factory=dict)
    _indexed: set[tuple[str, ...]] = field(factory=set)

    def mirror(self, entity: Entity, looked_up: tuple[str, ...] = ()) -> Entity:
        """Return the scratch table of an entity, with an index for what is looked up."""
        mirror = self._mirrors.get(entity.id)
        if mirror is None:
            names = dict.fromkeys([*entity.primary_key, *(f.name for f in entity.fields), GONE])
            table, fields = f"planned_{len(self._mirrors)}", tuple(EntityField(name) for name in names)
            mirror = Entity(entity.name, table, entity.primary_key, fields=fields, key_origin="mapped", id=entity.id)
            self.store.ensure(mirror)
            self.store.save([mirror])
            self._mirrors[entity.id] = mirror
        if looked_up and (mirror.table, *looked_up) not in self._indexed:
            self.store.ensure(mirror, [(*looked_up, GONE)])
            self._indexed.add((mirror.table, *looked_up))
        return mirror

    def inside(self, context: SyncContext) -> SyncContext:
        """Return the context with the scratch table for its entity."""
        return evolve(context, entity_map=evolve(context.entity_map, entity=self.mirror(context.entity)))

    # --- rows -------------------------------------------------------------------------------------------

    def held(self, entity: Entity, keys: Sequence[RowKey], fields: Sequence[str] = ()) -> dict[RowKey, Fields | None]:
        """Return those of the rows that the plan has touched; None: deleted."""
        found = self.store.read(self.mirror(entity), list(map(packed, keys)), (*fields, GONE))
        return {
            unpacked(key): None if row[GONE] == _GONE else {name: unpack(row[name]) for name in fields}
            for key, row in found.items()
        }

    def find(
        self, entity: Entity, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]
    ) -> dict[tuple[Value, ...], list[RowKey]]:
        """Return the rows that have these values, as `Rows.find` does."""
        asked = {(*packed(key), _THERE): key for key in keys if None not in key}
        found = self.store.rows(self.mirror(entity, fields)).find((*fields, GONE), list(asked)) if asked else {}
        return {asked[values]: list(map(unpacked, rows)) for values, rows in found.items()}

    def scan(self, entity: Entity, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        """Stream the rows that are there."""
        for key, values in self.store.rows(self.mirror(entity)).scan((*fields, GONE)):
            if values[-1] == _THERE:
                yield unpacked(key), unpacked(values[:-1])

    def changes(self, entity: Entity, rows: Mapping[RowKey, Fields | None]) -> list[RowChange]:
        """Return what writes whole rows, None to delete one."""
        known = self.held(entity, list(rows))
        names = [f.name for f in self.mirror(entity).fields]
        changes = []
        for key, row in rows.items():
            new = {name: pack((row or {}).get(name)) for name in names if name not in entity.primary_key}
            new[GONE] = _GONE if row is None else _THERE
            if key not in known:
                new |= zip(entity.primary_key, packed(key), strict=True)
            changes.append(RowChange("update" if key in known else "create", packed(key), {}, new, ""))
        return changes

    # --- links and queues -------------------------------------------------------------------------------

    def links(self, context: SyncContext, external_ids: Sequence[str]) -> dict[str, Link]:
        found = self.store.links(self.inside(context), external_ids) if external_ids else {}
        return {external_id: link_out(link) for external_id, link in found.items()}

    def linked(self, entity: Entity, keys: Sequence[RowKey]) -> dict[RowKey, Sequence[tuple[str, str]]]:
        found = self.store.linked(self.mirror(entity), list(map(packed, keys)))
        return {unpacked(key): holders for key, holders in found.items()}

    def made_rows(self, entity: Entity, keys: Sequence[RowKey]) -> set[RowKey]:
        return set(map(unpacked, self.store.made_rows(self.mirror(entity), list(map(packed, keys)))))

    def links_of(self, entity: Entity, key: RowKey) -> list[tuple[str, Link]]:
        return [(of, link_out(link)) for of, link in self.store.links_of(self.mirror(entity), packed(key))]

    def stream(self, links: Callable[[SyncContext], Iterator[Link]], context: SyncContext) -> Iterator[Link]:
        """Stream what one of the store's streams of links holds."""
        return map(link_out, links(self.inside(context)))

    def conflicts(self, where: Mapping[str, Value]) -> Iterator[Conflict]:
        return (each_value(conflict, unpack) for conflict in self.store.conflicts(**where))

    def commit(self, context: SyncContext, write: BatchWrite, lease: Lease | None = None) -> None:
        """Commit a batch whose changes `changes` has made."""
        links, conflicts = list(map(link_in, write.links)), [each_value(c, pack) for c in write.conflicts]
        held = cast("Lease", lease or self.lease)
        self.store.commit(self.inside(context), evolve(write, links=links, conflicts=conflicts), held)


def of_map(entity_map_id: str, entity: Entity) -> SyncContext:
    """Return a context that names nothing but a map."""
    entity_map = EntityMap("", entity, id=entity_map_id)
    return SyncContext("", "", "", entity_map, "Pull", "Manual", datetime.now(UTC))


def borrow(real: Store, scratch: Scratch, context: SyncContext) -> None:
    """Copy what waits for a map: its position, its queues, what is staged."""
    position, of = real.position(context), context.entity_map.id

    def put(context: SyncContext = context, **parts: Any) -> None:
        scratch.commit(context, evolve(BatchWrite((), (), (), (), (), Counts(), position), **parts))

    put()
    for run_id, entries in groupby(real.failed(context), key=lambda entry: entry.run_id):
        for some in chunks(entries, BATCH):
            errors = [RecordError(e.external_id, cast("Any", e.stage), e.code, e.message, e.raw) for e in some]
            seen = real.staged(context, "seen", [e.external_id for e in some if e.external_id])
            put(evolve(context, run_id=run_id), failed=errors, seen=list(seen))
    for conflicts in chunks(real.conflicts(entity_map_id=of), BATCH):
        put(conflicts=conflicts)
    for links in chunks(real.unresolved(context), BATCH):
        put(links=links, unresolved=_ids(links))
    if position.run_id is None:  # no run was broken off
        return
    for links in chunks(real.staged_deletes(context), BATCH):
        put(links=links, staged_deletes=real.staged(context, "deleted", _ids(links)))
    for links in chunks(_seen(real, context) if position.is_full else (), BATCH):
        put(links=links, seen=_ids(links))


def _ids(links: Sequence[Link]) -> list[str]:
    return [link.external_id for link in links]


def _seen(real: Store, context: SyncContext) -> Iterator[Link]:
    """Yield the live links that are not unseen; both streams have one order."""
    unseen = real.unseen(context)
    following = next(unseen, None)
    for link in real.live_links(context):
        if following is not None and link.external_id == following.external_id:
            following = next(unseen, None)
        else:
            yield link
