"""Failed records of earlier runs, tried again with today's mapping: read anew where the source can, else as they came."""

from collections.abc import Sequence

from attrs import evolve, frozen

from mjcore.batch import Batches
from mjcore.capabilities import RecordReader, Source
from mjcore.chunks import chunks
from mjcore.history import FailedRecord
from mjcore.records import BatchWrite, Counts, ExternalRecord
from mjcore.retry import Repeater

PLAN_STALE = "plan_stale"
"""Code of records whose rows moved under a plan. Without a raw record it is a delete that could not be applied."""
BATCH = 100
"""What most sources read by id in one request."""


@frozen
class Retries:
    """Retries the ledger of one entity map; what this run has delivered itself is not tried again."""

    batches: Batches
    source: Source
    repeat: Repeater

    def run(self) -> str | None:
        """Return what became of them, for people; None when there were none."""
        batches, known, gone = self.batches, 0, 0
        for entries in chunks(batches.store.failed(batches.context, of_earlier_runs=True), BATCH):
            some = {entry.external_id: entry for entry in entries if entry.external_id is not None}
            records = self._read(some)
            if records:
                batches.retry(records)
            lost = self._lost(some, records)
            if lost:
                batches.write(_cleared(batches, lost))
            known, gone = known + len(records) + len(lost), gone + len(lost)
        if not known:
            return None
        counts = batches.retried
        text = f"{known} failed records of earlier runs tried again: {counts.processed - counts.errored} succeeded"
        text += f", {counts.errored} failed again" if counts.errored else ""
        return text + (f", {gone} are gone from the source" if gone else "")

    def _read(self, entries: dict[str, FailedRecord]) -> Sequence[ExternalRecord]:
        source, context = self.source, self.batches.context
        deleted = [id_ for id_, entry in entries.items() if entry.code == PLAN_STALE and entry.raw is None]
        gone = [ExternalRecord(id_, {}, is_deleted=True) for id_ in deleted]
        rest = {id_: entry.raw for id_, entry in entries.items() if id_ not in deleted}
        if rest and isinstance(source, RecordReader):
            names = self.batches.plan.source_fields
            return [*gone, *self.repeat(lambda: source.read(context.entity_map.external_object_name, list(rest), names))]
        return [*gone, *(ExternalRecord(id_, raw) for id_, raw in rest.items() if raw is not None)]

    def _lost(self, entries: dict[str, FailedRecord], records: Sequence[ExternalRecord]) -> list[str]:
        """Return the records that the source was asked for and does not have any more."""
        if not isinstance(self.source, RecordReader):
            return []
        return sorted(set(entries) - {record.external_id for record in records})


def _cleared(batches: Batches, external_ids: Sequence[str]) -> BatchWrite:
    nothing = BatchWrite((), (), (), (), (), Counts(), batches.position)
    return evolve(nothing, cleared=external_ids)
