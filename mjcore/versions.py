"""The mappings of the past: what a record was made by, where the map has changed since."""

from collections.abc import Iterable
from typing import Any

from attrs import define, evolve, field

from mjcore.capabilities import TransformType
from mjcore.errors import MJError
from mjcore.mapping import MappingPlan, compile_mapping
from mjcore.models import EntityMap, FieldMap, MapVersion
from mjcore.registry import Registry
from mjcore.store import Store
from mjcore.wire import structure


@define
class Versions:
    """The compiled mappings of one entity map, by version; each is compiled when it is asked for first."""

    store: Store
    entity_map: EntityMap
    types: Registry[TransformType[Any]]
    _plans: dict[int, MappingPlan | None] = field(factory=dict)

    def plan(self, version: int) -> MappingPlan | None:
        """Return the mapping of this version; None where it is unknown, or needs what is no longer installed."""
        if version not in self._plans:
            found = self.store.load(MapVersion, entity_map_id=self.entity_map.id, version=version)
            self._plans[version] = self._compiled(found[0]) if found else None
        return self._plans[version]

    def before(self) -> Iterable[MappingPlan]:
        """Yield the mappings of all earlier versions that can still be compiled."""
        for version in range(1, self.entity_map.version):
            if plan := self.plan(version):
                yield plan

    def _compiled(self, saved: MapVersion) -> MappingPlan | None:
        try:
            field_maps: tuple[FieldMap, ...] = structure(tuple[FieldMap, ...], saved.mapping.get("FieldMaps", ()))
            return compile_mapping(evolve(self.entity_map, field_maps=field_maps, version=saved.version), self.types)
        except MJError:
            return None

    def close(self) -> None:
        for plan in self._plans.values():
            if plan is not None:
                plan.close()
