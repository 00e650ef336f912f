"""`SQLStore`: the `Store` of mjcore on SQLite and PostgreSQL."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from attrs import frozen

from mj_storage_sql import ddl, leases, objects, queues, reading
from mj_storage_sql.commit import commit
from mj_storage_sql.database import Database, driver, open_database
from mj_storage_sql.engine_grids import EngineGrids
from mj_storage_sql.grid import Grid
from mj_storage_sql.migrate import exclusively, migrate
from mj_storage_sql.purge import Purge
from mj_storage_sql.reflect import reflect
from mj_storage_sql.shapes import grid_of, key_codecs
from mj_storage_sql.tables import LINK, SEEN
from mj_storage_sql.values import text_to_key
from mjcore.capabilities import Rows
from mjcore.errors import UnknownName
from mjcore.history import FailedRecord, Purged, RecordChange
from mjcore.models import CompanyIntegration, Entity, IntegrationRun, SyncContext
from mjcore.records import JSON, BatchWrite, Conflict, Fields, LastSeen, Lease, Link, Position, RowKey, Value

T = TypeVar("T")


class SQLStore:
    """One database. Each method is documented at `mjcore.store.Store`; all may be called by several threads."""

    def __init__(self, url: str) -> None:
        self._database = open_database(url)
        self._grids = EngineGrids.of(self._database.dialect, self._database.bulk)
        self._history = queues.History(self._database, self._entity)

    def _grid(self, entity: Entity) -> Grid:
        return grid_of(entity, self._database.dialect, self._database.bulk)

    def _entity(self, id_or_name: str) -> tuple[Entity, Grid]:
        known = self.load(Entity)
        entity = next((e for e in known if id_or_name in (e.id, e.name)), None)
        if entity is None:
            raise UnknownName("entity", id_or_name, [e.name for e in known])
        return entity, self._grid(entity)

    # --- schema and metadata ------------------------------------------------------------------------

    def migrate(self) -> None:
        migrate(self._database)

    def reflect(self, entity: Entity) -> Entity:
        with self._database.read() as cx:
            return reflect(cx, entity, self._database.dialect)

    def as_stored(self, entity: Entity) -> Entity:
        return ddl.as_stored(entity, self._database.dialect)

    def ddl(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> Sequence[str]:
        with self._database.read() as cx:
            return list(ddl.statements(cx, entity, indexes, self._database.dialect))

    def ensure(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> None:
        with self._database.write() as cx:
            exclusively(cx)
            for statement in list(ddl.statements(cx, entity, indexes, self._database.dialect)):
                driver(cx).execute(statement)

    def is_indexed(self, entity: Entity, fields: tuple[str, ...]) -> bool:
        with self._database.read() as cx:
            return ddl.is_indexed(cx, entity, fields, self._database.dialect)

    def load(self, kind: type[T], *, newest: int | None = None, **where: JSON) -> Sequence[T]:
        with self._database.ask() as cx:
            return objects.load(cx, kind, where, newest)

    def save(self, objects_: Sequence[object], remove: Sequence[object] = (), lease: Lease | None = None) -> None:
        with self._database.write() as cx:
            if lease is not None:
                leases.prove(cx, lease)
            objects.save(cx, objects_, remove)

    # --- lease --------------------------------------------------------------------------------------

    def acquire(self, connection: CompanyIntegration, holder: str, ttl: timedelta, is_gone: Callable[[str], bool]) -> Lease:
        return leases.acquire(self._database, connection, holder, ttl, is_gone)

    def renew(self, held: Lease, ttl: timedelta) -> Lease:
        return leases.renew(self._database, held, ttl)

    def release(self, held: Lease) -> None:
        leases.release(self._database, held)

    def cancel(self, connection: CompanyIntegration, run: IntegrationRun) -> None:
        leases.cancel(self._database, connection, run)

    def is_cancelled(self, held: Lease) -> bool:
        return leases.is_cancelled(self._database, held)

    # --- reading for one batch ----------------------------------------------------------------------

    def position(self, context: SyncContext) -> Position:
        with self._database.ask() as cx:
            return reading.position(cx, context)

    def links(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, Link]:
        return reading.links(self._database, self._grids.link, self._grid(context.entity), context, external_ids)

    def last_seen(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, LastSeen]:
        return reading.last_seen(self._database, self._grids.link, context, external_ids)

    def differing(self, context: SyncContext, seen: Mapping[str, LastSeen]) -> Sequence[str]:
        return reading.differing(self._database, self._grids.link, context, seen) if seen else ()

    def linked(self, entity: Entity, keys: Sequence[RowKey]) -> Mapping[RowKey, Sequence[tuple[str, str]]]:
        return reading.linked(self._database, self._grids.link, self._grid(entity), entity, keys)

    def made_rows(self, entity: Entity, keys: Sequence[RowKey]) -> Collection[RowKey]:
        return reading.made_rows(self._database, self._grids.link, self._grid(entity), entity, keys)

    def read(self, entity: Entity, keys: Sequence[RowKey], fields: tuple[str, ...]) -> Mapping[RowKey, Fields]:
        with self._database.read() as cx:
            return reading.read(self._database, cx, self._grid(entity), entity, keys, fields)

    def rows(self, entity: Entity) -> Rows:
        return SQLRows(self._database, self._grid(entity), entity)

    # --- writing it ---------------------------------------------------------------------------------

    def commit(self, context: SyncContext, write: BatchWrite, held: Lease) -> None:
        commit(self._database, self._grids, self._grid(context.entity), context, write, held, datetime.now(UTC))

    # --- the queues and the past --------------------------------------------------------------------

    def failed(self, context: SyncContext, *, of_earlier_runs: bool = False) -> Iterator[FailedRecord]:
        return queues.failed(self._database, context, of_earlier_runs=of_earlier_runs)

    def discard(self, context: SyncContext, ids: Sequence[str]) -> None:
        queues.discard(self._database, context, ids)

    def live_links(self, context: SyncContext, *, made_by: str | None = None) -> Iterator[Link]:
        return self._links(context, *([LINK.c.run_id == made_by] if made_by else []))

    def staged_deletes(self, context: SyncContext) -> Iterator[Link]:
        return self._staged_links(context, "deleted")

    def staged(self, context: SyncContext, kind: Literal["seen", "deleted"], ids: Sequence[str]) -> Mapping[str, datetime | None]:
        return reading.staged(self._database, self._grids.seen, context, kind, ids) if ids else {}

    def unseen(self, context: SyncContext) -> Iterator[Link]:
        for ids in queues.unseen(self._database, context.entity_map.id):
            yield from self._live(context, ids)

    def unresolved(self, context: SyncContext) -> Iterator[Link]:
        return self._staged_links(context, "unresolved")

    def _staged_links(self, context: SyncContext, kind: str) -> Iterator[Link]:
        of = (SEEN.c.entity_map_id == context.entity_map.id, SEEN.c.kind == kind)
        for ids in queues.pages_of(self._database, SEEN.c.external_id, of):
            yield from self._live(context, ids)

    def _live(self, context: SyncContext, ids: Sequence[str]) -> list[Link]:
        links = self.links(context, ids) if ids else {}
        return [links[external_id] for external_id in ids if external_id in links and not links[external_id].is_tombstone]

    def _links(self, context: SyncContext, *where: sa.ColumnElement[bool]) -> Iterator[Link]:
        return reading.stream_links(self._database, self._grid(context.entity), context, (~LINK.c.is_tombstone, *where))

    def tombstones(self, context: SyncContext) -> Iterator[Link]:
        return reading.stream_links(self._database, self._grid(context.entity), context, (LINK.c.is_tombstone,))

    def count_links(self, context: SyncContext) -> int:
        live = (LINK.c.entity_map_id == context.entity_map.id, ~LINK.c.is_tombstone)
        with self._database.read() as cx:
            return cx.execute(sa.select(sa.func.count()).select_from(LINK).where(*live)).scalar_one()

    def key_of(self, entity: Entity, text: str) -> RowKey:
        return text_to_key(key_codecs(entity, self._grid(entity)), text)

    def links_of(self, entity: Entity, key: RowKey) -> Sequence[tuple[str, Link]]:
        return reading.links_of(self._database, self._grid(entity), entity, key)

    def conflicts(self, **where: JSON) -> Iterator[Conflict]:
        return self._history.conflicts(where)

    def answer(self, conflicts: Sequence[Conflict]) -> None:
        queues.answer(self._database, conflicts)

    def changes(self, *, newest_first: bool = False, **where: Any) -> Iterator[RecordChange]:
        return self._history.changes(where, newest_first=newest_first)

    def count_old(self, connection: CompanyIntegration, before: datetime) -> Purged:
        return Purge(self._database, connection, before).count()

    def purge(self, connection: CompanyIntegration, before: datetime, lease: Lease) -> Iterator[Purged]:
        return Purge(self._database, connection, before).run(lease)

    def close(self) -> None:
        self._database.close()


@frozen
class SQLRows:
    """The view of one entity that matchers look up in."""

    database: Database
    grid: Grid
    entity: Entity

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        with self.database.read() as cx:
            return reading.find(self.database, cx, self.grid, self.entity, fields, keys)

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        return reading.scan(self.database, self.grid, self.entity, fields)
