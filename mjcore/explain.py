"""Why a row is as it is: what the source sent, what each step made of it, which runs wrote it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from mjcore.compare import from_json, key_text
from mjcore.errors import UnknownName
from mjcore.history import PURGED_BEFORE, RecordChange
from mjcore.models import CompanyIntegration, Entity, EntityMap, IntegrationRun
from mjcore.preview import RecordTrace, trace
from mjcore.records import Conflict, ExternalRecord, Fields, Link, RowKey
from mjcore.versions import Versions

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@frozen
class Origin:
    """One record that is linked to the row, and how its values come about."""

    connection: str
    external_object_name: str
    link: Link
    trace: RecordTrace | None
    """By the mapping that wrote the row; None where it is unknown, or needs what is no longer installed."""
    conflicts: tuple[Conflict, ...] = ()


@frozen
class Explanation:
    """`row` is None where it is gone; `changes` are oldest first."""

    entity: str
    key: RowKey
    row: Fields | None
    origins: tuple[Origin, ...]
    changes: tuple[RecordChange, ...]
    purged_before: datetime | None = None
    """Changes before this time are no longer known."""


def explain(kernel: "Kernel", entity_name: str, key: str, field: str | None = None) -> Explanation:
    """Explain a row by its key as text, or one field of it. `UnknownName`: no such entity, row or field."""
    store = kernel.store
    entity = _named(kernel, entity_name)
    names = [*dict.fromkeys([*(f.name for f in entity.fields), *entity.primary_key])]
    if field is not None and field not in names:
        raise UnknownName(f"field of {entity.name}", field, names)
    row_key = store.key_of(entity, key)
    row = store.read(entity, [row_key], tuple(names)).get(row_key)
    changes = [c for c in store.changes(entity=entity.name, key=row_key) if field is None or {field} & {*c.old, *c.new}]
    origins = [_origin(kernel, map_id, link, field) for map_id, link in store.links_of(entity, row_key)]
    if row is None and not changes and not origins:
        raise UnknownName(f"row of {entity.name}", key_text(row_key), ())
    if row is not None and field is not None:
        row = {field: row[field]}
    found = tuple(origin for origin in origins if origin)
    return Explanation(entity.name, row_key, row, found, tuple(changes), _purged_before(kernel, found))


def _purged_before(kernel: "Kernel", origins: Sequence[Origin]) -> datetime | None:
    """Return up to when a purge has removed changes, as the runs say that first linked the row."""
    runs = [run for origin in origins for run in kernel.store.load(IntegrationRun, id=origin.link.run_id)]
    times = [str(run.configuration[PURGED_BEFORE]) for run in runs if PURGED_BEFORE in run.configuration]
    return max(map(datetime.fromisoformat, times), default=None)


def _named(kernel: "Kernel", name: str) -> Entity:
    entities = {e.name: e for e in kernel.store.load(Entity)}
    if name not in entities:
        raise UnknownName("entity", name, entities)
    return entities[name]


def _origin(kernel: "Kernel", map_id: str, link: Link, field: str | None) -> Origin | None:
    found = kernel.store.load(EntityMap, id=map_id)
    if not found:
        return None
    entity_map = found[0]
    (connection,) = kernel.store.load(CompanyIntegration, id=entity_map.company_integration_id)
    conflicts = tuple(kernel.store.conflicts(entity_map_id=map_id, external_id=link.external_id))
    return Origin(connection.name, entity_map.external_object_name, link, _trace(kernel, entity_map, link, field), conflicts)


def _trace(kernel: "Kernel", entity_map: EntityMap, link: Link, field: str | None) -> RecordTrace | None:
    versions = Versions(kernel.store, entity_map, kernel.transform_types)
    plan = versions.plan(link.map_version)
    if plan is None:
        return None
    fields = {name: from_json(value) for name, value in link.source_values.items()}
    found = trace(plan, ExternalRecord(link.external_id, fields, link.source_modified_at), "link")
    versions.close()
    return evolve(found, fields=tuple(f for f in found.fields if field in (None, f.destination)))
