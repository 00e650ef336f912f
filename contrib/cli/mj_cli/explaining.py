"""Why a row is as it is, told from its raw values to its last change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve
from rich.console import RenderableType
from rich.text import Text

from mj_cli.history import SHORT
from mj_cli.moments import local
from mj_cli.output import plain, shown
from mj_cli.previewing import Pipelines, preview_tables
from mj_cli.queued import ANSWERS, about, facts_grid
from mjcore.compare import from_json, key_text, same
from mjcore.explain import Explanation, Origin
from mjcore.history import RecordChange
from mjcore.models import Entity, EntityMap, FieldMap, IntegrationRun, MapVersion
from mjcore.preview import Preview
from mjcore.records import ABSENT, Fields, Value
from mjcore.wire import structure, unstructure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

RULES = {"link": "", "none": "", "answer": ", as a conflict was answered", "undo": ", undoing an earlier run"}
"""How a change came about, where the match strategy did not find the row."""
KINDS = {"create": ("created", "green"), "update": ("updated", "yellow"), "delete": ("deleted", "red")}


def explanation_json(found: Explanation) -> Mapping[str, Any]:
    """Return the explanation as JSON: raw values of links as a preview shows them, hashes in hexadecimal digits."""
    told = cast("dict[str, Any]", unstructure(found))
    for origin, shaped in zip(found.origins, told["Origins"], strict=True):
        values = {name: from_json(value) for name, value in origin.link.source_values.items()}
        shaped["Link"] |= {"SourceValues": unstructure(values), "ContentHash": origin.link.content_hash.hex()}
    return told


def story(kernel: "Kernel", found: Explanation, field: str | None) -> Iterator[RenderableType]:
    """Yield the row as it is, each record that it comes from, and what was written to it, oldest first; or of one field."""
    (entity,) = kernel.store.load(Entity, name=found.entity)
    told = [field] if field else [f.name for f in entity.fields if f.name not in entity.primary_key]
    yield Text(plain(f"{found.entity} {key_text(found.key)}"), "bold")
    if found.row is None:
        yield Text("the row is gone", "red")
    else:
        yield facts_grid({name: shown(value, 1000) for name, value in found.row.items() if name in told})
    for origin in found.origins:
        yield ""
        yield from _origin(kernel, found, origin)
    if not found.origins:
        yield ""
        yield Text("no record of a source is linked to it", "yellow")
    yield ""
    yield Text("Changes by runs, oldest first" if found.changes else "no run has changed it", "bold")
    if found.purged_before is not None:
        yield Text(f"those before {local(found.purged_before)} were purged", "yellow")
    for change in found.changes:
        yield from _change(change, told, _names(kernel))
    yield from _since(entity, found)


def _origin(kernel: "Kernel", found: Explanation, origin: Origin) -> Iterator[RenderableType]:
    (connection,) = kernel.connections(origin.connection)
    entity_map = next(m for m in connection.entity_maps if _is_of(m, found.entity, origin))
    link = origin.link
    yield Text(plain(f"From {origin.connection}: {origin.external_object_name} {link.external_id}"), "bold")
    version = f"version {link.map_version} of the mapping" + ("" if link.map_version == entity_map.version else ", since changed")
    yield facts_grid(
        {
            "Match": _rule(found, origin, entity_map),
            "Run": _run(kernel, link.run_id),
            "Mapped by": version if link.map_version else "an unknown version of the mapping",
            **({"Record": "gone from the source"} if link.is_tombstone else {}),
        }
    )
    if origin.trace is None:
        yield Text("its steps cannot be shown: that mapping is unknown, or needs a plugin that is not installed", "yellow")
    elif origin.trace.fields:
        preview = Preview(origin.external_object_name, found.entity, (evolve(origin.trace, match=""),))
        yield preview_tables(preview, _pipelines(kernel, entity_map, link.map_version))[1]
    else:
        yield Text("this mapping does not fill the field", "dim")
    for conflict in origin.conflicts:
        yield Text(plain(f"Conflict ({about(conflict)}): {ANSWERS[conflict.answer]}"), "yellow")
        yield Text(plain(f"  mj conflicts show {origin.connection!r} {conflict.external_id}"))


def _is_of(entity_map: EntityMap, entity: str, origin: Origin) -> bool:
    return (entity_map.external_object_name, entity_map.entity.name) == (origin.external_object_name, entity)


def _rule(found: Explanation, origin: Origin, entity_map: EntityMap) -> str:
    """Return how the row was found when the record came first."""
    rules = [c.rule for c in found.changes if c.external_id == origin.link.external_id and c.entity_map_id == entity_map.id]
    if origin.link.created_row:
        return "no row was found: the record made this one"
    first = next((rule for rule in rules if rule not in ("link", "none", "answer")), entity_map.match_strategy.get("Strategy"))
    return f"the row was found by {first}" if first else "the row was there before"


def _run(kernel: "Kernel", run_id: str) -> str:
    runs = kernel.store.load(IntegrationRun, id=run_id) if run_id else ()
    return f"{runs[0].id[-SHORT:]}, {local(runs[0].started_at)}" if runs else "unknown"


def _pipelines(kernel: "Kernel", entity_map: EntityMap, version: int) -> Pipelines:
    """Return those of the version that the row was written by."""
    (saved,) = kernel.store.load(MapVersion, entity_map_id=entity_map.id, version=version)
    field_maps: tuple[FieldMap, ...] = structure(tuple[FieldMap, ...], saved.mapping["FieldMaps"])
    return {m.destination_field_name: m.transform_pipeline for m in field_maps}


def _names(kernel: "Kernel") -> Mapping[str, str]:
    """Return connection and external object by entity map id."""
    return {m.id: f"{c.name}, {m.external_object_name}" for c in kernel.connections() for m in c.entity_maps}


def _change(change: RecordChange, told: Sequence[str], names: Mapping[str, str]) -> Iterator[RenderableType]:
    word, style = KINDS[change.kind]
    by = f"run {change.run_id[-SHORT:]}  {names.get(change.entity_map_id, 'a map that is gone')} {change.external_id}"
    how = RULES.get(change.rule, f", found by {change.rule}")
    yield Text.assemble(local(change.changed_at), "  ", (word, style), plain(f"  {by}{how}"))
    if change.kind != "delete":
        yield facts_grid({f"  {name}": _from_to(change, name) for name in told if name in change.new})


def _from_to(change: RecordChange, name: str) -> str:
    new = shown(change.new[name], 1000)
    return new if change.kind == "create" else f"{shown(change.old.get(name), 1000)} → {new}"


def _since(entity: Entity, found: Explanation) -> Iterator[RenderableType]:
    """Tell what the row holds now and no run has written."""
    written: dict[str, Value] = {}
    for change in found.changes:
        written = {} if change.kind == "delete" else {**written, **change.new}
    if found.row is None:
        if written:
            yield Text("since then  deleted by something else than a run", "yellow")
        return
    if edited := _edited(entity, written, found.row):
        yield Text("since then  changed by something else than a run", "yellow")
        yield facts_grid({f"  {name}": f"{shown(written[name], 1000)} → {shown(found.row[name], 1000)}" for name in edited})


def _edited(entity: Entity, written: Fields, row: Fields) -> Sequence[str]:
    known = [name for name, value in written.items() if name in row and value is not ABSENT]
    return [name for name in known if not same(entity.field(name), written[name], row[name])]
