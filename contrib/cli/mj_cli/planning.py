"""What a sync would do, while it is planned and afterwards."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from attrs import define, field
from rich.console import RenderableType
from rich.text import Text

from mj_cli.listing import JSONList
from mj_cli.moments import local
from mj_cli.output import plain, shown
from mj_cli.results import as_json as shape
from mj_cli.results import summary
from mjcore.plan import PlannedChange, PlanResult, Window
from mjcore.records import Fields, Watermark
from mjcore.results import SyncResult
from mjcore.wire import unstructure

SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "conflict": ("!", "magenta")}
LONGEST = 40
"""Characters of a value."""


@define
class First:
    """Keeps the first changes, and counts them all."""

    limit: int
    changes: list[PlannedChange] = field(factory=list)
    count: int = 0

    def __call__(self, change: PlannedChange) -> None:
        self.count += 1
        if len(self.changes) < self.limit:
            self.changes.append(change)


class ChangesJSON:
    """Prints one JSON object; its list of changes is written while they are found."""

    def __init__(self, connection: str) -> None:
        self._list = JSONList("Changes", {"Connection": connection})

    def __call__(self, change: PlannedChange) -> None:
        self._list.add({**_object(change), "Key": [None if part is None else str(part) for part in change.key]})

    def end(self, result: PlanResult) -> None:
        done = dict(shape(as_run(result)))
        told = {name: done[name] for name in done if name.startswith("Total") or name in ("Status", "ErrorMessage", "EntityMaps")}
        self._list.close({**told, "Windows": unstructure(result.windows)})


def _object(value: object) -> Mapping[str, Any]:
    return unstructure(value)  # type: ignore[return-value]  # an object's JSON is a mapping


def as_run(result: PlanResult) -> SyncResult:
    """Return a plan as the run that it tells of, which never began."""
    return SyncResult("", result.connection, result.status, result.counts, maps=result.maps, error=result.error)


def report(result: PlanResult, first: First) -> Iterator[RenderableType]:
    """Yield the first changes, how many more there are, what would be read, and the counts."""
    for change in first.changes:
        yield from _change(change)
    if (more := first.count - len(first.changes)) > 0:
        yield Text(f"{more:,} more changes; --limit {first.count} lists all", "bold")
    for name, window in result.windows.items():
        yield Text(plain(f"{name}: reads {_window(window)}"))
    if result.status == "Completed":
        yield Text(plain(f"a sync of {result.connection!r} would do this; nothing was written"), "bold")
        yield from summary(as_run(result))[1:]
    else:
        yield from summary(as_run(result))


def _change(change: PlannedChange) -> Iterator[Text]:
    sign, style = SIGNS[change.kind]
    found = "" if change.rule in ("", "link", "none") else f", found by {change.rule}"
    said = " conflict" if change.kind == "conflict" else ""
    said += "" if change.new or not said else ": the source deleted the record, which was edited here"
    yield Text(plain(f"{sign} {change.external_object_name} {change.external_id} → {change.entity}{said}{found}"), style)
    for name, value in _told(change).items():
        yield Text(plain(f"    {name}: {value}"))


def _told(change: PlannedChange) -> Mapping[str, str]:
    if change.kind == "delete":
        return {}
    if change.kind == "create":
        return {name: shown(value, LONGEST) for name, value in change.new.items() if value is not None}
    return {name: f"{_old(change.old, name)} → {shown(value, LONGEST)}" for name, value in change.new.items()}


def _old(old: Fields, name: str) -> str:
    return shown(old[name], LONGEST) if name in old else "–"


def _window(window: Window) -> str:
    """Return from when to when; what a provider counts by otherwise says nothing to people."""
    until = f", up to {_time(window.until)}" if _is_time(window.until) else ""
    if window.is_full or window.since is None:
        return f"everything{until}"
    since = f"since {_time(window.since)}" if _is_time(window.since) else "since the last sync"
    return f"what has changed {since}{until}"


def _is_time(mark: Watermark | None) -> TypeGuard[Watermark]:
    return mark is not None and mark.type == "Timestamp"


def _time(mark: Watermark) -> str:
    return local(mark.instant)
