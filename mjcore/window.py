"""One window of one entity map: where it starts and ends, and its pages, read ahead, repeated and never twice."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from attrs import define, evolve, field

from mjcore.ahead import Ahead
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
    _reader: Ahead[Page] | None = field(default=None, init=False)
    _tortoise: Checkpoint | None = field(default=None, init=False)
    _power: int = field(default=1, init=False)
    _steps: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[list[Page]]:
        reader = self._reader = Ahead(self._read(), self.pages_ahead, "mj-prefetch")
        try:
            for first in reader:
                pages = [first]
                while sum(len(page.records) for page in pages) < self.batch_size and (page := reader.arrived()):
                    pages.append(page)
                yield pages
        finally:
            self.close()

    def close(self) -> None:
        """End the reader; also while another thread iterates."""
        self.is_closed = True
        if self._reader is not None:
            self._reader.close()

    def _read(self) -> Iterator[Page]:
        while not self.is_closed:
            page = self.fetch(self.request)
            if page.next is not None:
                self._refuse_repetition(page.next)
                self.request = evolve(self.request, checkpoint=page.next)
            yield page
            if page.next is None:
                return

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
