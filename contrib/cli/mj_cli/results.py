"""What a sync did: as a table for people, as the JSON object of `mj sync --json`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from mj_cli.output import WIDE, plain, table
from mjcore.records import Counts
from mjcore.results import MapResult, SyncResult

COUNTS = ("Processed", "Created", "Updated", "Unchanged", "Deleted", "Skipped", "Conflicted", "Errored")
ALWAYS = COUNTS[:4]
STYLES = {"Completed": "green", "Partial": "yellow", "Cancelled": "yellow", "Running": "cyan", "Failed": "red", "Held": "yellow"}


def as_json(result: SyncResult) -> Mapping[str, Any]:
    """Return the object that `mj sync --json` prints."""
    return {
        "RunID": result.run_id or None,
        "Connection": result.connection,
        "Status": result.status,
        "Direction": result.direction,
        "StartedAt": _moment(result.started_at),
        "CompletedAt": _moment(result.completed_at),
        **_counts("TotalRecords", result.counts),
        "ErrorMessage": result.error,
        "EntityMaps": [_map_json(m) for m in result.maps],
    }


def _map_json(done: MapResult) -> Mapping[str, Any]:
    return {
        "ExternalObjectName": done.external_object_name,
        "Entity": done.entity,
        "Status": done.status,
        **_counts("Records", done.counts),
        "WatermarkBefore": done.watermark_before,
        "WatermarkAfter": done.watermark_after,
        "ErrorMessage": done.error,
        "Errors": [{"ExternalID": e.external_id, "Stage": e.stage, "Code": e.code, "Message": e.message} for e in done.errors],
        "Notes": list(done.notes),
    }


def _counts(prefix: str, counts: Counts) -> Mapping[str, int]:
    return {prefix + name: number for name, number in _named(counts).items()}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def summary(result: SyncResult) -> Sequence[RenderableType]:
    """Return the lines and the table that end a sync."""
    parts: list[RenderableType] = [headline(result)]
    if result.maps:
        parts.append(counts_table([(f"{m.external_object_name} → {m.entity}", m.status, m.counts) for m in result.maps]))
    elif result.refusal is None and not result.error:
        parts.append(
            Text(plain(f"no entity map is active: `mj suggest {result.connection!r} OBJECT --create` proposes one"), "yellow")
        )
    for done in result.maps:
        parts += [Text(plain(f"{done.external_object_name}: {note}"), style="yellow") for note in done.notes]
        parts += [Text(plain(f"{done.external_object_name} {e.external_id}: {e.stage}: {e.message}")) for e in done.errors]
        more = done.counts.errored - len(done.errors)
        if done.errors and more > 0:
            parts.append(Text(f"{done.external_object_name}: {more:,} more records failed"))
    return parts


def headline(result: SyncResult) -> Text:
    """Return connection, status, duration and error on one line."""
    word = "Held" if result.refusal == "held" else result.status
    line = Text.assemble((plain(result.connection), "bold"), " ", (word, STYLES[word]))
    if result.started_at and result.completed_at:
        line.append(f" in {took(result.started_at, result.completed_at)}")
    if result.error:
        line.append(f": {plain(result.error)}")
    return line


def took(began: datetime, ended: datetime) -> str:
    """Return a duration such as `40 ms`, `3.2 s` or `2 min 5 s`."""
    seconds = (ended - began).total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def counts_table(rows: Sequence[tuple[str, str, Counts]]) -> RenderableType:
    """Return counts per entity map (title, status, counts) with their sum: in columns where they fit, else in words."""
    if len(rows) > 1:
        rows = [*rows, ("total", "", sum((counts for _, _, counts in rows), Counts()))]
    return Fitting(_in_columns(rows), _in_words(rows))


def _in_columns(rows: Sequence[tuple[str, str, Counts]]) -> RenderableType:
    """Columns that are zero everywhere stay out."""
    present = [name for i, name in enumerate(COUNTS) if name in ALWAYS or any(row[2].as_tuple()[i] for row in rows)]
    status = any(word not in ("", "Completed") for _, word, _ in rows)
    cells = [
        [title, *([_status(word)] if status else []), *(f"{_named(counts)[name]:,}" for name in present)]
        for title, word, counts in rows
    ]
    return table(["Entity map", *(["Status"] if status else []), *present], cells, numbers=present)


def _in_words(rows: Sequence[tuple[str, str, Counts]]) -> RenderableType:
    cells = [[title, _status(word), f"{counts.processed:,}", told(counts)] for title, word, counts in rows]
    return table(["Entity map", "Status", "Processed", "Of these"], cells, numbers=["Processed"])


def told(counts: Counts) -> str:
    """Return counts in words, such as `10 updated, 4,990 unchanged`."""
    parts = [f"{number:,} {name.lower()}" for name, number in _named(counts).items() if number and name != "Processed"]
    return ", ".join(parts) or "none"


def _named(counts: Counts) -> Mapping[str, int]:
    return dict(zip(COUNTS, counts.as_tuple(), strict=True))


def _status(word: str) -> Text:
    return Text(word, STYLES.get(word, ""))


@frozen
class Fitting:
    """Draws the wide form where the console has room for it, else the narrow one."""

    wide: RenderableType
    narrow: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needed = Measurement.get(console, options.update(width=WIDE), self.wide).maximum
        yield self.wide if needed <= options.max_width else self.narrow
