"""The stored metadata as a document that `apply` takes and finds nothing to change in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from mjcore.document import CompanyEntry, ConnectionEntry, EntityEntry, EntityMapEntry, Raw
from mjcore.errors import ConfigError
from mjcore.models import Company, CompanyIntegration, Entity, EntityMap, IntegrationProvider, Template
from mjcore.snapshot import Snapshot, take
from mjcore.store import Store
from mjcore.wire import structure, unstructure


def export(store: Store) -> Raw:
    """Return everything with its ids; secrets are what they are in the store, references."""
    stored = take(store)
    document = {
        "Companies": [brief(CompanyEntry(name=c.name, id=c.id)) for c in stored.companies],
        "Entities": [brief(entity_entry(entity)) for entity in stored.entities],
        "Templates": [
            {"Name": t.name, "Provider": t.provider, "EntityMaps": t.entity_maps, "ID": t.id} for t in stored.templates
        ],
        "Connections": [connection_document(connection, stored) for connection in stored.connections],
    }
    return cast("Raw", unstructure({key: entries for key, entries in document.items() if entries}))


def connection_document(connection: CompanyIntegration, stored: Snapshot) -> Raw:
    """Return one connection; of its template's entity maps only what differs."""
    template = next((t for t in stored.templates if t.id == connection.template_id), None)
    entry = connection_entry(connection, stored.companies, stored.providers, stored.templates)
    maps = sorted(stored.maps.get(connection.id, ()), key=lambda m: (m.priority, m.id))
    entries = [map_document(m, connection, template) for m in maps]
    shown = [e for e in entries if e]
    return {**brief(entry), **({"EntityMaps": shown} if shown else {})}


def map_document(entity_map: EntityMap, connection: CompanyIntegration, template: Template | None) -> Raw | None:
    """Return one entity map; None where the template says the same."""
    entry = map_entry(entity_map, connection)
    shared = template and _of_template(template, entity_map)
    if not shared:
        return {**brief(entry), "FieldMaps": [brief(m) for m in entity_map.field_maps]}
    mine, theirs = _comparable(entry), _comparable(shared)
    differing = {key: value for key, value in mine.items() if value != theirs[key] and key != "FieldMaps"}
    field_maps = [m for m in (_differing(f, _same_field(f, theirs["FieldMaps"])) for f in mine["FieldMaps"]) if m]
    if field_maps:
        differing["FieldMaps"] = field_maps
    identity = {"ExternalObjectName": entry.external_object_name, "Entity": entry.entity}
    return {**identity, **differing} if differing else None


def connection_entry(
    connection: CompanyIntegration,
    companies: Iterable[Company],
    providers: Iterable[IntegrationProvider],
    templates: Iterable[Template],
) -> ConnectionEntry:
    return ConnectionEntry(
        name=connection.name,
        company=_name(companies, connection.company_id),
        provider=_name(providers, connection.integration_provider_id),
        description=connection.description,
        external_system_url=connection.external_system_url,
        configuration=connection.configuration,
        auth_configuration=connection.auth_configuration,
        status=connection.status,
        sync_direction=connection.sync_direction,
        template=_name(templates, connection.template_id) if connection.template_id else None,
        id=connection.id,
    )


def _name(objects: Iterable[Company | IntegrationProvider | Template], id_: str) -> str:
    return next(o.name for o in objects if o.id == id_)


def entity_entry(entity: Entity) -> EntityEntry:
    return EntityEntry(
        name=entity.name,
        table=entity.table,
        primary_key=entity.primary_key,
        key_origin=entity.key_origin,
        soft_delete_field=entity.soft_delete_field,
        updated_at_field=entity.updated_at_field,
        fields=entity.fields,
        id=entity.id,
    )


def map_entry(entity_map: EntityMap, connection: CompanyIntegration) -> EntityMapEntry:
    return EntityMapEntry(
        external_object_name=entity_map.external_object_name,
        entity=entity_map.entity.name,
        match_strategy=entity_map.match_strategy,
        conflict_resolution=entity_map.conflict_resolution,
        delete_behavior=entity_map.delete_behavior,
        priority=entity_map.priority,
        precedence=entity_map.precedence,
        sync_direction=None if entity_map.sync_direction == connection.sync_direction else entity_map.sync_direction,
        sync_enabled=entity_map.sync_enabled,
        external_object_label=entity_map.external_object_label,
        initial_since=entity_map.initial_since,
        configuration=entity_map.configuration,
        status=entity_map.status,
        field_maps=entity_map.field_maps,
        id=entity_map.id,
    )


def brief(entry: Any) -> dict[str, Any]:
    """Return the wire form without what is as by default."""
    return dict(cast("Mapping[str, Any]", unstructure(entry, omit_defaults=True)))


def _of_template(template: Template, entity_map: EntityMap) -> EntityMapEntry | None:
    for raw in template.entity_maps:
        try:
            shared = structure(EntityMapEntry, cast("Any", raw))
        except ConfigError:
            continue  # written for another version; then the connection's own form is complete
        if (shared.external_object_name, shared.entity) == (entity_map.external_object_name, entity_map.entity.name):
            return shared
    return None


def _comparable(entry: Any) -> dict[str, Any]:
    """Return the full wire form without ids."""
    full = cast("Mapping[str, Any]", unstructure(entry))
    plain = {key: value for key, value in full.items() if key != "ID"}
    field_maps = plain.get("FieldMaps", ())
    return {**plain, "FieldMaps": [{k: v for k, v in m.items() if k != "ID"} for m in field_maps or ()]}


def _same_field(field_map: Raw, among: Sequence[Raw]) -> Raw | None:
    identity = ("DestinationFieldName", "Direction")
    return next((other for other in among if all(other[key] == field_map[key] for key in identity)), None)


def _differing(field_map: Raw, shared: Raw | None) -> Raw | None:
    if shared is None:
        return field_map
    differing = {key: value for key, value in field_map.items() if value != shared[key]}
    identity = {key: field_map[key] for key in ("DestinationFieldName", "Direction")}
    return {**identity, **differing} if differing else None
