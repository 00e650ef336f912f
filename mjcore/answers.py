"""Conflicts that a person has decided: the next run acts on the answers, whether the records come again or not."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from mjcore.batch import Batches
from mjcore.chunks import chunks
from mjcore.compare import same
from mjcore.deletion import Deletes
from mjcore.errors import RowRefused
from mjcore.locking import in_order
from mjcore.models import Entity
from mjcore.records import BatchWrite, Conflict, Counts, Fields, Link, RecordError, RowChange, RowKey, Value
from mjcore.wording import counted

BATCH = 200


@frozen
class Answers:
    """Acts on the answers of one entity map."""

    batches: Batches
    deletes: Deletes
    now: Callable[[], datetime]

    def run(self) -> str | None:
        """Return what was done, for people; None when nothing was answered."""
        store, of = self.batches.store, self.batches.context.entity_map.id
        taken = kept = 0
        for some in chunks(store.conflicts(entity_map_id=of, answer="current"), BATCH):
            self._keep(some)
            kept += len(some)
        for some in chunks(store.conflicts(entity_map_id=of, answer="source"), BATCH):
            self._delete([c for c in some if c.is_deleted])
            self._accept([c for c in some if not c.is_deleted])
            taken += len(some)
        if not taken + kept:
            return None
        said = counted(taken + kept, "conflict was", "conflicts were")
        return f"{said} answered: {taken} for the source, {kept} for the row as it is"

    def _keep(self, conflicts: Sequence[Conflict]) -> None:
        """Leave the rows; those whose records the source has deleted are nobody's any more."""
        links = self.batches.store.links(self.batches.context, [c.external_id for c in conflicts if c.is_deleted])
        self._write((), [evolve(link, is_tombstone=True) for link in links.values()], conflicts)

    def _delete(self, conflicts: Sequence[Conflict]) -> None:
        links = self.batches.store.links(self.batches.context, [c.external_id for c in conflicts])
        live = [link for link in links.values() if not link.is_tombstone]
        if live:
            self.deletes.write(live, "answered")
        self._write((), (), conflicts)

    def _accept(self, conflicts: Sequence[Conflict]) -> None:
        """Write the source's values; what the database refuses goes to the ledger by itself."""
        if not conflicts:
            return
        batches = self.batches
        entity, names = batches.context.entity, tuple(dict.fromkeys([f.name for f in batches.context.entity.fields]))
        rows = batches.store.read(entity, [c.key for c in conflicts], names)
        links = batches.store.links(batches.context, [c.external_id for c in conflicts])
        changes = [change for c in conflicts if (change := self._change(c, rows))]
        # a record that awaited a review is linked now, with nothing known of it: its next delivery is decided in full
        made = [Link(c.external_id, c.key, b"", {}, created_row=False) for c in conflicts if c.external_id not in links]
        try:
            self._write(in_order(changes), made, conflicts)
        except RowRefused as refused:
            if len(conflicts) == 1:
                self._fail(conflicts[0], refused)
                return
            for conflict in conflicts:
                self._accept([conflict])

    def _change(self, conflict: Conflict, rows: Mapping[RowKey, Fields]) -> RowChange | None:
        entity, row = self.batches.context.entity, rows.get(conflict.key)
        if row is None:
            new = {**conflict.source, **dict(zip(entity.primary_key, conflict.key, strict=True))}
            return RowChange("create", conflict.key, {}, self._stamped(entity, new), conflict.external_id, "answer")
        new = {name: v for name, v in conflict.source.items() if not same(entity.field(name), v, row.get(name))}
        if not new:
            return None
        new = self._stamped(entity, new)
        return RowChange("update", conflict.key, {n: row.get(n) for n in new}, new, conflict.external_id, "answer")

    def _stamped(self, entity: Entity, new: dict[str, Value]) -> dict[str, Value]:
        name = entity.updated_at_field
        return {**new, name: self.now()} if name and name not in new else new

    def _write(self, changes: Sequence[RowChange], links: Sequence[Link], settled: Sequence[Conflict]) -> None:
        ids, position = [c.external_id for c in settled], self.batches.position
        self.batches.write(BatchWrite(changes, links, (), (), (), Counts(), position, settled=ids))

    def _fail(self, conflict: Conflict, refused: RowRefused) -> None:
        error = RecordError(conflict.external_id, "persist", "refused", str(refused), dict(conflict.source))
        position = self.batches.position
        self.batches.write(BatchWrite((), (), [error], (), (), Counts(), position, settled=[conflict.external_id]))
