"""A store in memory that holds metadata and the shapes of tables: what `apply` asks of a store, without a database."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import attrs
import pytest

from mjcore.errors import StoreError
from mjcore.models import Entity, EntityMap
from mjcore.wire import unstructure


class ShapeStore:
    """Keeps metadata, and tables as entities. `links`: how many records each entity map has linked."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.tables: dict[str, Entity] = {}
        self.indexes: set[tuple[str, tuple[str, ...]]] = set()
        self.links: dict[str, int] = {}
        self.writes = 0

    def reflect(self, entity: Entity) -> Entity:
        if entity.table not in self.tables:
            raise StoreError(f"no table {entity.table!r}")
        table = self.tables[entity.table]
        return attrs.evolve(
            entity, primary_key=table.primary_key, fields=table.fields, key_origin=table.key_origin, origin="Adopted"
        )

    def as_stored(self, entity: Entity) -> Entity:
        return entity

    def ddl(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> list[str]:
        table = self.tables.get(entity.table)
        held = {f.name for f in table.fields} if table else set()
        statements = [] if table else [f"CREATE TABLE {entity.table}"]
        statements += [f"ALTER TABLE {entity.table} ADD {f.name}" for f in entity.fields if table and f.name not in held]
        return statements + [
            f"CREATE INDEX ON {entity.table} ({', '.join(key)})" for key in indexes if (entity.table, key) not in self.indexes
        ]

    def ensure(self, entity: Entity, indexes: Sequence[tuple[str, ...]] = ()) -> None:
        self.writes += bool(self.ddl(entity, indexes))
        self.tables[entity.table] = entity
        self.indexes |= {(entity.table, key) for key in indexes}

    def is_indexed(self, entity: Entity, fields: tuple[str, ...]) -> bool:
        return (entity.table, fields) in self.indexes

    def load(self, kind: type[Any], *, newest: int | None = None, **where: Any) -> list[Any]:
        found = [o for o in self.objects.values() if type(o) is kind and all(getattr(o, k) == v for k, v in where.items())]
        if kind is EntityMap:
            found = [attrs.evolve(m, entity=self.objects[m.entity.id]) for m in found]
        return sorted(found, key=lambda o: o.id)[-newest if newest else 0 :]

    def save(self, objects: Sequence[Any], remove: Sequence[Any] = (), lease: Any = None) -> None:
        self.writes += 1
        self.objects |= {o.id: deepcopy(o) for o in objects}
        for o in remove:
            del self.objects[o.id]

    def count_links(self, context: Any) -> int:
        return self.links.get(context.entity_map.id, 0)

    def everything(self) -> Any:
        """Return all that was written, to compare."""
        return unstructure({"objects": self.objects, "tables": self.tables, "indexes": sorted(self.indexes)}), self.writes


@pytest.fixture
def shapes() -> ShapeStore:
    return ShapeStore()
