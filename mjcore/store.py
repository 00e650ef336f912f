"""What a database offers to the kernel: one `Store` serves the engine's tables and the target entities."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from attrs import frozen

from mjcore.history import FailedRecord, Purged, RecordChange
from mjcore.models import CompanyIntegration, Entity, IntegrationRun, SyncContext
from mjcore.records import JSON, BatchWrite, Conflict, Fields, LastSeen, Lease, Link, Position, RowKey, Value

T = TypeVar("T")


class Rows(Protocol):
    """Read-only view of the target entity."""

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        """Return, per tuple of field values, the primary keys of the rows that have them, sorted."""

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        """Stream every row: for matchers that cannot look up by value."""


class Store(Protocol):
    """Serves the engine's tables and the target entities. Methods may be called by several threads.

    `load` and `save` know the classes of `mjcore.models` that have an `id`: Company, Entity, IntegrationProvider,
    Template, CompanyIntegration, EntityMap (with its entity and field maps), MapVersion, ExternalSchema, IntegrationRun,
    IntegrationRunDetail.
    """

    # schema and metadata
    def migrate(self) -> None:
        """Create the engine's tables or bring them up to date."""

    def reflect(self, entity: Entity) -> Entity:
        """Return the entity as its table is: fields, limits, primary key, key_origin, origin. `StoreError`: no such table."""

    def as_stored(self, entity: Entity) -> Entity:
        """Return a declared entity with the limits that this database puts on its columns."""

    def ddl(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> Sequence[str]:
        """Return the statements that create or extend the entity's table; none when it is there already."""

    def ensure(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> None:
        """Create or extend the entity's table, with an index per tuple of fields."""

    def is_indexed(self, entity: Entity, fields: tuple[str, ...]) -> bool:
        """Tell whether look-ups by these fields use an index."""

    def load(self, kind: type[T], *, newest: int | None = None, **where: JSON) -> Sequence[T]:
        """Return stored objects whose attributes equal `where`, in the order of their ids; of many the `newest` last ones.

        An EntityMap is found by `entity_id` too.
        """

    def save(self, objects: Sequence[object], remove: Sequence[object] = (), lease: Lease | None = None) -> None:
        """Insert or replace by id, and remove, in one transaction. Saving an EntityMap replaces its field maps.

        With a lease that is no longer held, nothing is saved: `LeaseLost`.
        """

    # lease
    def acquire(self, connection: CompanyIntegration, holder: str, ttl: timedelta, is_gone: Callable[[str], bool]) -> Lease:
        """Take the connection, or raise `LeaseHeld`. A holder for whom `is_gone` answers True is taken over at once."""

    def renew(self, lease: Lease, ttl: timedelta) -> Lease:
        """Prolong, or raise `LeaseLost`."""

    def release(self, lease: Lease) -> None:
        """Give the connection back; no error if it was lost."""

    def cancel(self, connection: CompanyIntegration, run: IntegrationRun) -> None:
        """Ask the run that holds the connection to stop after its batch."""

    def is_cancelled(self, lease: Lease) -> bool:
        """Tell whether the holder was asked to stop."""

    # reading for one batch
    def position(self, context: SyncContext) -> Position:
        """Return where the entity map stands; `Position()` before its first run."""

    def links(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, Link]:
        """Return this map's links, tombstones too."""

    def last_seen(self, context: SyncContext, external_ids: Sequence[str]) -> Mapping[str, LastSeen]:
        """Return what this map's links know of the last delivery of their records, tombstones too."""

    def differing(self, context: SyncContext, seen: Mapping[str, LastSeen]) -> Sequence[str]:
        """Return those of the external ids whose links know anything else, or that have none."""

    def linked(self, entity: Entity, keys: Sequence[RowKey]) -> Mapping[RowKey, Sequence[tuple[str, str]]]:
        """Return, per row, the (entity map id, external id) of every live link that holds it."""

    def made_rows(self, entity: Entity, keys: Sequence[RowKey]) -> Collection[RowKey]:
        """Return those of the rows that the engine created, through whatever map."""

    def read(self, entity: Entity, keys: Sequence[RowKey], fields: tuple[str, ...]) -> Mapping[RowKey, Fields]:
        """Return the rows that exist, values typed as the entity's fields say."""

    def rows(self, entity: Entity) -> Rows:
        """Return the view that matchers look up in."""

    # writing it
    def commit(self, context: SyncContext, write: BatchWrite, lease: Lease) -> None:
        """Write one batch, all or nothing, fence included.

        Raises `LeaseLost`, `RowsMoved` (creates and updates are checked under the entity's lock), `RowRefused`, or
        `StoreError`. An update writes `new`, a delete removes the row; each change leaves an audit entry; counts are
        added to the run and its detail; the position replaces the stored one. What is staged (`seen`, deletes) is kept
        until its window ends, or another one starts.
        """

    # the queues and the past, streamed
    def failed(self, context: SyncContext, *, of_earlier_runs: bool = False) -> Iterator[FailedRecord]:
        """Stream the failed-record ledger of this map; `of_earlier_runs`: without what this run added."""

    def discard(self, context: SyncContext, ids: Sequence[str]) -> None:
        """Remove entries of the failed-record ledger, by their own ids."""

    def live_links(self, context: SyncContext, *, made_by: str | None = None) -> Iterator[Link]:
        """Stream the live links of this map; `made_by`: those that this run made."""

    def tombstones(self, context: SyncContext) -> Iterator[Link]:
        """Stream the links of this map whose records are gone."""

    def staged_deletes(self, context: SyncContext) -> Iterator[Link]:
        """Stream the live links whose records the source reported as deleted in the open window."""

    def staged(self, context: SyncContext, kind: Literal["seen", "deleted"], ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those of the external ids that are staged, with the time that the source named for a delete."""

    def unseen(self, context: SyncContext) -> Iterator[Link]:
        """Stream the live links that the open window, a full read, did not deliver."""

    def unresolved(self, context: SyncContext) -> Iterator[Link]:
        """Stream the live links of this map whose records wait for a referenced row."""

    def count_links(self, context: SyncContext) -> int:
        """Return how many live links this map has."""

    def key_of(self, entity: Entity, text: str) -> RowKey:
        """Return a row's key from its text: that of `mj_record_link`, or of several columns separated by commas."""

    def links_of(self, entity: Entity, key: RowKey) -> Sequence[tuple[str, Link]]:
        """Return every link of one row with the id of its entity map, tombstones too."""

    def conflicts(self, **where: JSON) -> Iterator[Conflict]:
        """Stream the conflict queue; `entity_map_id`, `external_id`, `answer` and `entity` (a name) narrow it."""

    def answer(self, conflicts: Sequence[Conflict]) -> None:
        """Keep the answers of conflicts that are in the queue."""

    def changes(self, *, newest_first: bool = False, **where: Any) -> Iterator[RecordChange]:
        """Stream the audit trail, oldest first.

        `run_id`, `entity_map_id`, `external_id`, `entity` (a name), `after` (an id) and, with an entity, `key` or `keys` (of
        one batch of rows) narrow it.
        """

    def count_old(self, connection: CompanyIntegration, before: datetime) -> Purged:
        """Return how many entries `purge` would remove."""

    def purge(self, connection: CompanyIntegration, before: datetime, lease: Lease) -> Iterator[Purged]:
        """Remove what the past of a connection holds from before a time; yield what each transaction has removed.

        These are changes of the audit trail (but for those of an undo whose records have not come since), failed records that
        did not fail again since, conflicts that were queued before, answered ones too, and runs that ended before and that no
        link, change, queue, position or later undo names. Runs that began before and stay, as the newest one of each map does,
        are marked first (`PURGED_BEFORE`) and lose their `details`.
        """

    def close(self) -> None:
        """Release what is open."""


@frozen
class StoreType:
    """A kind of database, chosen by the scheme of its URL."""

    name: str
    schemes: tuple[str, ...]
    open: Callable[[str], Store]
