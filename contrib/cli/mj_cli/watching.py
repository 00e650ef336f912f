"""How far a sync is: bars with records per second on a terminal, a line now and then elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from mj_cli.output import plain
from mjcore.progress import Progress, ProgressListener

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

EVERY = 5.0
"""Seconds between two lines about one entity map."""


@contextmanager
def watching(console: Console, *, several: bool) -> Iterator[ProgressListener]:
    """Yield a listener that any thread may call. `several`: connections are named too."""
    if not console.is_terminal:
        yield Lines(console)
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[read]}", justify="right", markup=False),
        console=console,
        expand=True,
        redirect_stdout=False,
    ) as bars:
        listener = Drawn(bars, several=several)
        yield listener
        listener.finish()


class Lines:
    """Prints the first word about an entity map, its last, and one every few seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        now, done = time.monotonic(), progress.counts.processed
        key = (progress.connection, progress.external_object_name, progress.entity)
        with self._lock:
            when, before = self._printed.get(key, (now - EVERY, -1))
            is_end = done == progress.total and done != before
            if now - when < EVERY and not is_end:
                return
            self._printed[key] = (now, done)
        self._console.print(plain(str(progress)), soft_wrap=True)


class Drawn:
    """Draws one bar per entity map; it pulses while the total is unknown."""

    def __init__(self, bars: "Bars", *, several: bool) -> None:
        self._bars, self._several = bars, several
        self._tasks: dict[tuple[str, str, str], TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        key = (progress.connection, progress.external_object_name, progress.entity)
        with self._lock:
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task(self._title(progress), total=progress.total, read="")
        if progress.waiting:  # the whole reason above the bars, the short form within
            self._bars.console.print(plain(f"{progress.external_object_name}: {progress.waiting}"), soft_wrap=True)
        self._bars.update(self._tasks[key], completed=progress.counts.processed, total=progress.total, read=_read(progress))

    def _title(self, progress: Progress) -> str:
        title = f"{progress.external_object_name} → {progress.entity}"
        return plain(f"{progress.connection}: {title}" if self._several else title)

    def finish(self) -> None:
        """Stop what pulses."""
        for task in self._bars.tasks:
            self._bars.update(task.id, total=task.completed)


def _read(progress: Progress) -> str:
    """Return how many records were read, of how many, and how fast or why not."""
    done = progress.counts.processed
    waiting = plain(progress.waiting).partition(":")[0]
    if progress.total == 0 and not done:
        return waiting or "nothing new"
    of = f"/{progress.total:,}" if progress.total is not None else ""
    rate = f"{done / progress.seconds:,.0f}/s" if progress.seconds > 0 else ""
    return f"{done:,}{of} {waiting or rate}"
