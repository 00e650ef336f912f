"""The expert's bound: the work of a sync engine with nothing around it.

One SELECT a batch for what is there, a comparison, one write of what differs, an audit row for each, and the cursor, all in one
transaction. No plugins, no checks of values, no ledger of failures, no retries, no configuration: to be approached, not reached.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec

from bench.peers.common import Given, Row, bare_pages, map_row
from bench.shape import BATCH, COLUMNS

PLAIN = ", ".join(COLUMNS)
TYPES = {"company_number": "bigint", "created_on": "date"}
FIELDS = ", ".join(f"{column} {TYPES.get(column, 'text')}" for column in COLUMNS)
CONTACT = f"CREATE TABLE IF NOT EXISTS contact ({FIELDS}, PRIMARY KEY (external_id))"
AUDIT = "CREATE TABLE IF NOT EXISTS audit (external_id text, kind text, change text)"
STATE = "CREATE TABLE IF NOT EXISTS state (name text PRIMARY KEY, watermark text)"
SETS = ", ".join(f"{c} = excluded.{c}" for c in COLUMNS[1:])
UPSERT = f"ON CONFLICT (external_id) DO UPDATE SET {SETS}"
CURSOR = "ON CONFLICT (name) DO UPDATE SET watermark = excluded.watermark"
Change = tuple[str, str, str]
encode = msgspec.json.Encoder().encode


def batches(given: Given, since: str | None) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for page in bare_pages(given, since):
        batch += map(map_row, page)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def differences(rows: Sequence[Row], existing: dict[str, Row]) -> tuple[list[Row], list[Change]]:
    """Return the rows to write and their audit entries."""
    writes, changes = [], []
    for row in rows:
        old = existing.get(row[0])
        if old == row:
            continue
        writes.append(row)
        if old is None:
            changes.append((row[0], "create", encode(row).decode()))
        else:
            changed = {name: (a, b) for name, a, b in zip(COLUMNS, old, row, strict=True) if a != b}
            changes.append((row[0], "update", encode(changed).decode()))
    return writes, changes


def to_sqlite(given: Given, path: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        for statement in (CONTACT, AUDIT, STATE):
            database.execute(statement)
        found = database.execute("SELECT watermark FROM state").fetchone()
        since = found[0] if found and given.phase != "full" else None
        watermark = since or ""
        for batch in batches(given, since):
            rows: list[Any] = [(*row[:8], row[8] and row[8].isoformat(), row[9]) for row in batch]
            with database:
                ids = ",".join("?" * len(rows))
                known = database.execute(f"SELECT {PLAIN} FROM contact WHERE external_id IN ({ids})", [row[0] for row in rows])
                writes, changes = differences(rows, {row[0]: row for row in known})
                database.executemany(f"INSERT INTO contact VALUES ({','.join('?' * 10)}) {UPSERT}", writes)
                database.executemany("INSERT INTO audit VALUES (?, ?, ?)", changes)
                watermark = max(watermark, *(row[9] for row in rows))
                database.execute(f"INSERT INTO state VALUES ('contact', ?) {CURSOR}", (watermark,))


def to_postgresql(given: Given) -> None:
    import psycopg

    with psycopg.connect(given.store) as database:
        for statement in (CONTACT, AUDIT, STATE):
            database.execute(statement)
        found = database.execute("SELECT watermark FROM state").fetchone()
        since = found[0] if found and given.phase != "full" else None
        watermark = since or ""
        database.execute("CREATE TEMP TABLE incoming (LIKE contact)")
        database.commit()
        for rows in batches(given, since):
            with database.transaction(), database.cursor() as cursor:
                ids = [row[0] for row in rows]
                known = cursor.execute(f"SELECT {PLAIN} FROM contact WHERE external_id = ANY(%s)", (ids,)).fetchall()
                writes, changes = differences(rows, {row[0]: row for row in known})
                with cursor.copy("COPY incoming FROM STDIN") as copy:
                    for row in writes:
                        copy.write_row(row)
                cursor.execute(f"INSERT INTO contact SELECT * FROM incoming {UPSERT}")
                cursor.execute("TRUNCATE incoming")
                with cursor.copy("COPY audit FROM STDIN") as copy:
                    for change in changes:
                        copy.write_row(change)
                watermark = max(watermark, *(row[9] for row in rows))
                cursor.execute(f"INSERT INTO state VALUES ('contact', %s) {CURSOR}", (watermark,))


if __name__ == "__main__":
    given = Given()
    if given.sqlite:
        to_sqlite(given, given.sqlite)
    else:
        to_postgresql(given)
