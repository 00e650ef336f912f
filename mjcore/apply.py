"""Brings the store to what documents say: checked first, then shown or written; a second time there is nothing to do."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from attrs import define, evolve, field, frozen

from mjcore.document import CompanyEntry, Raw
from mjcore.errors import Problem
from mjcore.export import connection_entry, entity_entry, map_entry
from mjcore.ids import new_id
from mjcore.maps import count_links
from mjcore.metadata import Metadata as Metadata
from mjcore.metadata import read as read
from mjcore.models import Company, CompanyIntegration, Entity, EntityMap, IntegrationProvider, MapVersion, Template
from mjcore.records import JSON
from mjcore.snapshot import Snapshot, take
from mjcore.wire import unstructure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

Kind = Literal["Company", "Entity", "Field", "Provider", "Template", "Connection", "EntityMap", "FieldMap"]


@frozen
class ValueChange:
    """One key of an object, in the words of the file."""

    key: str
    old: JSON
    new: JSON


@frozen
class ObjectChange:
    """What becomes of one object; of a created one, `values` is empty."""

    kind: Kind
    name: str
    action: Literal["created", "changed", "deactivated", "removed"]
    values: tuple[ValueChange, ...] = ()


@frozen
class Remapped:
    """An entity map that does something else now: its linked records are mapped anew when they are read again."""

    entity_map: str
    records: int


@frozen
class ApplyReport:
    """What `apply` did, or would do."""

    changes: tuple[ObjectChange, ...] = ()
    unchanged: int = 0
    ddl: tuple[str, ...] = ()
    remapped: tuple[Remapped, ...] = ()
    warnings: tuple[Problem, ...] = ()
    is_dry_run: bool = False


def apply(kernel: "Kernel", documents: Sequence[Raw], *, dry_run: bool = False, prune: bool = False) -> ApplyReport:
    """Store what documents say. `ConfigError` has every problem, and then nothing is written.

    Tables are created and extended first; the metadata follows in one transaction. `prune` sets connections and entity
    maps that the documents leave out to Inactive.
    """
    stored = take(kernel.store)
    metadata = read(kernel, documents, stored)
    plan = _Plan(kernel, stored, metadata)
    plan.compare(prune=prune)
    tables = list(_tables(metadata, stored))
    ddl = [statement for entity, keys in tables for statement in kernel.store.ddl(entity, keys)]
    warnings = [*metadata.warnings, *_unindexed(kernel, metadata, stored)]
    if not dry_run:
        for entity, keys in tables:
            kernel.store.ensure(entity, keys)
        if plan.saved:
            kernel.store.save(plan.saved)
    return ApplyReport(tuple(plan.changes), plan.unchanged, tuple(ddl), tuple(plan.remapped), tuple(warnings), dry_run)


def proposal(kernel: "Kernel", documents: Sequence[Raw]) -> Sequence[object]:
    """Return the objects that `apply` would save. `ConfigError` has every problem."""
    stored = take(kernel.store)
    plan = _Plan(kernel, stored, read(kernel, documents, stored))
    plan.compare(prune=False)
    return plan.saved


# --- Tables ----------------------------------------------------------------------------------------


def _tables(metadata: Metadata, stored: Snapshot) -> Iterator[tuple[Entity, Sequence[tuple[str, ...]]]]:
    """Yield the tables to make sure of, with their indexes; those of others get no index unasked."""
    given = {e.id for e in metadata.entities}
    looked_up = [e for e in stored.entities if e.id in metadata.match_keys and e.id not in given]
    for entity in (*metadata.entities, *looked_up):
        keys = metadata.match_keys.get(entity.id, ())
        yield entity, keys if entity.origin == "Created" else ()


def _unindexed(kernel: "Kernel", metadata: Metadata, stored: Snapshot) -> Iterator[Problem]:
    known = {e.id: e for e in (*stored.entities, *metadata.entities)}
    for id_, keys in metadata.match_keys.items():
        entity = known[id_]
        for key in keys:
            if entity.origin == "Adopted" and not kernel.store.is_indexed(entity, key):
                offered = "; ".join(kernel.store.ddl(entity, (key,)))
                fault = f"records are matched by {', '.join(key)}, which has no index, so each look-up reads the whole table"
                yield Problem(f"Entities[{entity.name}]", f"{fault}; create it: {offered}")


# --- Differences -------------------------------------------------------------------------------------


@define
class _Plan:
    """Compares metadata with the store: what to report and what to save."""

    kernel: "Kernel"
    stored: Snapshot
    metadata: Metadata
    saved: list[object] = field(factory=list)
    changes: list[ObjectChange] = field(factory=list)
    remapped: list[Remapped] = field(factory=list)
    unchanged: int = 0

    def compare(self, *, prune: bool) -> None:
        metadata, stored = self.metadata, self.stored
        companies = {c.id: c for c in stored.companies}
        for company in metadata.companies:
            self.object("Company", company.name, companies.get(company.id), company, _company)
        entities = {e.id: e for e in stored.entities}
        for entity in metadata.entities:
            self.entity(entities.get(entity.id), entity)
        providers = {p.id: p for p in stored.providers}
        for provider in metadata.providers:
            self.object("Provider", provider.name, providers.get(provider.id), provider, _plain)
        templates = {t.id: t for t in stored.templates}
        for template in metadata.templates:
            self.object("Template", template.name, templates.get(template.id), template, _plain)
        self.connections(prune=prune)
        self.maps(prune=prune)

    def connections(self, *, prune: bool) -> None:
        before = {c.id: c for c in self.stored.connections}
        after = {c.connection.id: c.connection for c in self.metadata.connections}
        if prune:
            left_out = [after.get(id_, c) for id_, c in before.items() if id_ not in self.metadata.mentioned]
            after |= {c.id: evolve(c, status="Inactive") for c in left_out}
        for id_, connection in after.items():
            self.object("Connection", connection.name, before.get(id_), connection, self._connection)

    def maps(self, *, prune: bool) -> None:
        fresh = {e.id: e for e in self.metadata.entities}
        before = {m.id: m for maps in self.stored.maps.values() for m in maps}
        after = {id_: evolve(m, entity=fresh.get(m.entity.id, m.entity)) for id_, m in before.items()}
        after |= {m.id: m for c in self.metadata.connections for m in c.entity_maps}
        connections = {c.id: c for c in self.stored.connections} | {
            c.connection.id: c.connection for c in self.metadata.connections
        }
        mentioned = self.metadata.mentioned
        for id_, entity_map in after.items():
            of = entity_map.company_integration_id
            is_left_out = prune and id_ not in mentioned and of in mentioned
            made = evolve(entity_map, status="Inactive") if is_left_out else entity_map
            self.entity_map(before.get(id_), made, connections[of])

    # --- one object ------------------------------------------------------------------------------------

    def object(self, kind: Kind, name: str, old: Any, new: Any, shown: Any) -> None:
        if self.differ(kind, name, shown(old) if old is not None else None, shown(new)):
            self.saved.append(new)

    def differ(self, kind: Kind, name: str, old: Raw | None, new: Raw | None) -> bool:
        """Record what differs; tell whether anything does."""
        if old is None or new is None:
            self.changes.append(ObjectChange(kind, name, "removed" if new is None else "created"))
            return True
        values = tuple(ValueChange(key, old.get(key), new[key]) for key in new if old.get(key) != new[key])
        if not values:
            self.unchanged += 1
            return False
        is_off = any(v.key == "Status" and v.new == "Inactive" for v in values)
        self.changes.append(ObjectChange(kind, name, "deactivated" if is_off else "changed", values))
        return True

    def parts(self, kind: Kind, of: str, old: dict[str, Raw], new: dict[str, Raw], names: dict[str, str]) -> bool:
        """Compare the parts of an object by their keys."""
        keys = [*new, *(key for key in old if key not in new)]
        differ = [self.differ(kind, f"{of}{names[key]}", old.get(key), new.get(key)) for key in keys]
        return any(differ)

    def entity(self, old: Entity | None, new: Entity) -> None:
        columns = {f.name: cast("Raw", unstructure(f)) for f in new.fields}
        before = {f.name: cast("Raw", unstructure(f)) for f in old.fields} if old else {}
        is_new = self.differ("Entity", new.name, _entity(old) if old else None, _entity(new))
        differ = old is not None and self.parts("Field", f"{new.name}.", before, columns, {n: n for n in (*before, *columns)})
        if is_new or differ:
            self.saved.append(new)

    def entity_map(self, old: EntityMap | None, new: EntityMap, connection: CompanyIntegration) -> None:
        name = f"{connection.name}: {new.external_object_name} → {new.entity.name}"
        is_changed = old is not None and effect(old) != effect(new)
        if old is not None and is_changed:
            new = evolve(new, version=old.version + 1)
            self.remapped.append(Remapped(name, count_links(self.kernel, connection, old)))
        differ = self.differ("EntityMap", name, _map(old, connection) if old else None, _map(new, connection))
        if old is not None:
            maps = (*old.field_maps, *new.field_maps)
            names = {m.id: f"{m.source_field_name} → {m.destination_field_name}" for m in maps}
            differ |= self.parts("FieldMap", f"{name}: ", _field_maps(old), _field_maps(new), names)
        if differ:
            self.saved.append(new)
        if old is None or is_changed:
            self.saved.append(MapVersion(new_id(), new.id, new.version, _mapping(new, connection), self.kernel.now()))

    def _connection(self, connection: CompanyIntegration) -> Raw:
        companies = {c.id: c for c in (*self.stored.companies, *self.metadata.companies)}
        providers = {p.id: p for p in (*self.stored.providers, *self.metadata.providers)}
        templates = {t.id: t for t in (*self.stored.templates, *self.metadata.templates)}
        return _plain(connection_entry(connection, companies.values(), providers.values(), templates.values()))


def _plain(value: Company | IntegrationProvider | Template | object) -> Raw:
    return cast("Raw", unstructure(value))


def _company(company: Company) -> Raw:
    return _plain(CompanyEntry(name=company.name, id=company.id))


def _entity(entity: Entity) -> Raw:
    """Return an entity without its fields, which are compared one by one."""
    shown = {key: value for key, value in _plain(entity_entry(entity)).items() if key != "Fields"}
    return {**shown, "Origin": entity.origin}


def _map(entity_map: EntityMap, connection: CompanyIntegration) -> Raw:
    """Return an entity map without its field maps, which are compared one by one."""
    shown = _plain(map_entry(entity_map, connection))
    plain = {key: value for key, value in shown.items() if key != "FieldMaps"}
    return {**plain, "SyncDirection": entity_map.sync_direction, "Version": entity_map.version}


def _field_maps(entity_map: EntityMap) -> dict[str, Raw]:
    return {m.id: _plain(m) for m in entity_map.field_maps}


def _mapping(entity_map: EntityMap, connection: CompanyIntegration) -> Raw:
    return {key: value for key, value in _plain(map_entry(entity_map, connection)).items() if key != "ID"}


def effect(entity_map: EntityMap) -> Raw:
    """Return what decides what the map makes of a record: nothing that is only shown, and no policy."""
    active = [m for m in entity_map.field_maps if m.status == "Active"]
    names = {m.destination_field_name for m in active}
    maps = [evolve(m, id="", source_field_label="", destination_field_label="", optional=False) for m in active]
    columns = [f for f in entity_map.entity.fields if f.name in names]
    return _plain({"maps": maps, "columns": columns, "match": entity_map.match_strategy})
