"""Failed records and conflicts, as rows, as details, and as JSON."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mj_cli.history import SHORT
from mj_cli.listing import Row
from mj_cli.moments import local, to_the_minute
from mj_cli.output import plain, shown, table
from mjcore.compare import key_text
from mjcore.errors import UnknownName
from mjcore.history import FailedRecord
from mjcore.models import EntityMap
from mjcore.records import Conflict, Fields
from mjcore.wire import unstructure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

STAGES = {
    "fetch": "it could not be read",
    "transform": "its values could not be mapped",
    "match": "the row that it belongs to could not be told",
    "persist": "the database refused the row",
}
ANSWERS = {None: "waits for an answer", "source": "accepted: source", "current": "accepted: current"}

Failed = tuple[EntityMap, FailedRecord]
Conflicting = tuple[EntityMap, Conflict]


def map_names(kernel: "Kernel", connection: str) -> Sequence[str]:
    """Return the external objects of a connection's maps; one alone need not be named in a list."""
    (metadata,) = kernel.connections(connection)
    return [m.external_object_name for m in metadata.entity_maps]


# --- failed records ------------------------------------------------------------------------------


def failed_columns(*, several: bool) -> list[str]:
    return ["External ID", *(["Map"] if several else []), "Stage", "Code", "Attempts", "Last failed", "Message"]


def failed_rows(found: Iterable[Failed], *, several: bool) -> Iterator[Row]:
    """Yield a row per record; one without an external id is named by its own."""
    for entity_map, record in found:
        where = [entity_map.external_object_name] if several else []
        facts = [record.stage, record.code, f"{record.attempts:,}", to_the_minute(record.last_failed_at)]
        yield [record.external_id or record.id, *where, *facts], record.message


def failed_json(found: Failed) -> Mapping[str, Any]:
    return {**_of(found[0]), **unstructure(found[1])}  # type: ignore[dict-item]  # an object's JSON is a mapping


def failed_details(found: Failed) -> list[RenderableType]:
    """Return every fact of one record, and the record as it came."""
    entity_map, record = found
    facts = {
        "External ID": record.external_id or "(none)",
        "Entity map": f"{entity_map.external_object_name} → {entity_map.entity.name}",
        "Stage": f"{record.stage}: {STAGES[record.stage]}" if record.stage in STAGES else record.stage,
        "Code": record.code,
        "Message": record.message,
        "Attempts": f"{record.attempts:,}",
        "First failed": local(record.first_failed_at),
        "Last failed": f"{local(record.last_failed_at)} in run {record.run_id[-SHORT:]}",
        "Own ID": record.id,
    }
    if record.raw is None:
        return [facts_grid(facts), "", Text("the record itself was not kept", "yellow")]
    rows = [[name, Text(plain(shown(value, 1000)))] for name, value in record.raw.items()]
    return [facts_grid(facts), "", table(["Source field", "Raw value"], rows)]


# --- conflicts -----------------------------------------------------------------------------------


def conflict_columns(*, several: bool) -> list[str]:
    return ["External ID", *(["Map"] if several else []), "Answer", "Fields"]


def conflict_rows(found: Iterable[Conflicting], *, several: bool) -> Iterator[Row]:
    for entity_map, conflict in found:
        where = [entity_map.external_object_name] if several else []
        yield [conflict.external_id, *where, ANSWERS[conflict.answer]], about(conflict)


def about(conflict: Conflict) -> str:
    """Return what a conflict is about, in a few words."""
    if conflict.is_deleted:
        return "the source deleted the record"
    return ", ".join(names_of(conflict)) if conflict.current else "the row is gone"


def conflict_json(found: Conflicting) -> Mapping[str, Any]:
    return {**_of(found[0]), **unstructure(found[1])}  # type: ignore[dict-item]  # an object's JSON is a mapping


def conflict_details(found: Conflicting) -> list[RenderableType]:
    """Return which row it is about, and per field what was, what the source says and what the row holds."""
    entity_map, conflict = found
    facts = {
        "External ID": conflict.external_id,
        "Entity map": f"{entity_map.external_object_name} → {entity_map.entity.name}",
        "Row": key_text(conflict.key),
        "Answer": ANSWERS[conflict.answer],
    }
    deleted = "the source has deleted the record; the row was edited here" if conflict.is_deleted else ""
    gone = deleted or ("" if conflict.current else "the row was deleted here; the source still has the record")
    sides = (conflict.base, conflict.source, conflict.current)
    rows = [(name, *(_side(side, name) for side in sides)) for name in names_of(conflict)]
    said = ("", Text(gone, "yellow")) if gone else ()
    return [facts_grid(facts), *said, "", table(["Field", "Last synced", "Source now", "Row now"], rows)]


def names_of(conflict: Conflict) -> Sequence[str]:
    """Return the fields that a conflict is about."""
    return list(dict.fromkeys([*conflict.source, *conflict.base]))


def _side(fields: Fields, name: str) -> Text:
    return Text(plain(shown(fields[name], 1000))) if name in fields else Text("–", "dim")


# --- both ----------------------------------------------------------------------------------------


def named(kind: str, name: str, found: Iterable[Any]) -> list[Any]:
    """Return the entries of this external id, or own id. `UnknownName` when there are none."""
    mine: list[Any] = []
    known: list[str] = []
    for entry in found:
        ids = _ids(entry[1])
        if name in ids:
            mine.append(entry)
        elif len(known) < 5:
            known.append(next(iter(ids)))
    if not mine:
        raise UnknownName(kind, name, known, known_as="the first ones")
    return mine


def _ids(entry: FailedRecord | Conflict) -> Collection[str]:
    own = [entry.id] if isinstance(entry, FailedRecord) else []
    return [name for name in (entry.external_id, *own) if name]


def _of(entity_map: EntityMap) -> Mapping[str, str]:
    return {"ExternalObjectName": entity_map.external_object_name, "Entity": entity_map.entity.name}


def facts_grid(facts: Mapping[str, str]) -> Table:
    """Return a line per fact; long ones fold beside their name."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts.items():
        grid.add_row(Text(name, "bold"), Text(plain(fact)))
    return grid
