"""A store as it would be after `apply`: metadata that is not stored lies over what is; nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from attrs import evolve, field, frozen

from mjcore.errors import StoreError
from mjcore.models import Entity, EntityMap
from mjcore.records import JSON, Fields, RowKey, Value
from mjcore.store import Rows, Store

T = TypeVar("T")


@frozen
class ProposedStore:
    """Answers as `real` does, but for metadata, and for tables and columns that are yet to be made: those are empty."""

    real: Store
    objects: Sequence[object]
    """What `apply` would save."""
    _columns: dict[str, frozenset[str]] = field(factory=dict)
    """By entity id: those that its table has."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def load(self, kind: type[T], *, newest: int | None = None, **where: JSON) -> Sequence[T]:
        mine: dict[str, Any] = {cast("Any", item).id: item for item in self.objects if type(item) is kind}
        theirs: list[Any] = [self._with_entity(item) for item in self.real.load(kind, newest=newest, **where)]
        found = [item for item in theirs if item.id not in mine]
        found += [item for item in mine.values() if all(_attribute(item, name) == value for name, value in where.items())]
        return sorted(found, key=lambda item: item.id)[-newest if newest else 0 :]

    def _with_entity(self, item: Any) -> Any:
        if not isinstance(item, EntityMap):
            return item
        fresh = [entity for entity in self.objects if isinstance(entity, Entity) and entity.id == item.entity.id]
        return evolve(item, entity=fresh[0]) if fresh else item

    def _there(self, entity: Entity) -> frozenset[str]:
        """Return the columns that are there already; none where there is no table."""
        if entity.id not in self._columns:
            try:
                table = self.real.reflect(entity)
                self._columns[entity.id] = frozenset([*table.primary_key, *(column.name for column in table.fields)])
            except StoreError:
                self._columns[entity.id] = frozenset()
        return self._columns[entity.id]

    def read(self, entity: Entity, keys: Sequence[RowKey], fields: tuple[str, ...]) -> Mapping[RowKey, Fields]:
        there = self._there(entity)
        if not there:
            return {}
        found = self.real.read(entity, keys, tuple(name for name in fields if name in there))
        return {key: {name: row.get(name) for name in fields} for key, row in found.items()}

    def rows(self, entity: Entity) -> Rows:
        return ProposedRows(self.real.rows(entity), self._there(entity))


@frozen
class ProposedRows:
    """The rows of one entity."""

    real: Rows
    there: frozenset[str]

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        return self.real.find(fields, keys) if self.there.issuperset(fields) else {}

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        known = tuple(name for name in fields if name in self.there)
        for key, values in self.real.scan(known) if self.there else ():
            row = dict(zip(known, values, strict=True))
            yield key, tuple(row.get(name) for name in fields)


def _attribute(item: Any, name: str) -> Any:
    return item.entity.id if isinstance(item, EntityMap) and name == "entity_id" else getattr(item, name)
