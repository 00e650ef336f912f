"""What an undo did, or would do."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from mj_cli.failing import FAILED, FINE, PARTIAL
from mj_cli.history import SHORT
from mj_cli.output import plain, table
from mj_cli.terminal import is_attended
from mjcore.compare import key_text
from mjcore.undo import UndoResult

WORDS = {
    "removed": ("created row removed", "created rows removed"),
    "reverted": ("update taken back", "updates taken back"),
    "recreated": ("deleted row restored", "deleted rows restored"),
    "unchanged": ("taken back before", "taken back before"),
    "skipped": ("skipped", "skipped"),
}
"""Of one, and of several."""


def report(result: UndoResult) -> Iterator[RenderableType]:
    """Yield what was reversed, and what stays with the reason."""
    run = f"run {result.undone_run_id[-SHORT:]}"
    if result.is_dry_run:
        yield Text(f"{run} would be undone; nothing was written", "bold")
    else:
        done = "undone" if result.status == "Completed" else "undone in part: once more goes on from here"
        yield Text(f"{run} {done}, in run {result.run_id[-SHORT:]}", "bold")
    counts = {name: getattr(result, name) for name in WORDS}
    said = [f"{count:,} {WORDS[name][count != 1]}" for name, count in counts.items() if count]
    yield Text(", ".join(said) or "nothing to take back")
    if result.skips:
        rows = [(skip.entity, skip.external_id, key_text(skip.key), skip.reason) for skip in result.skips]
        yield table(["Entity", "External ID", "Row", "Why it stays"], rows)
    if (more := result.skipped - len(result.skips)) > 0:
        yield Text(f"{more:,} more stay", "bold")


def paused(connection: str) -> str:
    """Return what a person has to know after an undo."""
    manual = f"mj sync {connection!r}" if is_attended() else f"mj sync {connection!r} --manual"
    return plain(f"{connection} is Inactive, so that nothing writes it again by itself: `{manual}` ends that")


def exit_code(results: Sequence[UndoResult]) -> int:
    """Return the code of a sync: failed where one was stopped, partial where something stays."""
    if any(result.status != "Completed" for result in results):
        return FAILED
    return PARTIAL if any(result.skipped for result in results) else FINE
