"""References between entities: external ids become row keys through the links of the same connection."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from mjcore.models import EntityField, EntityMap, SyncContext
from mjcore.records import ABSENT, MappedRecord, RowKey, Value
from mjcore.store import Store


@frozen
class References:
    """Resolves the reference fields of one entity map. `targets`: per field the maps that fill the entity it points to."""

    store: Store
    context: SyncContext
    targets: Mapping[str, Sequence[EntityMap]]

    @classmethod
    def of(cls, store: Store, context: SyncContext, mapped: Iterable[str], maps: Sequence[EntityMap]) -> "References":
        """`mapped` are the fields that the map fills, `maps` those of the same connection."""
        columns = [column for name in mapped if (column := context.entity.field(name)) and column.type == "reference"]
        filling = [m for m in maps if m.status == "Active" and m.sync_direction != "Push"]
        return cls(store, context, {c.name: [m for m in filling if m.entity.name == c.entity] for c in columns})

    def resolve(self, records: Sequence[MappedRecord]) -> tuple[Sequence[MappedRecord], set[str]]:
        """Return records with row keys for external ids, and the ids of those that hold one without a row yet.

        What cannot be resolved yet leaves its field alone.
        """
        if not self.targets or not records:
            return records, set()
        rows, unresolved = [dict(record.values) for record in records], set()
        for name in self.targets:
            keys = self._keys(name, {row[name] for row in rows if row.get(name) is not None})
            for record, row in zip(records, rows, strict=True):
                if row.get(name) is None:
                    continue
                row[name] = keys.get(row[name], ABSENT)
                if row[name] is ABSENT:
                    del row[name]
                    unresolved.add(record.source.external_id)
        return [evolve(record, values=row) for record, row in zip(records, rows, strict=True)], unresolved

    def _keys(self, name: str, external_ids: set[Value]) -> dict[Value, Value]:
        """Return the row keys of external ids; of several maps the first that has linked one."""
        found: dict[Value, Value] = {}
        column = self.context.entity.field(name) or EntityField(name)
        for entity_map in self.targets[name]:
            missing = {str(i): i for i in external_ids if i not in found}
            if not missing:
                break
            links = self.store.links(evolve(self.context, entity_map=entity_map), sorted(missing))
            found |= {missing[i]: held(column, link.key) for i, link in links.items() if not link.is_tombstone}
        return found


def held(column: EntityField, key: RowKey) -> Value:
    """Return a row's key as a reference holds it: a column of text holds its text."""
    return str(key[0]) if column.number == "decimal" else key[0]
