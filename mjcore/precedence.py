"""Several maps that write one entity: which fields of a row belong to a map of higher precedence."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from mjcore.mapping import active_field_maps
from mjcore.models import EntityMap
from mjcore.records import RowKey
from mjcore.store import Store


@frozen
class Precedence:
    """`fields`: by the id of each map that ranks higher, what it writes."""

    store: Store
    entity_map: EntityMap
    fields: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, store: Store, entity_map: EntityMap) -> "Precedence":
        """Look up the maps of all connections that write the same entity."""
        others = store.load(EntityMap, entity_id=entity_map.entity.id, status="Active")
        higher = [m for m in others if m.precedence > entity_map.precedence and m.sync_enabled]
        written = {m.id: frozenset(f.destination_field_name for f in active_field_maps(m, "Pull")) for m in higher}
        return cls(store, entity_map, written)

    def taken(self, keys: Sequence[RowKey]) -> Mapping[RowKey, frozenset[str]]:
        """Return, by row, the fields that belong to maps which have linked it and rank higher."""
        if not self.fields or not keys:
            return {}
        holders = self.store.linked(self.entity_map.entity, sorted(set(keys)))
        taken = {key: [self.fields[m] for m, _ in links if m in self.fields] for key, links in holders.items()}
        return {key: frozenset().union(*fields) for key, fields in taken.items() if fields}
