"""Creates and extends entity tables, and indexes what is looked up; prints the same statements for a dry run."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

import sqlalchemy as sa
from attrs import evolve
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from mj_storage_sql.indexes import indexes_of
from mj_storage_sql.shapes import as_table, columns_of, schema_and_name
from mj_storage_sql.values import NUMBERS, DialectName
from mjcore.models import Entity, EntityField


def as_stored(entity: Entity, dialect: DialectName) -> Entity:
    """Return the entity with its columns as this database holds them: SQLite keeps numbers as 64-bit integers or doubles."""
    return evolve(entity, fields=tuple(_as_stored(f, dialect) if f.type in NUMBERS and not f.exact else f for f in entity.fields))


def _as_stored(column: EntityField, dialect: DialectName) -> EntityField:
    if dialect == "sqlite":
        return evolve(column, number="numeric") if column.number == "decimal" else column
    return evolve(column, number="decimal") if column.number == "numeric" else column


def statements(cx: sa.Connection, entity: Entity, indexes: Sequence[tuple[str, ...]], dialect: DialectName) -> Iterator[str]:
    """Yield what creates or extends the table; nothing when it is there already."""
    table = as_table(entity, dialect)
    inspector = sa.inspect(cx)
    if inspector.has_table(table.name, schema=table.schema):
        yield from _extensions(cx, table, entity, dialect)
    else:
        yield _sql(cx, CreateTable(table))
    for fields in indexes:
        if not is_indexed(cx, entity, fields, dialect):
            columns = [table.c[name] for name in fields]
            yield _sql(cx, CreateIndex(sa.Index(_index_name(entity, fields), *columns)))


def _extensions(cx: sa.Connection, table: sa.Table, entity: Entity, dialect: DialectName) -> Iterator[str]:
    fold = str.casefold if dialect == "sqlite" else str
    held = {fold(c["name"]) for c in sa.inspect(cx).get_columns(table.name, schema=table.schema)}
    name = _dialect(cx).identifier_preparer.format_table(table)
    for column in columns_of(entity):
        if fold(column.name) in held:
            continue
        spec = _sql(cx, CreateColumn(table.c[column.name]))
        yield f"ALTER TABLE {name} ADD COLUMN {spec}"
        if column.is_unique:
            index = sa.Index(_index_name(entity, (column.name,)), table.c[column.name], unique=True)
            yield _sql(cx, CreateIndex(index))


def _dialect(cx: sa.Connection) -> sa.Dialect:
    """Not the connection's own: that of psycopg doubles the per cent signs of names, as for a statement with parameters."""
    kind: Callable[..., sa.Dialect] = type(cx.dialect)
    return kind(paramstyle="named")


def _sql(cx: sa.Connection, element: sa.schema.DDLElement | CreateColumn) -> str:
    return str(element.compile(dialect=_dialect(cx))).strip()


def _index_name(entity: Entity, fields: Sequence[str]) -> str:
    """A name of at most 63 characters, told apart by a hash."""
    told = blake2b(repr((entity.table, tuple(fields))).encode(), digest_size=4).hexdigest()
    return f"ix_{'_'.join((entity.table, *fields))[:50]}_{told}"


def is_indexed(cx: sa.Connection, entity: Entity, fields: Sequence[str], dialect: DialectName) -> bool:
    """Tell whether an index begins with these columns, in any order."""
    schema, name = schema_and_name(entity.table, dialect)
    if not sa.inspect(cx).has_table(name, schema=schema):
        return False
    held = [index.columns for index in indexes_of(cx, name, schema)]
    return any(set(columns[: len(fields)]) == set(fields) for columns in held if len(columns) >= len(fields))
