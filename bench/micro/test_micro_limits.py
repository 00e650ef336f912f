"""The least that stages could take: the same bytes, by the same libraries, with nothing around them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from marshal import dumps
from typing import Any

import msgspec
import psycopg
import pytest

from bench.databases import Databases
from bench.micro.chosen import CHOSEN
from bench.micro.opened import Opened, Timed
from bench.shape import BATCH, PAGE

encode = msgspec.json.Encoder().encode
Rows = Sequence[Sequence[Any]]


def test_limit_decode(timed: Timed, plain: Opened) -> None:
    """Pages as they come, decoded to dicts."""
    found = [{"id": r.external_id, "properties": r.fields} for r in plain.records]
    pages = [encode({"results": found[i : i + PAGE]}) for i in range(0, BATCH, PAGE)]
    decoder = msgspec.json.Decoder()
    assert len(timed(lambda: [decoder.decode(page) for page in pages])) == BATCH // PAGE


def test_limit_hash(timed: Timed, plain: Opened) -> None:
    """A hash of the mapped fields."""
    rows = [tuple(record.fields.get(name) for name in plain.batches.plan.source_fields) for record in plain.records]
    found = timed(lambda: [blake2b(dumps(row, 0), digest_size=16).digest() for row in rows])
    assert len(set(found)) == BATCH


def written(opened: Opened) -> dict[str, Rows]:
    """Return what a batch of creates writes, as text; the first column of each table is its key."""
    write = opened.decided(opened.fresh())
    links = [(link.external_id, *link.key, link.content_hash.hex(), encode(link.source_values).decode()) for link in write.links]
    audit = [(*change.key, change.kind, change.external_id, encode(change.new).decode()) for change in write.changes]
    return {"rows": [(*change.key, *map(str, change.new.values())) for change in write.changes], "links": links, "audit": audit}


class SQLite:
    """One transaction of `executemany`."""

    def __init__(self, url: str) -> None:
        self.database = sqlite3.connect(url.removeprefix("sqlite:///"))
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"):
            self.database.execute(statement)

    def create(self, statement: str) -> None:
        self.database.execute(statement)

    def write(self, tables: dict[str, Rows]) -> None:
        with self.database:
            for name, rows in tables.items():
                self.database.executemany(f"INSERT INTO {name}_ VALUES ({','.join('?' * len(rows[0]))})", rows)


class PostgreSQL:
    """One transaction of COPY."""

    def __init__(self, url: str) -> None:
        self.database = psycopg.connect(url)

    def create(self, statement: str) -> None:
        self.database.execute(statement)
        self.database.commit()

    def write(self, tables: dict[str, Rows]) -> None:
        with self.database.transaction(), self.database.cursor() as cursor:
            for name, rows in tables.items():
                with cursor.copy(f"COPY {name}_ FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)


@pytest.fixture(params=CHOSEN)
def bare(request: pytest.FixtureRequest, made: Databases, plain: Opened) -> Iterator[SQLite | PostgreSQL]:
    with made.empty(request.param) as url:
        found = SQLite(url) if request.param == "sqlite" else PostgreSQL(url)
        with closing(found.database):
            for name, rows in written(plain).items():
                found.create(
                    f"CREATE TABLE {name}_ (key text PRIMARY KEY, {', '.join(f'c{n} text' for n in range(1, len(rows[0])))})"
                )
            yield found


def test_limit_rows(timed: Timed, plain: Opened, bare: SQLite | PostgreSQL) -> None:
    """The rows alone."""
    timed(bare.write, setup=lambda: (({"rows": written(plain)["rows"]},), {}))


def test_limit_rows_links_audit(timed: Timed, plain: Opened, bare: SQLite | PostgreSQL) -> None:
    """All that a batch of creates leaves, encoded beforehand."""
    timed(bare.write, setup=lambda: ((written(plain),), {}))
