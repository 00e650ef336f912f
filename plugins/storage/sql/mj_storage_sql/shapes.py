"""Entity tables: what they are called, how their columns are declared, and their codecs."""

from typing import Any

import sqlalchemy as sa
from attrs import evolve
from sqlalchemy.types import TypeEngine, UserDefinedType

from mj_storage_sql.grid import Bulk, Grid
from mj_storage_sql.values import NUMBERS, Codec, DialectName, codec_of
from mjcore.models import Entity, EntityField


def schema_and_name(table: str, dialect: DialectName) -> tuple[str | None, str]:
    """Return schema and name: on PostgreSQL `crm.contacts` is a table of the schema `crm`."""
    schema, dot, name = table.partition(".")
    return (schema, name) if dot and dialect == "postgresql" else (None, table)


def columns_of(entity: Entity) -> list[EntityField]:
    """Return every column: a key that is no field is text that the kernel makes, or a number that the database makes."""
    named = {f.name for f in entity.fields}
    key = EntityField("", "number", number="integer") if entity.key_origin == "database" else EntityField("")
    keys = [evolve(key, name=name) for name in entity.primary_key if name not in named]
    return [*keys, *entity.fields]


def grid_of(entity: Entity, dialect: DialectName, bulk: Bulk) -> Grid:
    """Return the table as bulk statements see it."""
    schema, name = schema_and_name(entity.table, dialect)
    sql = f"{bulk.quote(schema)}.{bulk.quote(name)}" if schema else bulk.quote(name)
    return Grid(sql, {column.name: codec_of(column, dialect) for column in columns_of(entity)})


def key_codecs(entity: Entity, grid: Grid) -> list[Codec]:
    return [grid.codecs[name] for name in entity.primary_key]


class JSONText(UserDefinedType[str]):
    """JSON on SQLite: `TEXT` in the name keeps numbers from being converted, `JSON` says what it is."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "JSON_TEXT"


def type_of(column: EntityField, dialect: DialectName) -> TypeEngine[Any]:
    """Return how a column of a created table is declared."""
    is_sqlite = dialect == "sqlite"
    if column.type in NUMBERS:
        return _number(column, is_sqlite=is_sqlite)
    if column.type == "boolean":
        return sa.Boolean()
    if column.type == "date":
        return sa.Date()
    if column.type == "datetime":
        return sa.DateTime() if is_sqlite else _timestamp(column)
    if column.type == "json":
        return JSONText() if is_sqlite else _jsonb()
    return sa.String(column.max_length) if column.max_length else sa.Text()


def _timestamp(column: EntityField) -> TypeEngine[Any]:
    from sqlalchemy.dialects import postgresql

    digits = column.fraction_digits
    return postgresql.TIMESTAMP(timezone=column.has_zone, precision=digits if digits < 6 else None)


def _jsonb() -> TypeEngine[Any]:
    from sqlalchemy.dialects import postgresql

    return postgresql.JSONB()


def _number(column: EntityField, *, is_sqlite: bool) -> TypeEngine[Any]:
    if column.exact and is_sqlite:
        return sa.Text()
    if column.number == "integer":
        return sa.SmallInteger() if column.precision == 16 else sa.Integer() if column.precision == 32 else sa.BigInteger()
    if column.number == "double":
        return sa.Double()
    return sa.Numeric(column.precision, column.scale)


def as_table(entity: Entity, dialect: DialectName) -> sa.Table:
    """Return the table to create."""
    schema, name = schema_and_name(entity.table, dialect)
    is_generated = entity.key_origin == "database" and len(entity.primary_key) == 1
    columns = []
    for column in columns_of(entity):
        is_key = column.name in entity.primary_key
        kind: TypeEngine[Any] = type_of(column, dialect)
        if is_key and is_generated and column.type in NUMBERS:
            kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        columns.append(
            sa.Column(
                column.name,
                kind,
                *([sa.Identity()] if is_key and is_generated and dialect == "postgresql" else []),
                nullable=not (column.is_required or is_key),
                unique=column.is_unique and not is_key,
                primary_key=is_key,
                autoincrement=is_key and is_generated,
            )
        )
    keys = sa.PrimaryKeyConstraint(*entity.primary_key)
    return sa.Table(name, sa.MetaData(), *columns, keys, schema=schema)
