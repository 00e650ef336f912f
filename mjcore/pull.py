"""One entity map of a run: its window, its batches, its deletes, and what it reports."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import define, evolve, field

from mjcore.ahead import Ahead
from mjcore.answers import Answers
from mjcore.batch import Batches
from mjcore.capabilities import ProviderType, Source
from mjcore.deletion import Deletes
from mjcore.drift import Drift
from mjcore.errors import CheckpointExpired, ConfigError, WatermarkExpired
from mjcore.models import ExternalSchema, RunRequest, SyncContext
from mjcore.progress import Progress, ProgressListener
from mjcore.records import BatchWrite, Counts, FetchRequest, Page, Position, Watermark
from mjcore.remapping import Remapping
from mjcore.retry import Cancelled, Patience, Repeater
from mjcore.retrying import Retries
from mjcore.window import DRAINED, Pages, open_window
from mjcore.wording import counted

BATCH_SIZE = 1000
SWEPT = ("record that the source no longer has was dealt with", "records that the source no longer has were dealt with")
RESTARTS = 3
"""How often a window is read again from its start because the source lost its cursor."""


@define
class Pull:
    """Pulls one entity map. Whatever ends it early leaves the position at the last committed batch."""

    context: SyncContext
    request: RunRequest
    provider: ProviderType[Any, Any]
    source: Source
    batches: Batches
    patience: Patience
    now: Callable[[], datetime]
    progress: ProgressListener
    began: float = field(factory=time.monotonic)
    total: int | None = None
    delivered: int = 0
    notes: list[str] = field(factory=list)
    repeat: Repeater = field(init=False)
    _pages: Pages | None = None
    _told: tuple[Counts, int | None] | None = None
    _is_checked: bool = False
    _is_continued: bool = False
    """Part of the window was read by a run that was broken off."""

    def __attrs_post_init__(self) -> None:
        self.repeat = Repeater(self.patience, self.context.is_cancelled, self.tell)

    def run(self) -> None:
        """Read the window to its end, apply deletes, and advance the watermark; or only what the mode asks for."""
        if self.request.mode in ("remap", "retry"):
            self._rework()
            return
        stored = self.batches.position
        if stored.closed_by == self.context.run_id and not self.is_reread:
            return  # read to its end, and broken off before the run could say so
        full = self.request.full
        for _ in range(RESTARTS):
            window = self._open(stored, full=full)
            try:
                window = self._drain(window)
            except WatermarkExpired as error:
                self.notes.append(f"read in full: {error}")
                stored, full = Position(), True
            except CheckpointExpired as error:
                self.notes.append(f"window read again from its start: {error}")
                stored = evolve(stored, checkpoint=None)
            else:
                self._finish(window)
                return
        raise CheckpointExpired(f"{self.context.entity_map.external_object_name}: the source lost its cursor {RESTARTS} times")

    def _rework(self) -> None:
        """Do without a window."""
        if self.request.mode == "remap":
            Remapping(self.batches).run()
        else:
            self._catch_up()
            self._deletes().apply(sweep=False)
        self.tell()

    def _catch_up(self, *, is_complete: bool = False) -> None:
        """Try what failed in earlier runs, and act on what people have answered."""
        retries = Retries(self.batches, self.source, self.repeat, self._deletes(), is_complete=is_complete)
        done = (retries.run(), Answers(self.batches, self._deletes(), self.now).run())
        self.notes += [note for note in done if note]

    def _deletes(self) -> Deletes:
        return Deletes(self.batches, self.now, self.request.allow_deletes)

    def _check_fields(self) -> None:
        """Compare the fields that are read with those that the source has, before the first page is applied."""
        if self._is_checked:
            return
        context, batches = self.context, self.batches
        name = context.entity_map.external_object_name
        known = batches.store.load(ExternalSchema, company_integration_id=context.connection_id, object_name=name)
        fields = self.repeat(lambda: batches.stages.discover_fields(self.source, name))
        drift = Drift.of(context, known[0] if known else None, fields)
        self.notes += drift.notes(batches.plan)
        problems = drift.problems(batches.plan)
        if problems and self.provider.discovers == "schema":
            raise ConfigError(*problems)
        if seen := drift.seen(self.now()):
            batches.store.save([seen], lease=batches.lease)
        self._is_checked = True

    @property
    def is_reread(self) -> bool:
        """A window that was asked for leaves the stored position alone."""
        return self.request.since is not None

    def _open(self, stored: Position, *, full: bool) -> Position:
        context, entity_map = self.context, self.context.entity_map
        until = self.repeat(lambda: self.source.high_watermark(entity_map.external_object_name))
        if self.is_reread:
            since = Watermark("Timestamp", self.request.since or "")
            end = Watermark("Timestamp", self.request.until) if self.request.until else until
            return Position(stored.watermark, context.run_id, entity_map.version, since, end)
        window = open_window(
            stored,
            run_id=context.run_id,
            map_version=entity_map.version,
            until=until,
            overlap=self.provider.overlap,
            full=full,
            initial_since=entity_map.initial_since,
        )
        if window.is_full and window.checkpoint is None and not self._has_records():
            window = evolve(window, is_full=False)  # nothing is known: nothing can be gone
        self.batches.position, self.batches.starts_window = window, window.checkpoint is None
        self._is_continued = self._is_continued or window.checkpoint is not None
        return window

    def _has_records(self) -> bool:
        return self.batches.has_failed or self.batches.store.count_links(self.context) > 0

    def _drain(self, window: Position) -> Position:
        """Apply every page that is left; return the window at its end."""
        if window.checkpoint == DRAINED:
            self._check_fields()
            return window
        pages = self._pages = Pages(self._fetch, self._first_request(window), BATCH_SIZE, self._pages_ahead())
        # what comes next is hashed and mapped while the database works
        deliveries = Ahead(((some, self.batches.prepare(some)) for some in pages), 1, "mj-prepare")
        try:
            self._check_fields()  # while the first pages are on their way
            for arrived, delivery in deliveries:
                if self.context.is_cancelled():
                    raise Cancelled("cancelled; the next run goes on from here")
                self._note(arrived)
                last = arrived[-1]
                window = evolve(window, checkpoint=last.next or DRAINED, until=last.watermark or window.until)
                self.batches.apply(delivery, self.batches.position if self.is_reread else window)
                window = evolve(window, has_gaps=self.batches.position.has_gaps)
                self.tell()
        finally:
            pages.close()
            deliveries.close()
        return window

    def _first_request(self, window: Position) -> FetchRequest:
        name = self.context.entity_map.external_object_name
        fields = self.batches.plan.source_fields
        return FetchRequest(name, fields, window.since, window.until, window.checkpoint, self.provider.page_size)

    def _pages_ahead(self) -> int:
        return max(2, 2 * BATCH_SIZE // self.provider.page_size)

    def _fetch(self, request: FetchRequest) -> Page:
        stages, repeat = self.batches.stages, evolve(self.repeat, is_cancelled=self.is_stopped)
        return repeat(lambda: stages.fetch(self.context, self.source, request))

    def is_stopped(self) -> bool:
        """The reader thread need not go on."""
        return self.context.is_cancelled() or (self._pages is not None and self._pages.is_closed)

    def _note(self, pages: list[Page]) -> None:
        self.delivered += sum(not record.is_deleted for page in pages for record in page.records)
        self.delivered += sum(len(page.errors) for page in pages)
        if self.total is None:
            self.total = pages[0].total

    def _finish(self, window: Position) -> None:
        sweep = window.is_full and not window.has_gaps and not self.is_reread
        if window.is_full and window.has_gaps:
            self.notes.append("no sweep for deletes: some records could not be read, so their ids are unknown")
        self._catch_up(is_complete=sweep)
        deletes = self._deletes()
        deletes.apply(sweep=sweep)
        if deletes.swept:
            self.notes.append(counted(deletes.swept, *SWEPT))
        if self.total is not None and self.total != self.delivered and not self._is_continued:
            self.notes.append(f"the source announced {self.total} records and delivered {self.delivered}")
        if not self.is_reread:
            watermark = window.until or window.watermark
            self.batches.write(_closing(Position(watermark, closed_by=self.context.run_id)))
        self.tell()

    def close(self) -> None:
        """End what the steps of the mapping opened."""
        self.batches.plan.close()
        self.batches.decider.versions.close()

    def tell(self, waiting: str = "") -> None:
        """Report progress."""
        context = self.context
        if not waiting and self._told == (self.batches.counts, self.total):
            return
        self._told = (self.batches.counts, self.total)
        self.progress(
            Progress(
                context.run_id,
                context.connection,
                context.entity_map.external_object_name,
                context.entity.name,
                self.batches.counts,
                self.total,
                time.monotonic() - self.began,
                waiting,
            )
        )


def _closing(position: Position) -> BatchWrite:
    return BatchWrite((), (), (), (), (), Counts(), position, ends_window=True)
