"""What a plan sees: the real store, overlaid with what the plan has written so far. Nothing is written to the real one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast

from attrs import define, evolve, field, frozen

from mjcore.chunks import chunks
from mjcore.history import FailedRecord, Purged, RecordChange
from mjcore.models import CompanyIntegration, Entity, ExternalSchema, IntegrationRun, IntegrationRunDetail, SyncContext
from mjcore.records import (
    JSON,
    BatchWrite,
    Conflict,
    Fields,
    LastSeen,
    Lease,
    Link,
    Position,
    RowChange,
    RowKey,
    Value,
)
from mjcore.scratch import BATCH, Scratch, borrow, of_map
from mjcore.standins import FIRST, is_stand_in, stand_in
from mjcore.store import Rows, Store

T = TypeVar("T")
RECORDED = (IntegrationRun, IntegrationRunDetail, CompanyIntegration, ExternalSchema)
"""What a run writes about itself."""
STAGED = (
    *("starts_window", "ends_window", "seen", "staged_deletes", "unstaged"),
    *("unresolved", "resolved", "settled", "unlinked"),
)
"""What of a batch concerns neither rows nor queues."""


@define
class OverlayStore:
    """A `Store` for one run in one thread. Rows and links that the plan has touched are in `scratch`, all others in `real`.

    What waits for a map (its position, its queues, what is staged) is copied into `scratch` before it is first asked for.
    """

    real: Store
    scratch: Scratch
    tell: Callable[[SyncContext, BatchWrite], None]
    """Told of every batch before it is written. A key that the database will make is `()` on its create, later a stand-in."""
    _borrowed: set[str] = field(factory=set)
    _more_links: dict[str, int] = field(factory=dict)
    _last_key: int = FIRST

    # --- writing ----------------------------------------------------------------------------------------

    def commit(self, context: SyncContext, write: BatchWrite, lease: Lease) -> None:
        self._borrow(context)
        made = {c.external_id: self._new_key(context.entity, c) for c in write.changes if c.kind == "create"}
        links = [evolve(link, key=link.key or made[link.external_id]) for link in write.links]
        before = self.links(context, [link.external_id for link in links])
        was = sum(not link.is_tombstone for link in before.values())
        staged = list(dict.fromkeys([*write.seen, *write.staged_deletes, *write.unresolved]))
        others = self._untouched(context, sorted(set(staged) - {link.external_id for link in links}))
        rows = self.scratch.changes(context.entity, self._rows(context.entity, write.changes, made))
        self.tell(context, write)
        kept: dict[str, Any] = {name: getattr(write, name) for name in STAGED}  # nothing that is checked against real tables
        queued = (write.failed, write.cleared, write.conflicts, write.counts, write.position)
        self.scratch.commit(context, BatchWrite(rows, [*links, *others], *queued, **kept), lease)
        of = context.entity_map.id
        self._more_links[of] = self._more_links.get(of, 0) + sum(not link.is_tombstone for link in links) - was

    def _new_key(self, entity: Entity, change: RowChange) -> RowKey:
        if change.key:
            return change.key
        self._last_key -= 1
        made = {name: stand_in(entity, name, self._last_key) for name in entity.primary_key}
        return tuple(made[name] if change.new.get(name) is None else change.new[name] for name in made)

    def _rows(self, entity: Entity, changes: Sequence[RowChange], made: Mapping[str, RowKey]) -> Mapping[RowKey, Fields | None]:
        """Return whole rows as they would be; None: deleted."""
        names = tuple(dict.fromkeys([*entity.primary_key, *(f.name for f in entity.fields)]))
        before = self.read(entity, [c.key for c in changes if c.kind != "create"], names)
        rows: dict[RowKey, Fields | None] = {}
        for change in changes:
            key = made[change.external_id] if change.kind == "create" else change.key
            row = {**(rows.get(key) or before.get(key, {})), **change.new}
            rows[key] = None  # deleted, or moved to another key
            if change.kind != "delete":
                key = tuple(row.get(name, part) for name, part in zip(entity.primary_key, key, strict=True))
                rows[key] = {**row, **dict(zip(entity.primary_key, key, strict=True))}
        return rows

    def _borrow(self, context: SyncContext) -> None:
        if context.entity_map.id not in self._borrowed:
            self._borrowed.add(context.entity_map.id)
            borrow(self.real, self.scratch, context)

    # --- reading for one batch --------------------------------------------------------------------------

    def position(self, context: SyncContext) -> Position:
        self._borrow(context)
        return self.scratch.store.position(context)

    def links(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, Link]:
        touched = self.scratch.links(context, external_ids)
        rest = [i for i in external_ids if i not in touched]
        return {**(self.real.links(context, rest) if rest else {}), **touched}

    def last_seen(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, LastSeen]:
        return {
            external_id: LastSeen(link.content_hash, link.source_modified_at, link.is_tombstone)
            for external_id, link in self.links(context, external_ids).items()
        }

    def differing(self, context: SyncContext, seen: Mapping[str, LastSeen]) -> Sequence[str]:
        known = self.last_seen(context, list(seen))
        return [external_id for external_id, last in seen.items() if known.get(external_id) != last]

    def _untouched(self, context: SyncContext, external_ids: Sequence[str]) -> list[Link]:
        touched = self.scratch.links(context, external_ids)
        rest = [i for i in external_ids if i not in touched]
        return list(self.real.links(context, rest).values()) if rest else []

    def linked(self, entity: Entity, keys: Sequence[RowKey]) -> Mapping[RowKey, Sequence[tuple[str, str]]]:
        real = self.real.linked(entity, keys)
        ids: dict[str, list[str]] = {}
        for of, external_id in {holder for holders in real.values() for holder in holders}:
            ids.setdefault(of, []).append(external_id)
        moved = {(of, i) for of, some in ids.items() for i in self.scratch.links(of_map(of, entity), some)}
        planned = self.scratch.linked(entity, keys)
        held = {key: sorted({*real.get(key, ())} - moved | {*planned.get(key, ())}) for key in {*real, *planned}}
        return {key: holders for key, holders in held.items() if holders}

    def made_rows(self, entity: Entity, keys: Sequence[RowKey]) -> set[RowKey]:
        return {*self.real.made_rows(entity, keys), *self.scratch.made_rows(entity, keys)}

    def read(self, entity: Entity, keys: Sequence[RowKey], fields: tuple[str, ...]) -> Mapping[RowKey, Fields]:
        touched = self.scratch.held(entity, keys, fields)
        rest = [key for key in keys if key not in touched]
        real = self.real.read(entity, rest, fields) if rest else {}
        return {**real, **{key: row for key, row in touched.items() if row is not None}}

    def rows(self, entity: Entity) -> Rows:
        return OverlayRows(self.real.rows(entity), self.scratch, entity)

    # --- streams and queues -----------------------------------------------------------------------------

    def live_links(self, context: SyncContext, *, made_by: str | None = None) -> Iterator[Link]:
        """Each link once, as it is when its turn comes, whatever is written meanwhile."""
        for some in chunks(self.real.live_links(context, made_by=made_by), BATCH):
            now = self.scratch.links(context, [link.external_id for link in some])
            yield from (link for old in some if not (link := now.get(old.external_id, old)).is_tombstone)
        for some in chunks(self.scratch.stream(self.scratch.store.live_links, context), BATCH):
            known = self.real.links(context, [link.external_id for link in some])
            yield from (link for link in some if (old := known.get(link.external_id)) is None or old.is_tombstone)

    def tombstones(self, context: SyncContext) -> Iterator[Link]:
        """Only those that the plan has not touched."""
        for some in chunks(self.real.tombstones(context), BATCH):
            touched = self.scratch.links(context, [link.external_id for link in some])
            yield from (link for link in some if link.external_id not in touched)

    def staged_deletes(self, context: SyncContext) -> Iterator[Link]:
        self._borrow(context)
        return self.scratch.stream(self.scratch.store.staged_deletes, context)

    def staged(self, context: SyncContext, kind: Literal["seen", "deleted"], ids: Sequence[str]) -> Mapping[str, datetime | None]:
        self._borrow(context)
        return self.scratch.store.staged(context, kind, ids)

    def unresolved(self, context: SyncContext) -> Iterator[Link]:
        self._borrow(context)
        return self.scratch.stream(self.scratch.store.unresolved, context)

    def unseen(self, context: SyncContext) -> Iterator[Link]:
        """Whatever was seen is in the scratch database."""
        self._borrow(context)
        for some in chunks(self.real.live_links(context), BATCH):
            touched = self.scratch.links(context, [link.external_id for link in some])
            yield from (link for link in some if link.external_id not in touched)
        yield from self.scratch.stream(self.scratch.store.unseen, context)

    def count_links(self, context: SyncContext) -> int:
        return self.real.count_links(context) + self._more_links.get(context.entity_map.id, 0)

    def links_of(self, entity: Entity, key: RowKey) -> Sequence[tuple[str, Link]]:
        planned = self.scratch.links_of(entity, key)
        real = self.real.links_of(entity, key)
        return [*planned, *((of, link) for of, link in real if not self.scratch.links(of_map(of, entity), [link.external_id]))]

    def failed(self, context: SyncContext, *, of_earlier_runs: bool = False) -> Iterator[FailedRecord]:
        self._borrow(context)
        return self.scratch.store.failed(context, of_earlier_runs=of_earlier_runs)

    def discard(self, context: SyncContext, ids: Sequence[str]) -> None:
        self.scratch.store.discard(context, ids)

    def conflicts(self, **where: JSON) -> Iterator[Conflict]:
        return self.scratch.conflicts(where) if where.get("entity_map_id") in self._borrowed else self.real.conflicts(**where)

    def answer(self, conflicts: Sequence[Conflict]) -> None:
        self.scratch.store.answer(conflicts)

    def changes(self, *, newest_first: bool = False, **where: Any) -> Iterator[RecordChange]:
        return self.real.changes(newest_first=newest_first, **where)

    def count_old(self, connection: CompanyIntegration, before: datetime) -> Purged:
        return self.real.count_old(connection, before)

    def purge(self, connection: CompanyIntegration, before: datetime, lease: Lease) -> Iterator[Purged]:
        return self.scratch.store.purge(connection, before, lease)

    # --- what the run records about itself, and its lease -----------------------------------------------

    def load(self, kind: type[T], *, newest: int | None = None, **where: JSON) -> Sequence[T]:
        if not issubclass(kind, RECORDED):
            return self.real.load(kind, newest=newest, **where)
        for item in self.real.load(kind, newest=newest, **where):
            if not self.scratch.store.load(kind, id=cast("Any", item).id):
                self.scratch.store.save([item])
        return self.scratch.store.load(kind, newest=newest, **where)

    def save(self, objects: Sequence[object], remove: Sequence[object] = (), lease: Lease | None = None) -> None:
        self.scratch.store.save(objects, remove, lease)

    def acquire(self, connection: CompanyIntegration, holder: str, ttl: timedelta, is_gone: Callable[[str], bool]) -> Lease:
        self.scratch.lease = self.scratch.store.acquire(connection, holder, ttl, is_gone)
        return self.scratch.lease

    def renew(self, lease: Lease, ttl: timedelta) -> Lease:
        return self.scratch.store.renew(lease, ttl)

    def release(self, lease: Lease) -> None:
        self.scratch.store.release(lease)

    def cancel(self, connection: CompanyIntegration, run: IntegrationRun) -> None:
        self.scratch.store.cancel(connection, run)

    def is_cancelled(self, lease: Lease) -> bool:
        return self.scratch.store.is_cancelled(lease)

    # --- schema -------------------------------------------------------------------------------------------

    def migrate(self) -> None:
        self.scratch.store.migrate()

    def reflect(self, entity: Entity) -> Entity:
        return self.real.reflect(entity)

    def as_stored(self, entity: Entity) -> Entity:
        return self.real.as_stored(entity)

    def ddl(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> Sequence[str]:
        return self.real.ddl(entity, indexes)

    def ensure(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> None:
        for fields in indexes or [()]:
            self.scratch.mirror(entity, fields)

    def is_indexed(self, entity: Entity, fields: tuple[str, ...]) -> bool:
        return self.real.is_indexed(entity, fields)

    def key_of(self, entity: Entity, text: str) -> RowKey:
        return self.real.key_of(entity, text)

    def close(self) -> None:
        self.scratch.store.close()


@frozen
class OverlayRows:
    """The rows of one entity, as they would be."""

    real: Rows
    scratch: Scratch
    entity: Entity

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        real = self.real.find(fields, [key for key in keys if not any(map(is_stand_in, key))])
        touched = self.scratch.held(self.entity, sorted({row for rows in real.values() for row in rows}))
        planned = self.scratch.find(self.entity, fields, keys)
        found = {
            values: sorted([*(row for row in real.get(values, ()) if row not in touched), *planned.get(values, ())])
            for values in {*real, *planned}
        }
        return {values: rows for values, rows in found.items() if rows}

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        for some in chunks(self.real.scan(fields), BATCH):
            touched = self.scratch.held(self.entity, [key for key, _ in some])
            yield from (row for row in some if row[0] not in touched)
        yield from self.scratch.scan(self.entity, fields)
