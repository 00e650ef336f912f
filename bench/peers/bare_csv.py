"""A bare script that leaves the same rows, links, audit entries and indexes of a CSV file as mjcore does, and checks nothing."""

import csv
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import getrandbits
from typing import Any

import msgspec

from bench.csvfile import COLUMNS
from bench.shape import BATCH

encode = msgspec.json.Encoder().encode
KEYED = ("key", *COLUMNS)
TABLES = {
    "person": KEYED,
    "link": ("external_id", "key", "base", "hash", "created_by"),
    "change": ("id", "run", "key", "external_id", "kind", "new"),
}
INDEXES = (
    "CREATE INDEX person_id ON person (id)",
    "CREATE INDEX link_key ON link (key)",
    "CREATE INDEX change_key ON change (key)",
)


def key() -> str:
    """Return a key in order of time, as mjcore's are: random ones would cost SQLite's indexes several times as much."""
    return f"{time.time_ns():016x}{getrandbits(64):016x}"


def batches(path: str) -> Iterator[dict[str, list[Sequence[Any]]]]:
    """Yield the rows of each table, a batch at a time."""
    with Path(path).open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        while rows := list(islice(reader, BATCH)):
            keys = [key() for _ in rows]
            raw = [encode(dict(zip(COLUMNS, row, strict=True))).decode() for row in rows]
            yield {
                "person": [(k, *row) for k, row in zip(keys, rows, strict=True)],
                "link": [(r[0], k, base, hash(base), "run") for r, k, base in zip(rows, keys, raw, strict=True)],
                "change": [(key(), "run", k, r[0], "create", new) for r, k, new in zip(rows, keys, raw, strict=True)],
            }


def definitions() -> list[str]:
    created = [
        f"CREATE TABLE {table} ({', '.join(f'{name} text' for name in names)}, PRIMARY KEY ({names[0]}))"
        for table, names in TABLES.items()
    ]
    return [*created, *INDEXES]


def to_sqlite(path: str, source: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        for statement in definitions():
            database.execute(statement)
        for batch in batches(source):
            with database:
                for table, rows in batch.items():
                    marks = ",".join("?" * len(TABLES[table]))
                    database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def to_postgresql(url: str, source: str) -> None:
    import psycopg

    with psycopg.connect(url) as database:
        for statement in definitions():
            database.execute(statement)
        database.commit()
        for batch in batches(source):
            with database.transaction(), database.cursor() as cursor:
                for table, rows in batch.items():
                    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)


if __name__ == "__main__":
    store, source = sys.argv[1:]
    if store.startswith("sqlite"):
        to_sqlite(store.removeprefix("sqlite:///"), source)
    else:
        to_postgresql(store, source)
