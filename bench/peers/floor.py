"""The floor: download, decode, bulk insert. No mapping, no upsert, no state."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from bench.peers.common import Given, bare_pages
from bench.shape import COLUMNS

RAW = (
    "firstname",
    "jobtitle",
    "lastname",
    "email",
    "phone",
    "lifecyclestage",
    "associatedcompanyid",
    "createdate",
    "lastmodifieddate",
)
TABLE = f"CREATE TABLE contact ({', '.join(f'{column} text' for column in COLUMNS)}, PRIMARY KEY (external_id))"


def rows(given: Given) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a batch of ten pages at a time."""
    batch: list[tuple[Any, ...]] = []
    for page in bare_pages(given):
        for record in page:
            sent = record["properties"]
            batch.append((record["id"], *[sent[name] for name in RAW]))
        if len(batch) >= 1000:
            yield batch
            batch = []
    if batch:
        yield batch


def to_sqlite(given: Given, path: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(TABLE)
        for batch in rows(given):
            with database:
                database.executemany(f"INSERT INTO contact VALUES ({','.join('?' * 10)})", batch)


def to_postgresql(given: Given) -> None:
    import psycopg

    with psycopg.connect(given.store) as database:
        database.execute(TABLE)
        database.commit()
        for batch in rows(given):
            with database.transaction(), database.cursor().copy("COPY contact FROM STDIN") as copy:
                for row in batch:
                    copy.write_row(row)


if __name__ == "__main__":
    given = Given()
    if given.sqlite:
        to_sqlite(given, given.sqlite)
    else:
        to_postgresql(given)
