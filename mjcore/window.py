"""One window of one entity map: where it starts and ends, and its pages, read ahead, repeated and never twice."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, Queue
from threading import Thread

from attrs import define, evolve, field

from mjcore.errors import ProviderError
from mjcore.records import Checkpoint, FetchRequest, Page, Position, Watermark

DRAINED: Checkpoint = {"mjcore": "drained"}
"""The kernel's own checkpoint: every page is applied, deletes are still to do. Never shown to a provider."""

Fetch = Callable[[FetchRequest], Page]


def open_window(
    stored: Position,
    *,
    run_id: str,
    map_version: int,
    until: Watermark | None,
    overlap: timedelta,
    full: bool,
    initial_since: datetime | None,
) -> Position:
    """Return the window to read: the stored one where a run broke off, else a new one that ends at the source's now.

    A changed mapping restarts the window; a full read that was asked for does not continue a partial one.
    """
    if stored.checkpoint is not None and stored.map_version == map_version and (stored.is_full or not full):
        return evolve(stored, run_id=run_id)
    since = None if full or until is None else stored.watermark
    is_full = since is None
    if since is not None and since.type == "Timestamp":
        since = Watermark("Timestamp", (since.instant - overlap).isoformat())
    elif is_full and initial_since is not None and until is not None and stored.watermark is None:
        since, is_full = Watermark("Timestamp", initial_since.isoformat()), False
    return Position(stored.watermark, run_id, map_version, since, until, None, is_full)


@define
class Pages:
    """Reads a window from a checkpoint on, in a thread of its own that stays a few pages ahead.

    Iterating yields lists of pages: what has arrived, up to about `batch_size` records, so that a quick source is applied
    in large batches and a slow one without delay.
    """

    fetch: Fetch
    request: FetchRequest
    batch_size: int
    pages_ahead: int
    is_closed: bool = field(default=False, init=False)
    """Asked to stop: the reader ends after the call it is in."""
    _tortoise: Checkpoint | None = field(default=None, init=False)
    _power: int = field(default=1, init=False)
    _steps: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[list[Page]]:
        arrived: Queue[Page | BaseException] = Queue(self.pages_ahead)
        reader = Thread(target=self._read, args=(arrived,), name="mj-prefetch", daemon=True)
        reader.start()
        try:
            more = True
            while more:
                pages = [_page(arrived.get())]
                while pages[-1].next is not None and sum(len(p.records) for p in pages) < self.batch_size:
                    try:
                        item = arrived.get_nowait()
                    except Empty:
                        break
                    if isinstance(item, BaseException):
                        yield pages  # what came before the failure is applied first
                    pages.append(_page(item))
                more = pages[-1].next is not None
                yield pages
        finally:
            self.is_closed = True
            while reader.is_alive():
                with suppress(Empty):
                    arrived.get_nowait()
                reader.join(0.01)

    def _read(self, arrived: "Queue[Page | BaseException]") -> None:
        try:
            while not self.is_closed:
                page = self.fetch(self.request)
                if page.next is not None:
                    self._refuse_repetition(page.next)
                    self.request = evolve(self.request, checkpoint=page.next)
                arrived.put(page)
                if page.next is None:
                    return
        except BaseException as error:  # noqa: BLE001 - raised where the pages are used
            arrived.put(error)

    def _refuse_repetition(self, checkpoint: Checkpoint) -> None:
        """Find a source that goes in circles, of any length, in flat memory (Brent's cycle detection)."""
        if checkpoint in (self._tortoise, self.request.checkpoint):
            raise ProviderError(
                f"{self.request.object_name}: the source repeats itself: it leads back to a page that was read already. "
                "The watermark stays; nothing that was delivered is lost"
            )
        self._steps += 1
        if self._steps == self._power:
            self._tortoise, self._power, self._steps = checkpoint, self._power * 2, 0


def _page(item: Page | BaseException) -> Page:
    if isinstance(item, BaseException):
        raise item
    return item
