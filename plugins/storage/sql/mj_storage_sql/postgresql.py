"""Many rows at once on PostgreSQL: look-ups by array; COPY into the table, or into a temporary one and a statement from there."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from mj_storage_sql.grid import Columns, Grid, Names, Rows, assignments
from mj_storage_sql.literals import array, copied

ORDINAL = "mj_ordinal"


class PostgreSQLBulk:
    """`Bulk` for PostgreSQL, through psycopg."""

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def _list(self, names: Names, prefix: str = "") -> str:
        return ", ".join(prefix + self.quote(name) for name in names)

    def select(self, connection: Any, grid: Grid, names: Names, by: Names, keys: Rows, *, lock: bool = False) -> Rows:
        if not keys:
            return []
        columns = ", ".join(self._shown(grid, name) for name in names)
        order = f" ORDER BY {self._list(by, 't.')} FOR UPDATE OF t" if lock else ""
        wanted = grid.columns(by, _by_column(keys))
        sets = [list(dict.fromkeys(values)) for values in wanted]
        if sum(len(values) > 1 for values in sets) > 1:
            on = " AND ".join(f"t.{self.quote(name)} = k.{self.quote(name)}" for name in by)
            sql = f"SELECT {columns} FROM {self._stage(connection, grid, by, wanted)} AS k JOIN {grid.sql} AS t ON {on}{order}"
            return grid.decoded(names, connection.execute(sql).fetchall())
        head = _literal(f"SELECT {columns} FROM {grid.sql} AS t WHERE ")
        where = " AND ".join(f"{_literal(f't.{self.quote(name)}')} = ANY(%s)" for name in by)
        rows = connection.execute(f"{head}{where}{_literal(order)}", list(map(array, sets))).fetchall()
        return grid.decoded(names, rows)

    def absent(self, connection: Any, grid: Grid, by: Names, names: Names, columns: Columns) -> Sequence[int]:
        keys = list(zip(*columns[: len(by)], strict=True))
        held = set(self.select(connection, grid, [*by, *names], by, keys))
        return [i for i, row in enumerate(zip(*columns, strict=True)) if row not in held]

    def _shown(self, grid: Grid, name: str) -> str:
        """JSON comes as text, so that numbers stay exact."""
        return f"t.{self.quote(name)}" + ("::text" if grid.codecs[name].kind == "json" else "")

    def _stage(self, connection: Any, grid: Grid, names: Names, encoded: Columns, *, ordered: bool = False) -> str:
        """COPY encoded columns into a temporary table of the same columns, emptied first; return its name."""
        shape = blake2b(repr((grid.sql, tuple(names), ordered)).encode(), digest_size=8).hexdigest()
        staged = self.quote(f"mj_staged_{shape}")
        columns = self._list(names) or "NULL AS mj_nothing"
        ordinal = f", 0 AS {ORDINAL}" if ordered else ""
        connection.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS AS "
            f"SELECT {columns}{ordinal} FROM {grid.sql} WHERE false"
        )
        connection.execute(f"DELETE FROM {staged}")
        if ordered:
            encoded = [*encoded, range(len(encoded[0]))]
        self._copy(connection, staged, "", encoded)
        return staged

    def _copy(self, connection: Any, table: str, names: str, columns: Columns) -> None:
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} {names} FROM STDIN") as copy:
            copy.write(copied(columns))

    def insert(self, connection: Any, grid: Grid, names: Names, columns: Columns) -> None:
        self._copy(connection, grid.sql, f"({self._list(names)})", grid.columns(names, columns))

    def insert_returning(self, connection: Any, grid: Grid, names: Names, rows: Rows, keys: Names) -> Rows:
        if not names:  # nothing but defaults
            made = [connection.execute(f"INSERT INTO {grid.sql} DEFAULT VALUES RETURNING {self._list(keys)}") for _ in rows]
            return grid.decoded(keys, [cursor.fetchone() for cursor in made])
        staged = self._stage(connection, grid, names, grid.columns(names, _by_column(rows)), ordered=True)
        columns = self._list(names)
        sql = f"INSERT INTO {grid.sql} ({columns}) SELECT {columns} FROM {staged} ORDER BY {ORDINAL}"
        return grid.decoded(keys, connection.execute(f"{sql} RETURNING {self._list(keys)}").fetchall())

    def upsert(
        self, connection: Any, grid: Grid, key: Names, names: Names, columns: Columns, sets: Mapping[str, str] | None = None
    ) -> None:
        staged = self._stage(connection, grid, names, grid.columns(names, columns))
        connection.execute(
            f"INSERT INTO {grid.sql} ({self._list(names)}) SELECT {self._list(names)} FROM {staged} "
            f"ON CONFLICT ({self._list(key)}) DO UPDATE SET {assignments(self.quote, key, names, sets)}"
        )

    def update(self, connection: Any, grid: Grid, key: Names, names: Names, rows: Rows) -> int:
        if not rows:
            return 0
        if set(key) & set(names):
            return self._rekey(connection, grid, key, names, rows)
        staged = self._stage(connection, grid, [*names, *key], grid.columns([*names, *key], _by_column(rows)))
        sets = ", ".join(f"{self.quote(name)} = k.{self.quote(name)}" for name in names)
        on = " AND ".join(f"t.{self.quote(name)} = k.{self.quote(name)}" for name in key)
        return int(connection.execute(f"UPDATE {grid.sql} AS t SET {sets} FROM {staged} AS k WHERE {on}").rowcount)

    def _rekey(self, connection: Any, grid: Grid, key: Names, names: Names, rows: Rows) -> int:
        """Set columns of the key itself: rare, so one row at a time."""
        sets = ", ".join(f"{self.quote(name)} = %s" for name in names)
        where = " AND ".join(f"{self.quote(name)} = %s" for name in key)
        both = [*names, *key]
        codes = [grid.codecs[name] for name in both]
        matched = 0
        for row in rows:
            values = [v if v is None or c.encode is None else c.encode(v) for c, v in zip(codes, row, strict=True)]
            matched += connection.execute(f"UPDATE {grid.sql} SET {sets} WHERE {where}", values).rowcount
        return matched

    def delete(self, connection: Any, grid: Grid, key: Names, rows: Rows) -> int:
        if not rows:
            return 0
        staged = self._stage(connection, grid, key, grid.columns(key, _by_column(rows)))
        on = " AND ".join(f"t.{self.quote(name)} = k.{self.quote(name)}" for name in key)
        return int(connection.execute(f"DELETE FROM {grid.sql} AS t USING {staged} AS k WHERE {on}").rowcount)


def _by_column(rows: Rows) -> Columns:
    return list(zip(*rows, strict=True))


def _literal(sql: str) -> str:
    """Return SQL for a statement with parameters."""
    return sql.replace("%", "%%")
