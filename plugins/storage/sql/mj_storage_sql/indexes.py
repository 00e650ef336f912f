"""What a table has indexes on."""

import sqlalchemy as sa
from attrs import frozen


@frozen
class Index:
    """Whole columns only: an index of expressions or of a part of the rows serves no look-up by value."""

    columns: tuple[str, ...]
    is_unique: bool


def indexes_of(cx: sa.Connection, name: str, schema: str | None) -> list[Index]:
    """Return the indexes of a table, those of its keys and constraints too."""
    inspector = sa.inspect(cx)
    key = inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]
    found = [Index(tuple(key), is_unique=True)] if key else []
    if cx.dialect.name == "sqlite":
        return found + _of_sqlite(cx, name)
    found += [Index(tuple(c["column_names"]), is_unique=True) for c in inspector.get_unique_constraints(name, schema=schema)]
    for index in inspector.get_indexes(name, schema=schema):
        if None not in index["column_names"] and "postgresql_where" not in index.get("dialect_options", {}):
            found.append(Index(tuple(map(str, index["column_names"])), bool(index["unique"])))
    return found


def _of_sqlite(cx: sa.Connection, name: str) -> list[Index]:
    """SQLAlchemy overlooks constraints without a name, and warns of expressions."""
    rows = cx.exec_driver_sql('SELECT name, "unique" FROM pragma_index_list(?) WHERE NOT partial', (name,)).all()
    found = []
    for index, is_unique in rows:
        columns = cx.exec_driver_sql("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).scalars().all()
        if None not in columns:
            found.append(Index(tuple(columns), bool(is_unique)))
    return found
