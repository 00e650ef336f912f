"""Stored objects: the classes of `mjcore.models` that have an id, as rows of the engine's tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from attrs import asdict, evolve, fields, frozen

from mj_storage_sql import tables
from mjcore.errors import StoreError
from mjcore.models import (
    Company,
    CompanyIntegration,
    Entity,
    EntityField,
    EntityMap,
    ExternalSchema,
    FieldMap,
    IntegrationProvider,
    IntegrationRun,
    IntegrationRunDetail,
    MapVersion,
    Template,
    TransformStep,
)
from mjcore.records import JSON

T = TypeVar("T")
Row = Mapping[str, Any]


def _as_they_are(values: dict[str, Any]) -> dict[str, Any]:
    return values


@frozen
class Kind:
    """A class and its table, whose columns are the class's attributes; `of_row` mends what JSON lost."""

    table: sa.Table
    of_row: Callable[[dict[str, Any]], dict[str, Any]] = _as_they_are


def _entity(values: dict[str, Any]) -> dict[str, Any]:
    columns = tuple(EntityField(**column) for column in values["fields"])
    return {**values, "primary_key": tuple(values["primary_key"]), "fields": columns}


def _template(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "entity_maps": tuple(values["entity_maps"])}


KINDS: Mapping[type[Any], Kind] = {
    Company: Kind(tables.COMPANY),
    Entity: Kind(tables.ENTITY, _entity),
    IntegrationProvider: Kind(tables.PROVIDER),
    Template: Kind(tables.TEMPLATE, _template),
    CompanyIntegration: Kind(tables.CONNECTION),
    EntityMap: Kind(tables.ENTITY_MAP),
    MapVersion: Kind(tables.MAP_VERSION),
    ExternalSchema: Kind(tables.EXTERNAL_SCHEMA),
    IntegrationRun: Kind(tables.RUN),
    IntegrationRunDetail: Kind(tables.RUN_DETAIL),
}


def _kind(of: type[Any]) -> Kind:
    if of not in KINDS:
        raise StoreError(f"mj-storage-sql: keeps no {of.__name__}; it keeps {', '.join(k.__name__ for k in KINDS)}")
    return KINDS[of]


# --- Loading -----------------------------------------------------------------------------------------


def load(connection: sa.Connection, kind: type[T], where: Mapping[str, JSON], newest: int | None = None) -> Sequence[T]:
    """Return objects whose attributes equal `where`, in the order of their ids. `StoreError`: no such class or attribute."""
    stored = _kind(kind)
    unknown = set(where) - set(stored.table.c.keys())
    if unknown:
        raise StoreError(f"mj-storage-sql: {kind.__name__} cannot be looked up by {', '.join(sorted(unknown))}")
    query = sa.select(stored.table).where(*(stored.table.c[name] == value for name, value in where.items()))
    ordered = query.order_by(stored.table.c.id.desc() if newest else stored.table.c.id).limit(newest)
    rows = [dict(row) for row in connection.execute(ordered).mappings()]
    if newest:
        rows.reverse()
    if kind is EntityMap:
        return cast("Sequence[T]", _entity_maps(connection, rows))
    return [kind(**stored.of_row(row)) for row in rows]


def _entity_maps(connection: sa.Connection, rows: Sequence[Row]) -> list[EntityMap]:
    entities = {e.id: e for e in _by(connection, tables.ENTITY, "id", {row["entity_id"] for row in rows}, _as_entity)}
    for row in rows:
        if row["entity_id"] not in entities:
            raise StoreError(
                f"mj-storage-sql: entity map {row['external_object_name']!r} ({row['id']}) fills the entity {row['entity_id']}, "
                "which is gone from mj_entity: put its row back, or delete the map's from mj_integration_entity_map"
            )
    ids = {row["id"] for row in rows}
    field_maps: dict[str, list[FieldMap]] = {}
    for row in _by(connection, tables.FIELD_MAP, "entity_map_id", ids, dict):
        field_maps.setdefault(row.pop("entity_map_id"), []).append(_field_map(row))
    return [
        EntityMap(
            entity=entities[row["entity_id"]],
            field_maps=tuple(field_maps.get(row["id"], ())),
            **{name: value for name, value in row.items() if name != "entity_id"},
        )
        for row in rows
    ]


def _by(
    connection: sa.Connection, table: sa.Table, column: str, values: Iterable[str], make: Callable[[dict[str, Any]], T]
) -> list[T]:
    """Return what `make` makes of the rows whose `column` is one of `values`."""
    order = table.c.position if "position" in table.c else table.c.id
    query = sa.select(table).where(table.c[column].in_(sorted(values))).order_by(order)
    return [make(dict(row)) for row in connection.execute(query).mappings()]


def _as_entity(row: dict[str, Any]) -> Entity:
    return Entity(**_entity(row))


def _field_map(row: dict[str, Any]) -> FieldMap:
    steps = tuple(TransformStep(s["Type"], s["Config"], s["OnError"]) for s in row.pop("transform_pipeline"))
    del row["position"]
    return FieldMap(transform_pipeline=steps, **row)


# --- Saving ------------------------------------------------------------------------------------------


def save(connection: sa.Connection, objects: Sequence[object], remove: Sequence[object]) -> None:
    """Insert or replace by id, and remove; whole classes at a time."""
    for kind in {type(item): None for item in (*remove, *objects)}:
        table = _kind(kind).table
        gone = [cast("Any", item).id for item in (*remove, *objects) if type(item) is kind]
        for i in range(0, len(gone), 500):
            some = gone[i : i + 500]
            connection.execute(sa.delete(table).where(table.c.id.in_(some)))
            if kind is EntityMap:
                connection.execute(sa.delete(tables.FIELD_MAP).where(tables.FIELD_MAP.c.entity_map_id.in_(some)))
        rows = [_row(item, table) for item in objects if type(item) is kind]
        if rows:
            connection.execute(sa.insert(table), rows)
    field_maps = [row for item in objects if isinstance(item, EntityMap) for row in _field_map_rows(item)]
    if field_maps:
        connection.execute(sa.insert(tables.FIELD_MAP), field_maps)


def _row(item: object, table: sa.Table) -> dict[str, Any]:
    if isinstance(item, EntityMap):
        return {"entity_id": item.entity.id, **{c.name: getattr(item, c.name) for c in table.c if c.name != "entity_id"}}
    if isinstance(item, Entity):
        return asdict(item, filter=lambda attribute, _: attribute.init)
    return {a.name: getattr(item, a.name) for a in fields(type(item)) if a.init}  # type: ignore[arg-type]  # an attrs class, see KINDS


def _field_map_rows(entity_map: EntityMap) -> Iterable[dict[str, Any]]:
    for position, field_map in enumerate(entity_map.field_maps):
        row = asdict(evolve(field_map, transform_pipeline=()))
        row["transform_pipeline"] = [
            {"Type": s.type, "Config": s.config, "OnError": s.on_error} for s in field_map.transform_pipeline
        ]
        yield {**row, "entity_map_id": entity_map.id, "position": position}
