"""The second pass of a run: references whose rows came after them, cycles included."""

from collections.abc import Sequence

from attrs import frozen

from mjcore.batch import Batches
from mjcore.chunks import chunks
from mjcore.compare import from_json, same
from mjcore.locking import in_order
from mjcore.records import BatchWrite, Counts, ExternalRecord, Fields, Link, RowChange, Value

BATCH = 500


@frozen
class SecondPass:
    """Writes the references of one map that could not be resolved when their records were."""

    batches: Batches

    def run(self) -> int:
        """Return how many records got what they lacked."""
        batches, done = self.batches, 0
        for links in chunks(batches.store.unresolved(batches.context), BATCH):
            changes, resolved = self._decide(links)
            if resolved:
                position = batches.position
                batches.write(BatchWrite(changes, (), (), (), (), Counts(), position, resolved=resolved))
                done += len(resolved)
        return done

    def _decide(self, links: Sequence[Link]) -> tuple[Sequence[RowChange], Sequence[str]]:
        batches = self.batches
        entity, names = batches.context.entity, tuple(batches.references.targets)
        last = [ExternalRecord(link.external_id, {k: from_json(v) for k, v in link.source_values.items()}) for link in links]
        mapped, unresolved = batches.references.resolve(batches.plan(last).records)
        done = {record.source.external_id: record.values for record in mapped if record.source.external_id not in unresolved}
        rows = batches.store.read(entity, [link.key for link in links if link.external_id in done], names)
        changes = []
        for link in links:
            row = rows.get(link.key)
            if row is not None and link.external_id in done and (new := self._new(done[link.external_id], row)):
                old = {name: row[name] for name in new}
                changes.append(RowChange("update", link.key, old, new, link.external_id))
        return in_order(changes), list(done)

    def _new(self, values: Fields, row: Fields) -> dict[str, Value]:
        """Return what the row lacks; what somebody else put there stays, unless the source wins."""
        context = self.batches.context
        wins = context.entity_map.conflict_resolution == "SourceWins"
        names = [name for name in self.batches.references.targets if name in values]
        differing = [name for name in names if not same(context.entity.field(name), values[name], row[name])]
        return {name: values[name] for name in differing if wins or row[name] is None}
