"""Failed records of earlier runs, tried again with today's mapping: read anew where the source can, else as they came."""

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, frozen

from mjcore.batch import Batches
from mjcore.capabilities import RecordReader, Source
from mjcore.chunks import chunks
from mjcore.deletion import DELETE_REFUSED, Deletes
from mjcore.history import FailedRecord
from mjcore.records import BatchWrite, Counts, ExternalRecord
from mjcore.retry import Repeater
from mjcore.wording import counted

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
    deletes: Deletes
    is_complete: bool = False
    """Everything was read, so that what was not delivered is gone."""

    def run(self) -> str | None:
        """Return what became of them, for people; None when there were none."""
        batches = self.batches
        known = gone = self._forget() if self.is_complete else 0
        for entries in chunks(batches.store.failed(batches.context, of_earlier_runs=True), BATCH):
            some = {entry.external_id: entry for entry in entries if entry.external_id is not None}
            deletes = [external_id for external_id, entry in some.items() if _is_delete(entry)]
            rest = {external_id: entry for external_id, entry in some.items() if external_id not in deletes}
            records, going = self._read(rest), self._delete(deletes)
            if records:
                batches.retry(records)
            lost = self._clear([*self._lost(rest, records), *(i for i in deletes if i not in going)])
            known, gone = known + len(records) + len(going) + lost, gone + lost
        if not known:
            return None
        counts = batches.retried
        text = f"{counted(known, 'failed record')} of earlier runs tried again: {counts.processed - counts.errored} succeeded"
        text += f", {counts.errored} failed again" if counts.errored else ""
        return text + (f", {counted(gone, 'is', 'are')} gone from the source" if gone else "")

    def _forget(self) -> int:
        """Clear the entries of records that were not delivered."""
        store, context, gone = self.batches.store, self.batches.context, 0
        for entries in chunks(store.failed(context), BATCH):
            ids = [entry.external_id for entry in entries if entry.external_id is not None]
            seen = store.staged(context, "seen", ids)
            gone += self._clear([external_id for external_id in ids if external_id not in seen])
        return gone

    def _clear(self, external_ids: Sequence[str]) -> int:
        if external_ids:
            nothing = BatchWrite((), (), (), (), (), Counts(), self.batches.position)
            self.batches.write(evolve(nothing, cleared=external_ids))
        return len(external_ids)

    def _delete(self, external_ids: Sequence[str]) -> Collection[str]:
        """Delete what earlier runs could not; return which records were still linked."""
        batches = self.batches
        links = batches.store.links(batches.context, external_ids) if external_ids else {}
        live = [link for link in links.values() if not link.is_tombstone]
        if live:
            batches.retried += self.deletes.write(live, "retried")
        return {link.external_id for link in live}

    def _read(self, entries: Mapping[str, FailedRecord]) -> Sequence[ExternalRecord]:
        source, context = self.source, self.batches.context
        if entries and isinstance(source, RecordReader):
            names = self.batches.plan.source_fields
            return self.repeat(lambda: source.read(context.entity_map.external_object_name, list(entries), names))
        return [ExternalRecord(id_, entry.raw) for id_, entry in entries.items() if entry.raw is not None]

    def _lost(self, entries: Mapping[str, FailedRecord], records: Sequence[ExternalRecord]) -> list[str]:
        """Return the records that the source was asked for and does not have any more."""
        if not isinstance(self.source, RecordReader):
            return []
        return sorted(set(entries) - {record.external_id for record in records})


def _is_delete(entry: FailedRecord) -> bool:
    return entry.raw is None and entry.code in (PLAN_STALE, DELETE_REFUSED)
