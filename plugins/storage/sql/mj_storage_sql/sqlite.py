"""Many rows at once on SQLite: one prepared statement, look-ups by a list of values."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from mj_storage_sql.grid import Columns, Grid, Names, Rows, assignments

VARIABLES = 30_000
"""Of one statement; SQLite takes 32,766."""
AT_ONCE = 250
"""Rows of one INSERT: more make it no quicker, and its prepared statement larger."""


class SQLiteBulk:
    """`Bulk` for SQLite. The file has one writer at a time, so a transaction locks all it reads."""

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def _list(self, names: Names) -> str:
        return ", ".join(map(self.quote, names))

    def select(self, connection: Any, grid: Grid, names: Names, by: Names, keys: Rows, *, lock: bool = False) -> Rows:  # noqa: ARG002
        columns = ", ".join(f"t.{self.quote(name)}" for name in names)
        on = " AND ".join(self._equals(grid, name, i) for i, name in enumerate(by, start=1))
        wanted, rows = grid.encoded(by, keys), []
        for some in _chunks(wanted, VARIABLES // len(by)):
            values = ", ".join([f"({', '.join('?' * len(by))})"] * len(some))
            # CROSS JOIN keeps the list outside, so that the table's index is used
            sql = f"WITH k AS (VALUES {values}) SELECT {columns} FROM k CROSS JOIN {grid.sql} AS t ON {on}"
            rows += connection.execute(sql, [value for key in some for value in key]).fetchall()
        return grid.decoded(names, rows)

    def _equals(self, grid: Grid, name: str, position: int) -> str:
        """Others write instants in many ways: the same second is found, and compared by the caller."""
        if grid.codecs[name].kind == "datetime":
            exact = f"t.{self.quote(name)} = k.column{position}"
            return f"({exact} OR strftime('%s', t.{self.quote(name)}) = strftime('%s', k.column{position}))"
        return f"t.{self.quote(name)} = k.column{position}"

    def absent(self, connection: Any, grid: Grid, by: Names, names: Names, columns: Columns) -> Sequence[int]:
        """One answer for all that is there: a row of its own for each would take the interpreter's lock back each time."""
        both = [*by, *names]
        like = [f"t.{self.quote(name)} {'=' if name in by else 'IS'} k.column{i}" for i, name in enumerate(both, start=2)]
        held = f"SELECT 1 FROM {grid.sql} AS t WHERE {' AND '.join(like)}"
        places, found = f", {', '.join('?' * len(both))})", list[int]()
        for some in _chunks(list(enumerate(grid.rows(both, columns))), VARIABLES // len(both)):
            values = ", ".join([f"({i}{places}" for i, _ in some])
            sql = f"WITH k AS (VALUES {values}) SELECT k.column1 FROM k WHERE NOT EXISTS ({held})"
            found += [i for (i,) in connection.execute(sql, [value for _, row in some for value in row])]
        return found

    def insert(self, connection: Any, grid: Grid, names: Names, columns: Columns) -> None:
        self._insert(connection, grid, names, columns)

    def _insert(self, connection: Any, grid: Grid, names: Names, columns: Columns, conflict: str = "") -> None:
        """Insert many rows by each statement, which leaves the interpreter to other threads for that long."""
        rows, at_once = grid.rows(names, columns), min(AT_ONCE, VARIABLES // len(names))
        head, whole = self._into(grid, names), len(rows) - len(rows) % at_once
        sql = f"{head} VALUES {_places(len(names), at_once)}{conflict}"
        for some in _chunks(rows[:whole], at_once):
            connection.execute(sql, list(chain.from_iterable(some)))
        connection.executemany(f"{head} VALUES {_places(len(names), 1)}{conflict}", rows[whole:])

    def _into(self, grid: Grid, names: Names) -> str:
        return f"INSERT INTO {grid.sql} ({self._list(names)})"

    def insert_returning(self, connection: Any, grid: Grid, names: Names, rows: Rows, keys: Names) -> Rows:
        into = f"{self._into(grid, names)} VALUES {_places(len(names), 1)}" if names else f"INSERT INTO {grid.sql} DEFAULT VALUES"
        sql = f"{into} RETURNING {self._list(keys)}"
        return grid.decoded(
            keys, [connection.execute(sql, row).fetchone() for row in grid.encoded(names, rows) or [()] * len(rows)]
        )

    def upsert(
        self, connection: Any, grid: Grid, key: Names, names: Names, columns: Columns, sets: Mapping[str, str] | None = None
    ) -> None:
        changes = assignments(self.quote, key, names, sets)
        self._insert(connection, grid, names, columns, f" ON CONFLICT ({self._list(key)}) DO UPDATE SET {changes}")

    def update(self, connection: Any, grid: Grid, key: Names, names: Names, rows: Rows) -> int:
        if not rows:
            return 0
        sets = ", ".join(f"{self.quote(name)} = ?" for name in names)
        where = " AND ".join(f"{self.quote(name)} = ?" for name in key)
        sql = f"UPDATE {grid.sql} SET {sets} WHERE {where}"
        left = [tuple(row[: len(names)]) for row in rows]
        right = [tuple(row[len(names) :]) for row in rows]
        both = zip(grid.encoded(names, left), grid.encoded(key, right), strict=True)
        return int(connection.executemany(sql, [a + b for a, b in both]).rowcount)

    def delete(self, connection: Any, grid: Grid, key: Names, rows: Rows) -> int:
        if not rows:
            return 0
        where = " AND ".join(f"{self.quote(name)} = ?" for name in key)
        return int(connection.executemany(f"DELETE FROM {grid.sql} WHERE {where}", grid.encoded(key, rows)).rowcount)


@cache
def _places(width: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * rows)


def _chunks(rows: Rows, size: int) -> Iterator[Rows]:
    return (rows[i : i + size] for i in range(0, len(rows), size))
