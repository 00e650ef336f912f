"""The two queues that wait for people: records that failed, and conflicts that need a decision."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Literal

from attrs import evolve, frozen

from mjcore.chunks import chunks
from mjcore.errors import UnknownName
from mjcore.history import FailedRecord
from mjcore.models import EntityMap, SyncContext
from mjcore.records import Conflict
from mjcore.store import Store
from mjcore.stored import load_connections

BATCH = 500
LOOKED_AT = 1000
"""Entries of which one may have been meant by an unknown id."""


@frozen
class Queues:
    """Reads and answers the queues of connections. `UnknownName` for a connection, map, record or conflict that is none.

    With an id that is none, nothing is done.
    """

    store: Store
    now: Callable[[], datetime]

    def failed(self, connection: str, map_name: str | None = None) -> Iterator[tuple[EntityMap, FailedRecord]]:
        """Stream the failed records of one connection, or of one of its maps."""
        for context in self._contexts(connection, map_name):
            for record in self.store.failed(context):
                yield context.entity_map, record

    def discard(self, connection: str, ids: Collection[str] | None = None, map_name: str | None = None) -> int:
        """Remove failed records by their own or their external ids, all without; return how many. Nothing else is undone."""
        contexts, removed = self._contexts(connection, map_name), 0
        if ids is not None:
            self._all_found("failed record", ids, lambda: (_names(record) for _, record in self.failed(connection, map_name)))
        for context in contexts:
            for some in chunks(self.store.failed(context), BATCH):
                gone = [record.id for record in some if ids is None or not set(ids).isdisjoint(_names(record))]
                self.store.discard(context, gone)
                removed += len(gone)
        return removed

    def conflicts(self, connection: str, map_name: str | None = None) -> Iterator[tuple[EntityMap, Conflict]]:
        """Stream the conflicts of one connection, or of one of its maps, answered ones that wait for a run too."""
        for context in self._contexts(connection, map_name):
            for conflict in self.store.conflicts(entity_map_id=context.entity_map.id):
                yield context.entity_map, conflict

    def resolve(
        self,
        connection: str,
        accept: Literal["source", "current"],
        external_ids: Collection[str] | None = None,
        map_name: str | None = None,
    ) -> int:
        """Answer conflicts by external id, all without; return how many. The next run acts on the answers."""
        answered = 0
        if external_ids is not None:
            self._all_found("conflict", external_ids, lambda: ([c.external_id] for _, c in self.conflicts(connection, map_name)))
        for some in chunks(self.conflicts(connection, map_name), BATCH):
            mine = [evolve(c, answer=accept) for _, c in some if external_ids is None or c.external_id in external_ids]
            self.store.answer(mine)
            answered += len(mine)
        return answered

    def _contexts(self, connection: str, map_name: str | None) -> list[SyncContext]:
        (metadata,) = load_connections(self.store, [connection])
        maps = [m for m in metadata.entity_maps if map_name in (None, m.external_object_name, m.entity.name, m.id)]
        if not maps:
            known = [m.external_object_name for m in metadata.entity_maps]
            raise UnknownName(f"entity map of {connection!r}", map_name or "", known)
        of = (metadata.name, metadata.company.name)
        return [SyncContext("", *of, m, "Pull", "Manual", self.now(), metadata.connection.id) for m in maps]

    def _all_found(self, kind: str, ids: Collection[str], entries: Callable[[], Iterator[Collection[str]]]) -> None:
        """Raise `UnknownName` with every id that names none of the entries."""
        missing = set(ids)
        for names in entries():
            missing.difference_update(names)
        if missing:
            shown = [next(iter(names)) for names in islice(entries(), LOOKED_AT)]
            first, *others = sorted(missing)
            raise UnknownName(kind, first, shown, others=others)


def _names(record: FailedRecord) -> list[str]:
    return [name for name in (record.external_id, record.id) if name]
