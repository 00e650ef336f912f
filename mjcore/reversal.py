"""The run that reverses another one: its changes are turned back newest first, in batches, each in one transaction."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from attrs import define, evolve, field, frozen

from mjcore.cancel import Stop
from mjcore.chunks import chunks
from mjcore.errors import ConfigError, LeaseLost, MJError, RowRefused, RowsMoved
from mjcore.heartbeat import LEASE, kept
from mjcore.history import RecordChange
from mjcore.holder import is_gone, this_process
from mjcore.ids import new_id
from mjcore.models import CompanyIntegration, ConnectionMetadata, EntityMap, IntegrationRun, IntegrationRunDetail, SyncContext
from mjcore.notices import keep
from mjcore.pausing import ENTITY_MAP, UNDO, last_run, pause
from mjcore.progress import Progress, ProgressListener
from mjcore.records import BatchWrite, Counts, Lease, Position, Watermark
from mjcore.results import SyncResult
from mjcore.unwinding import Skipped, Unwinder, Unwound

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

BATCH = 1000
LISTED = 20
ATTEMPTS = 10
"""How often a batch is decided anew because rows moved under it."""


@frozen
class UndoResult:
    """What an undo did, or with `is_dry_run` would do."""

    run_id: str
    """Of the undo itself; empty for a dry run."""
    undone_run_id: str
    status: Literal["Completed", "Cancelled"]
    removed: int
    """Rows that the run had created."""
    reverted: int
    """Updates whose old values are back."""
    recreated: int
    """Rows that the run had deleted."""
    unchanged: int
    """Changes that were taken back before."""
    skipped: int
    skips: tuple[Skipped, ...]
    """The first 20."""
    is_dry_run: bool = False


@define
class Part:
    """What the undone run did to one entity map, and how far that is turned back."""

    context: SyncContext
    position: Position
    """Where the undo leaves the map: the watermark goes back before the first row does."""
    began: float = field(factory=time.monotonic)
    counts: Counts = field(factory=Counts)
    earliest: int = 0
    """The id of its earliest change that is read so far."""


@define
class Reversal:
    """Reverses one run, or `only` one entity map of it. Broken off, it is continued when it is asked for again."""

    kernel: "Kernel"
    run: IntegrationRun
    undone: frozenset[str]
    """With the later runs that are reversed too."""
    progress: ProgressListener
    is_dry_run: bool
    only: str | None = None
    parts: dict[str, Part] = field(factory=dict)
    skips: list[Skipped] = field(factory=list)
    metadata: ConnectionMetadata = field(init=False)
    me: IntegrationRun = field(init=False)
    lease: Lease | None = None

    def __attrs_post_init__(self) -> None:
        found = self.kernel.store.load(CompanyIntegration, id=self.run.company_integration_id)
        if not found:
            raise ConfigError(f"run {self.run.id}: its connection is gone, so it cannot be reversed")
        (self.metadata,) = self.kernel.connections(found[0].name)
        undoes = {UNDO: self.run.id} | ({ENTITY_MAP: self.only} if self.only else {})
        now = self.kernel.now()
        self.me = IntegrationRun("", found[0].id, self.run.direction, "Running", now, "Manual", configuration=undoes)

    @property
    def is_undo(self) -> bool:
        return UNDO in self.run.configuration

    def execute(self) -> UndoResult:
        """Reverse. Raises `ConfigError`, `LeaseHeld`, `LeaseLost` and what else stops it; what is done by then stays."""
        for detail in self._details():
            self._entity_map(detail.entity_map_id)  # refused before anything is written
        if self.is_dry_run:
            self._walk(lambda: False)
            return self._result("Completed")
        store = self.kernel.store
        lease = self.lease = store.acquire(self.metadata.connection, this_process(), LEASE, is_gone)
        with kept(store, lease):
            self._begin(lease)
            try:
                is_whole = self._walk(Stop(store, lease, lambda: False))
            except LeaseLost:
                raise
            except MJError as error:
                self._end("Failed", lease, str(error))
                raise
            self._end("Completed" if is_whole else "Cancelled", lease)
        return self._result("Completed" if is_whole else "Cancelled")

    def _walk(self, is_stopped: Callable[[], bool]) -> bool:
        """Turn every change back; return whether it came to the end."""
        where = {"run_id": self.run.id} | ({"entity_map_id": self.only} if self.only else {})
        for changes in _batches(self.kernel.store.changes(newest_first=True, **where)):
            if is_stopped():
                return False
            part = self._part(changes[0].entity_map_id)
            part.earliest = changes[-1].id
            self._turn(part, changes)
            self._tell(part)
        if not self.is_dry_run:
            for part in self.parts.values():
                self._unlink(part)
        return True

    # --- one batch ----------------------------------------------------------------------------------------

    def _turn(self, part: Part, changes: Sequence[RecordChange]) -> None:
        for _ in range(ATTEMPTS):
            unwound = self._unwinder(part).decide(changes)
            try:
                self._write(part, unwound)
            except RowsMoved:
                continue
            except RowRefused as refused:
                if len(changes) == 1:
                    (change,) = changes
                    skipped = Skipped(part.context.entity.name, change.key, change.external_id, str(refused))
                    self._write(part, Unwound(skipped=[skipped]))
                    return
                middle = len(changes) // 2
                self._turn(part, changes[:middle])
                self._turn(part, changes[middle:])
            return
        raise MJError(f"{part.context.entity.table}: rows changed under {ATTEMPTS} attempts to write one batch")

    def _unwinder(self, part: Part) -> Unwinder:
        return Unwinder(self.kernel.store, part.context, self.undone, self.is_undo)

    def _write(self, part: Part, unwound: Unwound) -> None:
        counts = unwound.counts
        if self.lease is not None:
            changes, links, gone = unwound.changes, unwound.links, unwound.unlinked
            write = BatchWrite(changes, links, (), (), (), counts, part.position, resolved=gone, unlinked=gone)
            self.kernel.stages.persist(part.context, self.kernel.store, write, self.lease)
            self.kernel.stages.tell("mj_batch_done", context=part.context, counts=counts)
        part.counts += counts
        self.skips += unwound.skipped[: LISTED - len(self.skips)]

    def _unlink(self, part: Part) -> None:
        """Remove links that the run made without writing their rows; those whose changes stay keep their rows."""
        store, unwinder = self.kernel.store, self._unwinder(part)
        for links in chunks(store.live_links(part.context, made_by=self.run.id), BATCH):
            trails = unwinder.trails([link.key for link in links], part.earliest - 1) if part.earliest else {}
            written = {c.external_id for trail in trails.values() for c in trail if c.run_id == self.run.id}
            self._write(part, Unwound(unlinked=[link.external_id for link in links if link.external_id not in written]))

    def _tell(self, part: Part) -> None:
        name, entity = part.context.entity_map.external_object_name, part.context.entity.name
        seconds = time.monotonic() - part.began
        self.progress(Progress(self.me.id, self.metadata.name, name, entity, part.counts, None, seconds))

    # --- what is recorded ---------------------------------------------------------------------------------

    def _begin(self, lease: Lease) -> None:
        """Pause the connection and take the watermarks back, so that nothing that follows depends on how this ends."""
        store = self.kernel.store
        (connection,) = store.load(CompanyIntegration, id=self.metadata.connection.id)
        last = last_run(store, connection)
        paused, note = pause(connection, last)
        undoes = {**self.me.configuration, **note}
        is_mine = last is not None and last.status != "Completed" and {**last.configuration, **note} == undoes
        self.me = evolve(self.me, id=last.id if last and is_mine else new_id(), configuration=undoes)
        counted = store.load(IntegrationRunDetail, integration_run_id=self.me.id)
        store.save([paused, self.me], counted, lease)  # counted anew from the start
        for detail in self._details():
            part = self._part(detail.entity_map_id, detail)
            self._write(part, Unwound())

    def _details(self) -> list[IntegrationRunDetail]:
        details = self.kernel.store.load(IntegrationRunDetail, integration_run_id=self.run.id)
        return [detail for detail in details if self.only in (None, detail.entity_map_id)]

    def _part(self, of: str, undone: IntegrationRunDetail | None = None) -> Part:
        """`undone` is what the run recorded about a map; about one that only its second pass wrote to it did not."""
        if of not in self.parts:
            entity_map, metadata, me = self._entity_map(of), self.metadata, self.me
            names = (metadata.name, metadata.company.name, entity_map)
            context = SyncContext(me.id, *names, me.direction, "Manual", me.started_at, me.company_integration_id)
            stored = self.kernel.store.position(context).watermark
            back = rewound(stored, undone) if undone is not None and not self.is_undo else stored
            self.parts[of] = Part(context, Position(back))
            if self.lease is not None:
                ends = (watermark.value if watermark else None for watermark in (stored, back))
                before, after = ends
                detail = IntegrationRunDetail(
                    new_id(), me.id, of, "Running", self.kernel.now(), watermark_before=before, watermark_after=after
                )
                self.kernel.store.save([detail], lease=self.lease)
                self.kernel.stages.tell("mj_run_started", context=context)
        return self.parts[of]

    def _entity_map(self, of: str) -> EntityMap:
        found = self.kernel.store.load(EntityMap, id=of)
        if not found:
            raise ConfigError(f"run {self.run.id}: its entity map {of} is gone, so what it wrote cannot be told")
        return found[0]

    def _end(self, status: Literal["Completed", "Failed", "Cancelled"], lease: Lease, error: str | None = None) -> None:
        store, now = self.kernel.store, self.kernel.now()
        details = store.load(IntegrationRunDetail, integration_run_id=self.me.id)
        (me,) = store.load(IntegrationRun, id=self.me.id)
        ended = evolve(me, status=status, completed_at=now, error_message=error)
        store.save([*(evolve(d, status=status, completed_at=now) for d in details), ended], lease=lease)
        counts = sum((part.counts for part in self.parts.values()), Counts())
        result = SyncResult(me.id, self.metadata.name, status, counts, me.direction, me.started_at, now, error=error)
        for part in list(self.parts.values())[-1:]:
            self.kernel.stages.tell("mj_run_finished", context=part.context, result=result)
            if notes := self.kernel.stages.noted.taken(me.id):
                keep(store, me.id, part.context.entity_map.id, notes)

    def _result(self, status: Literal["Completed", "Cancelled"]) -> UndoResult:
        all_ = sum((part.counts for part in self.parts.values()), Counts())
        numbers = (all_.deleted, all_.updated, all_.created, all_.unchanged, all_.skipped)
        return UndoResult(self.me.id, self.run.id, status, *numbers, tuple(self.skips), self.is_dry_run)


def _batches(changes: Iterable[RecordChange]) -> Iterator[list[RecordChange]]:
    """Cut where a row or a record comes for the second time; of what is left, yield one kind of one entity map at a time."""
    for some in chunks(changes, BATCH):
        groups: dict[tuple[str, str], list[RecordChange]] = {}
        seen: set[tuple[object, ...]] = set()
        for change in some:
            names = {(change.entity_id, *change.key), (change.entity_map_id, change.external_id)}
            if not seen.isdisjoint(names):
                yield from groups.values()
                groups, seen = {}, set()
            seen |= names
            groups.setdefault((change.entity_map_id, change.kind), []).append(change)
        yield from groups.values()


def rewound(stored: Watermark | None, undone: IntegrationRunDetail) -> Watermark | None:
    """Return where the next window starts: never later than it would have. What cannot be compared is read in full."""
    if stored is None or undone.watermark_before is None:
        return None
    before = Watermark(stored.type, undone.watermark_before)
    if stored.type == "Timestamp":
        return min(stored, before, key=lambda watermark: watermark.instant)
    return before if stored.value in (undone.watermark_before, undone.watermark_after) else None
