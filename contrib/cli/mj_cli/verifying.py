"""How the rows compare with the source, while it is read and afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mj_cli.listing import JSONList
from mj_cli.moments import local
from mj_cli.output import plain, shown, table
from mjcore.errors import MJError
from mjcore.verify import Difference, Verified
from mjcore.wire import unstructure
from mjcore.wording import counted

KINDS = {"missing": "no row", "different": "differs", "extra": "gone from the source", "failed": "cannot be mapped"}


class DifferencesJSON:
    """Prints one JSON object; its list of differences is written while they are found."""

    def __init__(self, connection: str, began: datetime) -> None:
        self._began = began
        self._list = JSONList("Differences", {"Connection": connection})

    def __call__(self, difference: Difference) -> None:
        self._list.add({"ExternalObjectName": difference.external_object_name, **_difference(difference)})

    def end(self, verified: Sequence[Verified]) -> None:
        is_whole, is_equal = (all(facts) for facts in ([f.is_whole for f in verified], [f.is_equal for f in verified]))
        status = "Cancelled" if not is_whole else "Equal" if is_equal else "Different"
        self._list.close({"EntityMaps": [_map(found, self._began) for found in verified], "Status": status, "ErrorMessage": None})

    def broke_off(self, error: MJError) -> None:
        """End the object where it has begun."""
        if self._list.has_begun:
            self._list.close({"EntityMaps": [], "Status": "Failed", "ErrorMessage": str(error)})


def _difference(found: Difference) -> Mapping[str, Any]:
    fields = [{"Name": name, "Source": unstructure(source), "Row": unstructure(row)} for name, source, row in found.fields]
    key = unstructure(found.key)
    return {"Kind": found.kind, "ExternalID": found.external_id, "Key": key, "Fields": fields, "Reason": found.reason}


def _map(found: Verified, began: datetime) -> Mapping[str, Any]:
    counts = {kind.capitalize(): count for kind, count in found.counts.items()}
    facts = {"ExternalObjectName": found.external_object_name, "Entity": found.entity, "AsOf": _as_of(found, began).isoformat()}
    return {**facts, "Records": found.records, "Equal": found.equal, **counts}


def report(verified: Sequence[Verified], began: datetime) -> Iterator[RenderableType]:
    """Yield a line per entity map, and below it the first of its differences."""
    if not verified:
        yield Text("no entity map is active: there is nothing to compare", "yellow")
    for found in verified:
        yield _headline(found, began)
        if not found.is_whole:
            yield Text("stopped: the rest was not compared, and what is gone from the source was not looked for", "yellow")
        if not found.is_equal:
            rows = [row for difference in found.first for row in _rows(difference)]
            yield table(["External ID", "Difference", "Field", "Source", "Row"], rows)
        if (more := sum(found.counts.values()) - len(found.first)) > 0:
            yield Text(f"{more:,} more differences; --json lists all", "bold")


def _headline(found: Verified, began: datetime) -> Text:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items() if count)
    of = f"{found.equal:,} of {counted(found.records, 'record')} present and equal"
    line = Text.assemble(
        (plain(f"{found.external_object_name} → {found.entity}"), "bold"),
        ": ",
        (of, "green" if found.is_equal else "yellow"),
        f" as of {local(_as_of(found, began))}",
    )
    return line.append(f": {counts}" if counts else "")


def _as_of(found: Verified, began: datetime) -> datetime:
    """Return the source's time when reading began; ours where the source counts by something else."""
    try:
        return datetime.fromisoformat(found.as_of or "")
    except ValueError:
        return began


def _rows(found: Difference) -> list[tuple[object, ...]]:
    about = found.reason or KINDS[found.kind]
    if not found.fields:
        return [(found.external_id, about, "", "", "")]
    return [(found.external_id, about, name, shown(source), shown(row)) for name, source, row in found.fields]
