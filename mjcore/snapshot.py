"""The stored metadata as a whole: read once, looked up by identity."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from attrs import frozen

from mjcore.models import Company, CompanyIntegration, Entity, EntityMap, FieldMap, IntegrationProvider, Template
from mjcore.store import Store


class Named(Protocol):
    """What has an identity of its own."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


@frozen
class Snapshot:
    """Everything that `apply` may change."""

    companies: Sequence[Company]
    entities: Sequence[Entity]
    providers: Sequence[IntegrationProvider]
    templates: Sequence[Template]
    connections: Sequence[CompanyIntegration]
    maps: Mapping[str, Sequence[EntityMap]]
    """By the id of their connection."""


def take(store: Store) -> Snapshot:
    """Read the store."""
    maps: dict[str, list[EntityMap]] = {}
    for entity_map in store.load(EntityMap):
        maps.setdefault(entity_map.company_integration_id, []).append(entity_map)
    return Snapshot(
        store.load(Company),
        store.load(Entity),
        store.load(IntegrationProvider),
        store.load(Template),
        store.load(CompanyIntegration),
        maps,
    )


def by_identity(stored: Iterable[N], id_: str, name: str) -> N | None:
    """Return the object with this id; without an id, the one with this name."""
    return next((item for item in stored if (item.id == id_ if id_ else item.name == name)), None)


def map_by_identity(stored: Iterable[EntityMap], id_: str, object_name: str, entity: str) -> EntityMap | None:
    """Return the entity map with this id; without one, the one of this external object and entity."""
    wanted = (object_name, entity)
    return next((m for m in stored if (m.id == id_ if id_ else (m.external_object_name, m.entity.name) == wanted)), None)


def pair(field_maps: Sequence[FieldMap], stored: Sequence[FieldMap]) -> list[tuple[FieldMap, FieldMap | None]]:
    """Pair field maps with the stored ones: by id, else by destination and direction; several of those by their order."""
    left = {m.id: m for m in stored}
    by_id = {m.id: left.pop(m.id, None) for m in field_maps if m.id}

    def take_same(field_map: FieldMap) -> FieldMap | None:
        key = (field_map.destination_field_name, field_map.direction)
        same = next((m for m in left.values() if (m.destination_field_name, m.direction) == key), None)
        return left.pop(same.id) if same else None

    return [(m, by_id[m.id] if m.id else take_same(m)) for m in field_maps]
