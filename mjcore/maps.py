"""The entity maps of a document: resolved, checked, and told apart from those that are stored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from mjcore.checks import check_direction, check_map, matching
from mjcore.document import ConnectionEntry, EntityMapEntry
from mjcore.errors import ConfigError, Problem, did_you_mean
from mjcore.ids import new_id
from mjcore.models import CompanyIntegration, ConnectionMetadata, Entity, EntityMap, SyncContext, SyncDirection
from mjcore.snapshot import Snapshot, map_by_identity, pair
from mjcore.wording import counted

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@define
class MapResolver:
    """Resolves entity maps; faults go to `problems`. `entities`: every known name, None for a malformed entry."""

    kernel: "Kernel"
    stored: Snapshot
    entities: Mapping[str, Entity | None]
    problems: list[Problem]
    warnings: list[Problem]
    match_keys: dict[str, set[tuple[str, ...]]] = field(factory=dict)
    """By entity id: which fields are looked up together."""
    mentioned: set[str] = field(factory=set)
    """Ids of the maps that were resolved."""

    def of_connection(self, entry: ConnectionEntry, connection: CompanyIntegration | None) -> list[EntityMap]:
        """Return the connection's entity maps, with the stored ones that the document leaves out."""
        stored = self.stored.maps.get(connection.id, ()) if connection else ()
        made = [m for e in entry.entity_maps if (m := self.resolve(e, entry.provider, entry.sync_direction, stored))]
        self.mentioned |= {m.id for m in made}
        fresh = {e.id: e for e in self.entities.values() if e}
        kept = [evolve(m, entity=fresh.get(m.entity.id, m.entity)) for m in stored if m.id not in self.mentioned]
        if entry.is_whole:
            self._warn_of_references(entry, [*made, *kept])
        for entity_map in made:
            self._match_key(entity_map)
        return [*made, *kept]

    def resolve(
        self, entry: EntityMapEntry, provider: str, direction: SyncDirection, stored: Sequence[EntityMap] = ()
    ) -> EntityMap | None:
        """Return the entity map, checked; None where its entity is unknown."""
        if entry.entity not in self.entities:
            near = did_you_mean(entry.entity, self.entities)
            self.problems.append(Problem(f"{entry.path}.Entity", f"no entity {entry.entity!r}{near}; add it to Entities"))
        entity = self.entities.get(entry.entity)
        if provider in self.kernel.provider_types and entry.sync_direction is not None:
            faults = check_direction(self.kernel.provider_types[provider], entry.sync_direction)
            self.problems += [p.under(entry.path) for p in faults]
        if entity is None:
            return None
        made = _made(entry, entity, direction, stored)
        self.problems += [p.under(entry.path) for p in check_map(self.kernel, made, is_whole=entry.is_whole)]
        if not made.match_strategy and any(m.is_key_field for m in made.field_maps):
            self.warnings.append(Problem(f"{entry.path}.MatchStrategy", "none, so IsKeyField has no effect: only links decide"))
        return made

    def check_others(self) -> None:
        """Check the stored maps that the document leaves out, where they write an entity that it changes."""
        before = {e.id: e for e in self.stored.entities}
        changed = {e.id: e for e in self.entities.values() if e and e.id in before and e != before[e.id]}
        for connection in self.stored.connections:
            for stored in self.stored.maps.get(connection.id, ()):
                if stored.entity.id in changed and stored.id not in self.mentioned and stored.status == "Active":
                    entity_map = evolve(stored, entity=changed[stored.entity.id])
                    where = f"Connections[{connection.name}].EntityMaps[{stored.external_object_name}]"
                    self.problems += [p.under(where) for p in check_map(self.kernel, entity_map, is_whole=True)]

    def orphans(self, entry: ConnectionEntry, found: ConnectionMetadata, same: CompanyIntegration) -> Iterator[Problem]:
        """Refuse to point a map that has links elsewhere: they would mean other records, or other rows."""
        before = {m.id: m for m in self.stored.maps.get(same.id, ())}
        for new in found.entity_maps:
            old = before.get(new.id)
            if old is None:
                continue
            if _target(old) != _target(new) or same.integration_provider_id != found.provider.id:
                links = count_links(self.kernel, same, old)
                if links:
                    label = f"{old.external_object_name} → {old.entity.name} ({old.entity.table})"
                    fault = f"{counted(links, 'record is', 'records are')} linked as {label}"
                    yield Problem(f"{entry.path}.EntityMaps", f"{fault}; leave ID out to make it a new map beside that one")

    def _match_key(self, entity_map: EntityMap) -> None:
        try:
            _, matcher = matching(self.kernel, entity_map)
        except ConfigError:
            return  # a problem already
        if matcher is not None and matcher.fields:
            self.match_keys.setdefault(entity_map.entity.id, set()).add(tuple(matcher.fields))

    def _warn_of_references(self, entry: ConnectionEntry, maps: Sequence[EntityMap]) -> None:
        filled = {m.entity.name for m in maps}
        for entity_map in maps:
            for name in dict.fromkeys(m.destination_field_name for m in entity_map.field_maps):
                column = entity_map.entity.field(name)
                if column and column.type == "reference" and column.entity not in filled:
                    fault = f"{name!r} points to {column.entity}, which no map of this connection fills: it stays empty"
                    self.warnings.append(Problem(f"{entry.path}.EntityMaps", fault))


def count_links(kernel: "Kernel", connection: CompanyIntegration, entity_map: EntityMap) -> int:
    """Return how many records a stored map has linked."""
    context = SyncContext("", connection.name, "", entity_map, "Pull", "Manual", kernel.now(), connection.id)
    return kernel.store.count_links(context)


def _target(entity_map: EntityMap) -> tuple[str, str, str, tuple[str, ...]]:
    entity = entity_map.entity
    return (entity_map.external_object_name, entity.id, entity.table, entity.primary_key)


def _made(entry: EntityMapEntry, entity: Entity, direction: SyncDirection, stored: Sequence[EntityMap]) -> EntityMap:
    same = map_by_identity(stored, entry.id, entry.external_object_name, entry.entity)
    before = same.field_maps if same else ()
    given = before if entry.field_maps is None else entry.field_maps
    return EntityMap(
        external_object_name=entry.external_object_name,
        entity=entity,
        field_maps=tuple(evolve(m, id=old.id if old else m.id or new_id()) for m, old in pair(given, before)),
        match_strategy=entry.match_strategy,
        conflict_resolution=entry.conflict_resolution,
        delete_behavior=entry.delete_behavior,
        priority=entry.priority,
        precedence=entry.precedence,
        sync_direction=entry.sync_direction or direction,
        sync_enabled=entry.sync_enabled,
        external_object_label=entry.external_object_label,
        initial_since=entry.initial_since,
        configuration=entry.configuration,
        status=entry.status,
        version=same.version if same else 1,
        company_integration_id=same.company_integration_id if same else "",
        id=same.id if same else entry.id or new_id(),
    )
