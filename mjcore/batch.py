"""One batch: from delivered records to one commit. Decided by column and by set, never record by record in the database."""

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field, frozen

from mjcore.capabilities import Store
from mjcore.decision import Decider
from mjcore.errors import MJError, RowRefused, RowsMoved
from mjcore.locking import in_order
from mjcore.mapping import MappingPlan
from mjcore.models import SyncContext
from mjcore.records import (
    Batch,
    BatchWrite,
    Checkpoint,
    Counts,
    ExternalRecord,
    LastSeen,
    Lease,
    MappedBatch,
    Page,
    Position,
    RecordError,
)
from mjcore.references import References
from mjcore.stages import Stages
from mjcore.triage import Triage

ATTEMPTS = 10
"""How often a batch is decided anew because rows moved under it; more often, somebody else writes without pause."""


class TooManyFailures(MJError):
    """So many records fail that the mapping must be wrong, not the data."""


@frozen
class Delivery:
    """What pages delivered, each external id once: the newest wins, the others are `skipped`."""

    records: Sequence[ExternalRecord]
    errors: Sequence[RecordError] = ()
    skipped: int = 0
    next: Checkpoint | None = None
    hashes: Mapping[str, bytes] | None = None
    """By external id; None: not known yet."""
    mapped: MappedBatch | None = None
    """Every living record; None: those that have to be are mapped when it is known which."""

    @classmethod
    def of(cls, pages: Sequence[Page]) -> "Delivery":
        newest: dict[str, ExternalRecord] = {}
        errors = [error for page in pages for error in page.errors]
        skipped = 0
        for record in (record for page in pages for record in page.records):
            if not record.external_id or "\0" in record.external_id:
                fault = "an external id with a NUL character" if record.external_id else "no external id"
                errors.append(RecordError(None, "fetch", "no_external_id", f"the source sent {fault}", record.fields))
                continue
            other = newest.get(record.external_id)
            skipped += other is not None
            if other is None or _is_newer(record, other):
                newest[record.external_id] = record
        return cls(list(newest.values()), errors, skipped, pages[-1].next)

    def halves(self) -> "tuple[Delivery, Delivery]":
        """Return half of the living records, and the rest with all that counts once: deletes are staged with it."""
        live = [record for record in self.records if not record.is_deleted]
        first = live[: (len(live) + 1) // 2]
        taken = {record.external_id for record in first}
        return Delivery(first), evolve(self, records=[r for r in self.records if r.external_id not in taken])


def _is_newer(record: ExternalRecord, other: ExternalRecord) -> bool:
    if record.modified_at is None or other.modified_at is None:
        return True
    return record.modified_at >= other.modified_at


@define
class Batches:
    """Applies the batches of one entity map. `position` is the last committed one, `counts` what this run did so far."""

    context: SyncContext
    plan: MappingPlan
    stages: Stages
    store: Store
    lease: Lease
    position: Position
    decider: Decider
    references: References
    failure_share: float = 0.5
    failure_floor: int = 200
    failure_hint: str = "the mapping is probably wrong: see `mj preview`"
    counts: Counts = field(factory=Counts)
    errors: list[RecordError] = field(factory=list)
    """The first ten of this run."""
    retried: Counts = field(factory=Counts)
    """What became of failed records of earlier runs: they count apart."""
    is_repair: bool = False
    """What is unchanged at the source is compared with its row, too."""
    _is_retry: bool = False
    _uncounted: Counts = field(factory=Counts)
    """Of parts that are committed, while the rest of their delivery is not."""
    _is_eager: bool = False
    """Most records of the last batch had to be mapped: map those of the next one before its turn."""
    has_failed: bool = False
    """The failed-record ledger may hold entries that a success clears."""
    starts_window: bool = False
    """No batch of the window is committed yet."""
    has_conflicts: bool = False
    """The conflict queue may hold records that have become one again."""
    has_staged: bool = False
    """Deletes may be staged of records that come alive again in the same window."""
    has_unresolved: bool = False
    """Records may wait for the second pass that need not any more."""

    def prepare(self, pages: Sequence[Page]) -> Delivery:
        """Return what the pages delivered, with what can be known of it before its turn; another thread may ask."""
        delivery = Delivery.of(pages)
        live = [record for record in delivery.records if not record.is_deleted]
        mapped = self._map(live, delivery.next) if self._is_eager else None
        return evolve(delivery, hashes=self._hashes(delivery.records), mapped=mapped)

    def _hashes(self, records: Sequence[ExternalRecord]) -> Mapping[str, bytes]:
        return dict(zip([record.external_id for record in records], self.plan.hashes(records), strict=True))

    def _map(self, records: Sequence[ExternalRecord], checkpoint: Checkpoint | None) -> MappedBatch:
        if not records:
            return MappedBatch(())
        return self.stages.transform(self.context, self.plan, Batch(records, checkpoint))

    def apply(self, delivery: Delivery, position: Position) -> None:
        """Commit what was delivered, and `position` with the last of it."""
        self._apply(delivery, position)

    def retry(self, records: Sequence[ExternalRecord]) -> None:
        """Commit records of the ledger; they count in `retried`."""
        self._is_retry = True
        try:
            self._apply(Delivery(records), self.position)
        finally:
            self._is_retry = False

    def _apply(self, delivery: Delivery, position: Position, *, is_part: bool = False) -> None:
        """Commit a delivery. `is_part`: the rest follows and counts for both: broken off between, all of it comes again."""
        for _ in range(ATTEMPTS):
            write, deferred = self.decide(delivery, position)
            if deferred:
                later = {record.external_id for record in deferred}
                rest = [r for r in delivery.records if r.is_deleted or r.external_id in later]
                now = [r for r in delivery.records if not r.is_deleted and r.external_id not in later]
                self._apply(Delivery(now), self.position, is_part=True)
                self._apply(evolve(delivery, records=rest), position, is_part=is_part)
                return
            try:
                self._commit(write, is_part=is_part)
            except RowsMoved:
                continue
            except RowRefused as refused:
                self._isolate(delivery, position, refused, is_part=is_part)
            return
        raise MJError(f"{self.context.entity.table}: rows changed under {ATTEMPTS} attempts to write one batch; nothing was lost")

    def _isolate(self, delivery: Delivery, position: Position, refused: RowRefused, *, is_part: bool) -> None:
        """Set aside what only the database refuses: as the store names it, else found by halves."""
        named = [
            RecordError(r.external_id, "persist", "refused", refused.refused[r.external_id], r.fields)
            for r in delivery.records
            if r.external_id in refused.refused
        ]
        if named:
            others = [record for record in delivery.records if record.external_id not in refused.refused]
            self._apply(Delivery(others, (*delivery.errors, *named), delivery.skipped), position, is_part=is_part)
        elif len(delivery.records) > 1:
            first, rest = delivery.halves()
            self._apply(first, self.position, is_part=True)
            self._apply(rest, position, is_part=is_part)
        elif delivery.records:
            record = delivery.records[0]
            error = RecordError(record.external_id, "persist", "refused", str(refused), record.fields)
            self._apply(Delivery((), (*delivery.errors, error), delivery.skipped), position, is_part=is_part)
        else:
            raise refused

    def decide(self, delivery: Delivery, position: Position) -> tuple[BatchWrite, Sequence[ExternalRecord]]:
        """Return what to write, and the records that must be matched again once it is written."""
        ids = [record.external_id for record in delivery.records]
        hashes = self._hashes(delivery.records) if delivery.hashes is None else delivery.hashes
        staged = self.store.staged(self.context, "deleted", ids) if self.has_staged and not self.starts_window else {}
        records = delivery.records if self._is_eager or staged or self.is_repair else self._differing(delivery.records, hashes)
        known = self.store.last_seen(self.context, [record.external_id for record in records]) if records else {}
        triage = Triage(known, hashes, staged, self.position.since is None, self.is_repair)
        triage.unchanged = len(ids) - len(records)
        triage.sort(records)
        mapped = self._mapped(delivery, triage.todo)
        errors = [*delivery.errors, *mapped.errors]
        todo, unresolved = self.references.resolve(mapped.records)
        linked = [record.source.external_id for record in todo if record.source.external_id in known]
        outcome = self.decider.decide(todo, self.store.links(self.context, linked) if linked else {}, hashes)
        errors += outcome.errors
        counts = Counts(
            created=outcome.created,
            updated=outcome.updated,
            unchanged=triage.unchanged + outcome.unchanged,
            skipped=delivery.skipped + self._unapplied() + triage.skipped + outcome.skipped,
            conflicted=len(outcome.conflicts),
            errored=len(errors),
        )
        queued = {conflict.external_id for conflict in outcome.conflicts}
        failed = {error.external_id for error in errors if error.external_id is not None}
        lost = {error.external_id: None for error in delivery.errors}
        if None in lost:
            position = evolve(position, has_gaps=True)
        write = BatchWrite(
            changes=in_order(outcome.changes),
            links=outcome.links,
            failed=errors,
            cleared=[i for i in ids if i not in failed] if self.has_failed else [],
            conflicts=outcome.conflicts,
            counts=evolve(counts, processed=sum(counts.as_tuple())),
            position=position,
            starts_window=self.starts_window,
            seen=[i for i in (*ids, *lost) if i and i not in triage.deletes] if self.position.is_full else (),
            staged_deletes=triage.deletes,
            unstaged=triage.revived,
            unresolved=sorted(unresolved - failed),
            settled=[i for r in todo if (i := r.source.external_id) not in queued] if self.has_conflicts else (),
            resolved=[i for r in todo if (i := r.source.external_id) not in unresolved] if self.has_unresolved else (),
        )
        return write, outcome.deferred

    def _differing(self, records: Sequence[ExternalRecord], hashes: Mapping[str, bytes]) -> list[ExternalRecord]:
        """Return the records that are not just as they were last seen: of the others nothing needs to be read."""
        seen = {r.external_id: LastSeen(hashes[r.external_id], r.modified_at, False) for r in records if not r.is_deleted}
        differing = set(self.store.differing(self.context, seen))
        return [record for record in records if record.is_deleted or record.external_id in differing]

    def _mapped(self, delivery: Delivery, todo: Sequence[ExternalRecord]) -> MappedBatch:
        """Return the records that have to be decided, mapped by now if they were not before."""
        self._is_eager = 2 * len(todo) > len(delivery.records)
        if delivery.mapped is None:
            return self._map(todo, delivery.next)
        wanted, mapped = {record.external_id for record in todo}, delivery.mapped
        if len(wanted) == len(mapped.records) + len(mapped.errors):
            return mapped
        return MappedBatch(
            [record for record in mapped.records if record.source.external_id in wanted],
            [error for error in mapped.errors if error.external_id in wanted],
        )

    def _unapplied(self) -> int:
        """Return how many deletes an earlier window staged that goes on no more: they are told anew if they still hold."""
        return sum(1 for _ in self.store.staged_deletes(self.context)) if self.starts_window and self.has_staged else 0

    def _commit(self, write: BatchWrite, *, is_part: bool = False) -> None:
        decided = write.counts + self._uncounted
        counted = Counts() if is_part or self._is_retry else decided
        counts = self.stages.persist(self.context, self.store, evolve(write, counts=counted), self.lease)
        self._uncounted = decided if is_part else Counts()
        self.has_staged = (self.has_staged and not write.starts_window) or bool(write.staged_deletes)
        self.position, self.starts_window = write.position, False
        self.counts += counts
        if self._is_retry and not is_part:
            self.retried += decided
        self.errors += write.failed[: max(0, 10 - len(self.errors))]
        self.has_failed = self.has_failed or bool(write.failed)
        self.has_conflicts = self.has_conflicts or bool(write.conflicts)
        self.has_unresolved = self.has_unresolved or bool(write.unresolved)
        self.stages.tell("mj_batch_done", context=self.context, counts=counts)
        done = self.counts
        if done.processed >= self.failure_floor and done.errored > self.failure_share * done.processed:
            raise TooManyFailures(
                f"{done.errored} of {done.processed} records failed, the last with: {self.errors[-1].message}; "
                f"{self.failure_hint}"
            )

    def write(self, write: BatchWrite) -> None:
        """Commit what was decided elsewhere, such as deletes."""
        self._commit(write)
