"""The peers on other shapes of data: the files of a folder, each into a table of its name.

`floor` writes texts as they are; `handwritten` converts and upserts with SQLAlchemy Core, as one would in an afternoon.
"""

import csv
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import frozen

from bench.shape import BATCH

CONVERTERS: dict[str, Callable[[str], Any]] = {"n": int, "d": date.fromisoformat}
"""By the first letter of a column's name; all others are text. An empty cell is null."""


@frozen
class Table:
    """One file."""

    path: Path
    names: Sequence[str]

    @classmethod
    def of(cls, path: Path) -> "Table":
        with path.open(newline="") as file:
            return cls(path, next(csv.reader(file)))

    @property
    def name(self) -> str:
        return self.path.stem

    def raw(self, size: int = BATCH) -> Iterator[list[list[str]]]:
        """Yield batches of rows as they stand."""
        with self.path.open(newline="") as file:
            reader = csv.reader(file)
            next(reader)
            while rows := list(islice(reader, size)):
                yield rows

    def typed(self, size: int = BATCH) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of rows by column, converted."""
        kinds = [CONVERTERS.get(name[0]) for name in self.names]
        for rows in self.raw(size):
            typed = [[None if v == "" else v if c is None else c(v) for v, c in zip(row, kinds, strict=True)] for row in rows]
            yield [dict(zip(self.names, row, strict=True)) for row in typed]


def tables(folder: str) -> list[Table]:
    """Return the files of a folder."""
    return [Table.of(path) for path in sorted(Path(folder).iterdir())]


def created(table: Table) -> str:
    return f"CREATE TABLE {table.name} ({', '.join(f'{name} text' for name in table.names)}, PRIMARY KEY ({table.names[0]}))"


def floor(store: str, folder: str) -> None:
    """Insert the texts of each file into a table."""
    if store.startswith("sqlite"):
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            for table in tables(folder):
                database.execute(created(table))
                for rows in table.raw():
                    with database:
                        marks = ",".join("?" * len(table.names))
                        database.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
        return
    import psycopg

    with psycopg.connect(store) as connection:
        for table in tables(folder):
            connection.execute(created(table))
            connection.commit()
            for rows in table.raw():
                with connection.transaction(), connection.cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)


def handwritten(store: str, folder: str) -> None:
    """Convert and upsert each file."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite

    engine = sa.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    types: dict[str, Any] = {"n": sa.BigInteger, "d": sa.Date}
    metadata = sa.MetaData()
    for table in tables(folder):
        columns = [sa.Column(name, types.get(name[0], sa.Text), primary_key=name == "id") for name in table.names]
        target = sa.Table(table.name, metadata, *columns)
        target.create(engine)
        insert: Any = (sqlite if engine.dialect.name == "sqlite" else postgresql).insert(target)
        sets = {name: insert.excluded[name] for name in table.names[1:]}
        for rows in table.typed():
            with engine.begin() as database:
                database.execute(insert.on_conflict_do_update(index_elements=["id"], set_=sets), rows)
    engine.dispose()


if __name__ == "__main__":
    {"floor": floor, "handwritten": handwritten}[sys.argv[3]](*sys.argv[1:3])
