"""Takes existing tables as they are: what each column means and can hold."""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from attrs import evolve

from mj_storage_sql.indexes import indexes_of
from mj_storage_sql.shapes import schema_and_name
from mj_storage_sql.values import DialectName
from mjcore.errors import StoreError, did_you_mean
from mjcore.models import Entity, EntityField


def reflect(cx: sa.Connection, entity: Entity, dialect: DialectName) -> Entity:
    """Return the entity as its table is. `StoreError`: no such table."""
    schema, name = schema_and_name(entity.table, dialect)
    inspector = sa.inspect(cx)
    if not inspector.has_table(name, schema=schema):
        near = did_you_mean(name, inspector.get_table_names(schema=schema))
        raise StoreError(f"mj-storage-sql: no table {entity.table!r}{near}")
    key = tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"])
    unique = {index.columns for index in indexes_of(cx, name, schema) if index.is_unique}
    columns = inspector.get_columns(name, schema=schema)
    declared = _declared(cx, name) if dialect == "sqlite" else {}
    is_rowid = len(key) == 1 and declared.get(key[0]) == "INTEGER" and not _is_without_rowid(cx, name)
    fields = tuple(
        _field(
            column,
            _meaning(column["type"], declared.get(column["name"])),
            is_unique=(column["name"],) in unique,
            is_made=is_rowid and column["name"] in key,
        )
        for column in columns
    )
    made = {c["name"] for c in columns if _has_default(c)} | (set(key) if is_rowid else set())
    is_made = bool(key) and made.issuperset(key)
    return evolve(entity, primary_key=key, fields=fields, key_origin="database" if is_made else "mapped", origin="Adopted")


def _declared(cx: sa.Connection, table: str) -> dict[str, str]:
    """Return the words of the declaration, of which SQLAlchemy keeps only the affinity."""
    rows = cx.exec_driver_sql("SELECT name, upper(type) AS declared FROM pragma_table_info(?)", (table,))
    return {row.name: row.declared for row in rows}


def _is_without_rowid(cx: sa.Connection, table: str) -> bool:
    """Only a table with row ids makes the values of its INTEGER PRIMARY KEY."""
    return bool(cx.exec_driver_sql("SELECT wr FROM pragma_table_list(?)", (table,)).scalar())


def _has_default(column: Mapping[str, Any]) -> bool:
    return bool(column.get("default") is not None or column.get("identity") or column.get("computed"))


def _field(column: Mapping[str, Any], meaning: Mapping[str, Any], *, is_unique: bool, is_made: bool) -> EntityField:
    is_required = not column["nullable"] and not _has_default(column) and not is_made
    return EntityField(column["name"], is_required=is_required, is_unique=is_unique, **meaning)


def _meaning(kind: sa.types.TypeEngine[Any], declared: str | None) -> dict[str, Any]:
    """Return type and limits of a column; `declared` is given for SQLite, which keeps to few limits."""
    is_sqlite = declared is not None
    match kind:
        case _ if is_sqlite and "JSON" in (declared or ""):
            return {"type": "json"}
        case sa.Boolean():
            return {"type": "boolean"}
        case sa.Integer():
            return {"type": "number", "number": "integer", "precision": 64 if is_sqlite else _bits(kind)}
        case sa.Float():
            return {"type": "number", "number": "double"}
        case sa.Numeric():
            return _numeric(kind, declared)
        case sa.DateTime():
            digits = getattr(kind, "precision", None)
            return {"type": "datetime", "has_zone": bool(kind.timezone), "fraction_digits": 6 if digits is None else digits}
        case sa.Date():
            return {"type": "date"}
        case sa.JSON():
            return {"type": "json"}
        case sa.String():
            return {"type": "string", "max_length": kind.length}
        case sa.Uuid():
            return {"type": "string"}
    return {"type": "unknown"}


def _numeric(kind: sa.Numeric[Any], declared: str | None) -> dict[str, Any]:
    """SQLite takes every word that it does not know for a number, so that a column of type UUID holds text."""
    if declared is None:
        return {"type": "number", "precision": kind.precision, "scale": kind.scale}
    return {"type": "number", "number": "numeric"} if re.search("NUM|DEC|MONEY|NUMBER", declared) else {"type": "string"}


def _bits(kind: sa.types.TypeEngine[Any]) -> int:
    return 16 if isinstance(kind, sa.SmallInteger) else 64 if isinstance(kind, sa.BigInteger) else 32
