"""What a purge removes, while it does and afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from mj_cli.moments import local
from mj_cli.output import plain
from mjcore.history import Purged
from mjcore.purging import PurgeListener, PurgeResult
from mjcore.wording import counted


@contextmanager
def removing(console: Console, connection: str) -> Iterator[PurgeListener]:
    """Yield a listener that draws a bar on a terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), MofNCompleteColumn())
    with Progress(*columns, console=console, expand=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(plain(connection), total=None)

        def show(done: Purged, total: int) -> None:
            bars.update(task, completed=done.total, total=total)

        yield show


def report(result: PurgeResult) -> Iterator[RenderableType]:
    """Yield what was removed, or would be, and what follows from it."""
    done = "would be removed" if result.is_dry_run else "removed"
    yield Text(plain(f"{result.connection}: {told(result.purged)} from before {local(result.before)} {done}"), "bold")
    if result.status == "Cancelled":
        yield Text("stopped before its end: once more goes on from here", "yellow")
    if not result.is_dry_run:
        yield Text("runs that began before then can no longer be undone")


def told(purged: Purged) -> str:
    """Return the counts in words."""
    kinds = {
        "record change": purged.changes,
        "failed record": purged.failed_records,
        "conflict": purged.conflicts,
        "run": purged.runs,
    }
    return ", ".join(counted(count, kind) for kind, count in kinds.items() if count) or "nothing"
