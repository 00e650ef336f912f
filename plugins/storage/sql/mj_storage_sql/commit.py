"""The write of one batch: all of it in one transaction, fence included."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from attrs import fields, frozen

from mj_storage_sql import reading
from mj_storage_sql.database import Database, driver, reason, refusals
from mj_storage_sql.engine_grids import EngineGrids
from mj_storage_sql.grid import Columns, Grid
from mj_storage_sql.leases import prove
from mj_storage_sql.shapes import key_codecs
from mj_storage_sql.tables import FAILED, RUN, RUN_DETAIL, SEEN, WATERMARK
from mj_storage_sql.text import dumps
from mj_storage_sql.values import keys_to_text
from mjcore.compare import same, to_json
from mjcore.errors import RowRefused, RowsMoved
from mjcore.models import Entity, SyncContext
from mjcore.records import BatchWrite, Conflict, Counts, Lease, Link, RecordError, RowChange, RowKey, Watermark

ORIGIN = "Integration"
LINK_COLUMNS = ("entity_map_id", "entity_id", *reading.LINK_NAMES)
CHANGE_COLUMNS = (
    "entity_id", "record_key", "kind", "old", "new", "run_id", "entity_map_id", "map_version", "rule", "external_id", "origin",
    "changed_at",
)  # fmt: skip
FAILED_COLUMNS = (
    "entity_map_id", "fingerprint", "external_id", "stage", "code", "message", "raw", "attempts", "run_id", "first_failed_at",
    "last_failed_at",
)  # fmt: skip
CONFLICT_COLUMNS = (
    "entity_map_id", "external_id", "entity_id", "record_key", "base", "source", "current", "answer", "is_deleted", "run_id",
    "queued_at",
)  # fmt: skip
SEEN_KEY = ("entity_map_id", "kind", "external_id")
SEEN_COLUMNS = (*SEEN_KEY, "modified_at")
REPLACED = ("stage", "code", "message", "raw", "run_id", "last_failed_at")


def commit(
    database: Database, grids: EngineGrids, entity: Grid, context: SyncContext, write: BatchWrite, lease: Lease, now: datetime
) -> None:
    """Write one batch; see `mjcore.store.Store.commit`."""
    try:
        with database.write() as cx:
            prove(cx, lease)
            batch = _Commit(database, cx, grids, entity, context, now)
            made = batch.rows(write.changes)
            batch.still_held(write)
            batch.links(write.links, made)
            batch.audit(write.changes, made)
            batch.failed(write.failed, write.cleared)
            batch.conflicts(write.conflicts, write.settled)
            batch.unlink(write.unlinked)
            batch.staged(write)
            batch.counted(write.counts)
            batch.position(write)
    except RowRefused as refused:
        table, only = context.entity.table, write.changes[0].external_id if len(write.changes) == 1 else None
        named = refused.refused or ({only: str(refused)} if only is not None else {})
        raise RowRefused(f"{table}: {refused}", {i: f"{table}: {why}" for i, why in named.items()}) from refused


@frozen
class _Commit:
    database: Database
    cx: sa.Connection
    grids: EngineGrids
    grid: Grid
    context: SyncContext
    now: datetime

    @property
    def entity(self) -> Entity:
        return self.context.entity

    # --- target rows ---------------------------------------------------------------------------------

    def rows(self, changes: Sequence[RowChange]) -> Mapping[str, RowKey]:
        """Write target rows; return, by external id, the keys that the database made."""
        if not changes:
            return {}
        self._lock(changes)
        moved = [*self._moved(changes), *self._taken(changes)]
        if moved:
            raise RowsMoved(moved)
        made: dict[str, RowKey] = {}
        fault = self._attempt(changes, made)
        if fault is not None:
            raise RowRefused(fault, self._refused(changes))
        return made

    def _attempt(self, changes: Sequence[RowChange], made: dict[str, RowKey]) -> str | None:
        """Write changes, or none of them and return why; `made` gets the keys that the database made."""
        execute = driver(self.cx).execute
        execute("SAVEPOINT mj_rows")
        try:
            self._write([c for c in changes if c.kind != "create"])
            made |= self._create([c for c in changes if c.kind == "create"])
        except self._refusals() as error:
            execute("ROLLBACK TO SAVEPOINT mj_rows")
            return reason(error)
        execute("RELEASE SAVEPOINT mj_rows")
        return None

    def _refusals(self) -> tuple[type[Exception], ...]:
        return (RowRefused, *refusals(self.database.engine))

    def _refused(self, changes: Sequence[RowChange]) -> dict[str, str]:
        """Return by halves which records are refused, and why. All of it is rolled back in the end."""
        fault = self._attempt(changes, {})
        if fault is None:
            return {}
        if len(changes) == 1:
            return {changes[0].external_id: fault}
        middle = len(changes) // 2
        return self._refused(changes[:middle]) | self._refused(changes[middle:])

    def _lock(self, changes: Sequence[RowChange]) -> None:
        """Keep everybody from writing keys that a create assumed free; SQLite has one writer per file anyway."""
        if self.database.dialect == "postgresql" and any(change.unique_on for change in changes):
            driver(self.cx).execute(f"LOCK TABLE {self.grid.sql} IN SHARE ROW EXCLUSIVE MODE")

    def _moved(self, changes: Sequence[RowChange]) -> list[RowKey]:
        """Return the rows that are no longer as the batch assumed."""
        assumed = {c.key: c.old for c in changes if c.kind != "create"}
        if not assumed:
            return []
        names = list(dict.fromkeys(name for old in assumed.values() for name in old))
        rows = reading.read(self.database, self.cx, self.grid, self.entity, list(assumed), names, lock=True)
        return [key for key, old in assumed.items() if key not in rows or not self._holds(old, rows[key])]

    def _holds(self, old: Mapping[str, object], row: Mapping[str, object]) -> bool:
        column = self.entity.field
        return all(same(column(name), value, row[name]) for name, value in old.items())

    def _taken(self, changes: Sequence[RowChange]) -> list[RowKey]:
        """Return the rows that have match keys by now which a create assumed free."""
        creates = sorted((c for c in changes if c.unique_on), key=lambda c: c.unique_on)
        taken: list[RowKey] = []
        for names, some in groupby(creates, key=lambda c: c.unique_on):
            values = [change.new for change in some]
            keys = list(zip(*([new.get(name) for new in values] for name in names), strict=True))
            found = reading.find(self.database, self.cx, self.grid, self.entity, names, keys)
            taken += [key for holders in found.values() for key in holders]
        return taken

    def still_held(self, write: BatchWrite) -> None:
        """Raise `RowsMoved` for rows that nobody else holds any more: two maps may let go of one at the same time."""
        if not write.held:
            return
        reading.read(self.database, self.cx, self.grid, self.entity, write.held, (), lock=True)
        mine = {(self.context.entity_map.id, link.external_id) for link in write.links if link.is_tombstone}
        holders = reading.holders(self.database, self.cx, self.grids.link, self.grid, self.entity, write.held)
        alone = [key for key in write.held if not set(holders.get(key, ())) - mine]
        if alone:
            raise RowsMoved(alone)

    def _write(self, changes: Iterable[RowChange]) -> None:
        """Update and delete, rows of the same columns in one statement."""
        key, bulk = self.entity.primary_key, self.database.bulk
        shapes: dict[tuple[str, ...], list[RowChange]] = {}
        for change in changes:
            shapes.setdefault(tuple(change.new) if change.kind == "update" else (), []).append(change)
        gone = shapes.pop((), [])
        bulk.delete(driver(self.cx), self.grid, key, [c.key for c in gone if c.kind == "delete"])
        for names, some in shapes.items():
            values = [(*(c.new[name] for name in names), *c.key) for c in some]
            if bulk.update(driver(self.cx), self.grid, key, names, values) != len(some):
                raise RowRefused("a key is not written as this store writes its type")

    def _create(self, changes: Sequence[RowChange]) -> Mapping[str, RowKey]:
        key, bulk = self.entity.primary_key, self.database.bulk
        shapes: dict[tuple[tuple[str, ...], bool], list[RowChange]] = {}
        for change in changes:
            shapes.setdefault((tuple(change.new), change.key != ()), []).append(change)
        made: dict[str, RowKey] = {}
        for (named, has_key), some in shapes.items():
            if has_key:
                columns = list(zip(*(c.new.values() for c in some), strict=True))  # each has the names of its shape, in order
                bulk.insert(driver(self.cx), self.grid, named, columns)
            else:
                names = [name for name in named if name not in key]
                values = [[c.new[name] for name in names] for c in some]
                keys = bulk.insert_returning(driver(self.cx), self.grid, names, values, key)
                made |= {c.external_id: tuple(k) for c, k in zip(some, keys, strict=True)}
        return made

    # --- what the engine keeps -----------------------------------------------------------------------

    def _record_keys(self, keyed: Sequence[Link | RowChange | Conflict], made: Mapping[str, RowKey]) -> list[str]:
        keys = [item.key or made[item.external_id] for item in keyed] if made else [item.key for item in keyed]
        return keys_to_text(key_codecs(self.entity, self.grid), keys)

    def links(self, links: Sequence[Link], made: Mapping[str, RowKey]) -> None:
        if not links:
            return
        always = _times(len(links))
        columns = [
            always(self.context.entity_map.id),
            always(self.entity.id),
            [link.external_id for link in links],
            self._record_keys(links, made),
            [link.content_hash for link in links],
            [link.source_values for link in links],
            [link.source_modified_at for link in links],
            [link.created_row for link in links],
            [link.is_tombstone for link in links],
            [link.map_version for link in links],
            always(self.context.run_id),
        ]
        bulk, key = self.database.bulk, ("entity_map_id", "external_id")
        kept = {*key, "run_id"}  # the run that made the link
        sets = {name: f"excluded.{bulk.quote(name)}" for name in LINK_COLUMNS if name not in kept}
        bulk.upsert(driver(self.cx), self.grids.link, key, LINK_COLUMNS, columns, sets)

    def audit(self, changes: Sequence[RowChange], made: Mapping[str, RowKey]) -> None:
        if not changes:
            return
        entity_map, always = self.context.entity_map, _times(len(changes))
        columns = [
            always(self.entity.id),
            self._record_keys(changes, made),
            [c.kind for c in changes],
            [c.old for c in changes],
            [c.new for c in changes],
            always(self.context.run_id),
            always(entity_map.id),
            always(entity_map.version),
            [c.rule for c in changes],
            [c.external_id for c in changes],
            always(ORIGIN),
            always(self.now),
        ]
        self.database.bulk.insert(driver(self.cx), self.grids.change, CHANGE_COLUMNS, columns)

    def failed(self, errors: Sequence[RecordError], cleared: Sequence[str]) -> None:
        """Replace entries of the same record, counting attempts; those of records without an id are told apart by content."""
        bulk, map_id = self.database.bulk, self.context.entity_map.id
        key = ("entity_map_id", "fingerprint")
        bulk.delete(driver(self.cx), self.grids.failed, key, [(map_id, _fingerprint(i)) for i in cleared])
        rows = {}
        for error in errors:
            raw = None if error.raw is None else to_json(error.raw)
            fingerprint = _fingerprint(error.external_id, error.code, error.message, raw)
            rows[fingerprint] = (
                *(map_id, fingerprint, error.external_id, error.stage, error.code, error.message, raw),
                *(1, self.context.run_id, self.now, self.now),
            )
        sets = {name: f"excluded.{bulk.quote(name)}" for name in REPLACED}
        sets["attempts"] = f"{FAILED.name}.attempts + 1"
        if rows:
            bulk.upsert(driver(self.cx), self.grids.failed, key, FAILED_COLUMNS, _columns(rows.values()), sets)

    def conflicts(self, conflicts: Sequence[Conflict], settled: Sequence[str]) -> None:
        of = self.context.entity_map.id
        rows = [
            (
                *(of, c.external_id, self.entity.id, record_key),
                *(c.base, c.source, c.current, c.answer, c.is_deleted, self.context.run_id, self.now),
            )
            for c, record_key in zip(conflicts, self._record_keys(conflicts, {}), strict=True)
        ]
        bulk, key = self.database.bulk, ("entity_map_id", "external_id")
        bulk.delete(driver(self.cx), self.grids.conflict, key, [(of, i) for i in settled])
        if rows:
            bulk.upsert(driver(self.cx), self.grids.conflict, key, CONFLICT_COLUMNS, _columns(rows))

    def unlink(self, external_ids: Sequence[str]) -> None:
        of, key = self.context.entity_map.id, ("entity_map_id", "external_id")
        self.database.bulk.delete(driver(self.cx), self.grids.link, key, [(of, i) for i in external_ids])

    # --- where the map stands ------------------------------------------------------------------------

    def staged(self, write: BatchWrite) -> None:
        """Keep what was seen and what is to be deleted for as long as their window is open."""
        if write.starts_window or write.ends_window:
            mine = (SEEN.c.entity_map_id == self.context.entity_map.id, SEEN.c.kind.in_(("seen", "deleted")))
            self.cx.execute(sa.delete(SEEN).where(*mine))
        self._unstage("deleted", write.unstaged)
        self._unstage("unresolved", write.resolved)
        staged = {
            "seen": dict.fromkeys(write.seen),
            "deleted": write.staged_deletes,
            "unresolved": dict.fromkeys(write.unresolved),
        }
        rows = [(self.context.entity_map.id, kind, i, at) for kind, ids in staged.items() for i, at in ids.items()]
        if rows:
            sets = {"modified_at": "excluded.modified_at"}
            self.database.bulk.upsert(driver(self.cx), self.grids.seen, SEEN_KEY, SEEN_COLUMNS, _columns(rows), sets)

    def _unstage(self, kind: str, ids: Sequence[str]) -> None:
        rows = [(self.context.entity_map.id, kind, i) for i in dict.fromkeys(ids)]
        self.database.bulk.delete(driver(self.cx), self.grids.seen, SEEN_KEY, rows)

    def _detail(self) -> tuple[sa.ColumnElement[bool], ...]:
        context = self.context
        return (RUN_DETAIL.c.integration_run_id == context.run_id, RUN_DETAIL.c.entity_map_id == context.entity_map.id)

    def counted(self, counts: Counts) -> None:
        """Add the batch's counters to its run and to the run's detail."""
        amounts = {a.name: n for a in fields(Counts) if (n := getattr(counts, a.name))}
        if not amounts:
            return
        for table, prefix, which in (
            (RUN_DETAIL, "records_", self._detail()),
            (RUN, "total_records_", (RUN.c.id == self.context.run_id,)),
        ):
            added = {prefix + name: table.c[prefix + name] + n for name, n in amounts.items()}
            self.cx.execute(sa.update(table).where(*which).values(added))

    def position(self, write: BatchWrite) -> None:
        position, context = write.position, self.context
        values = {
            "watermark_type": position.watermark.type if position.watermark else None,
            "watermark_value": position.watermark.value if position.watermark else None,
            "last_sync_at": self.now,
            "records_synced": 0,
            "run_id": position.run_id,
            "map_version": position.map_version,
            "since": _pair(position.since),
            "until": _pair(position.until),
            "checkpoint": position.checkpoint,
            "is_full": position.is_full,
            "has_gaps": position.has_gaps,
            "closed_by": position.closed_by,
        }
        if position.run_id is None:
            processed = self.cx.execute(sa.select(RUN_DETAIL.c.records_processed).where(*self._detail())).scalar()
            values["records_synced"] = processed or 0
        of = (WATERMARK.c.entity_map_id == context.entity_map.id, WATERMARK.c.direction == context.direction)
        if not self.cx.execute(sa.update(WATERMARK).where(*of).values(values)).rowcount:
            key = {"entity_map_id": context.entity_map.id, "direction": context.direction}
            self.cx.execute(sa.insert(WATERMARK).values(key | values))


def _times(rows: int) -> Callable[[Any], list[Any]]:
    """Return what repeats one value for every row."""
    return lambda value: [value] * rows


def _columns(rows: Iterable[tuple[Any, ...]]) -> Columns:
    return list(zip(*rows, strict=True))


def _pair(watermark: Watermark | None) -> list[str] | None:
    return [watermark.type, watermark.value] if watermark else None


def _fingerprint(external_id: str | None, *told: object) -> str:
    if external_id is not None:
        return f"id:{external_id}"
    return f"raw:{blake2b(dumps(told).encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
