"""A table as bulk statements see it, and what the two databases do differently with many rows at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from attrs import frozen

from mj_storage_sql.values import Codec, decoded, encoded

Names: TypeAlias = Sequence[str]
Rows: TypeAlias = Sequence[Sequence[Any]]
Columns: TypeAlias = Sequence[Sequence[Any]]
"""The values of each column, of one row after the other."""


@frozen
class Grid:
    """A table: its name as SQL has it, and the codec of each column."""

    sql: str
    codecs: Mapping[str, Codec]

    def encoded(self, names: Names, rows: Rows) -> list[tuple[Any, ...]]:
        """Return rows as the driver takes them; converted column by column."""
        return self.rows(names, list(zip(*rows, strict=True))) if rows else []

    def rows(self, names: Names, columns: Columns) -> list[tuple[Any, ...]]:
        """Return columns as the rows that the driver takes."""
        return list(zip(*self.columns(names, columns), strict=True))

    def columns(self, names: Names, columns: Columns) -> list[Sequence[Any]]:
        """Return columns with values that the driver takes."""
        return [encoded(self.codecs[name], column) for name, column in zip(names, columns, strict=True)]

    def decoded(self, names: Names, rows: Rows) -> list[tuple[Any, ...]]:
        """Return fetched rows as the kernel has them."""
        columns = [decoded(self.codecs[name], column) for name, column in zip(names, zip(*rows, strict=True), strict=bool(rows))]
        return list(zip(*columns, strict=True))


class Bulk(Protocol):
    """Statements over many rows, on a driver's connection. Values are canonical; conversion is done inside."""

    def quote(self, name: str) -> str: ...

    def select(self, connection: Any, grid: Grid, names: Names, by: Names, keys: Rows, *, lock: bool = False) -> Rows:
        """Return `names` of the rows whose `by` equal one of `keys`; `lock` keeps them so until the transaction ends."""

    def absent(self, connection: Any, grid: Grid, by: Names, names: Names, columns: Columns) -> Sequence[int]:
        """Return which of the rows of `by` and `names`, by position, the table does not hold with these very values."""

    def insert(self, connection: Any, grid: Grid, names: Names, columns: Columns) -> None: ...

    def insert_returning(self, connection: Any, grid: Grid, names: Names, rows: Rows, keys: Names) -> Rows:
        """Insert and return the `keys` that the database made, in the order of `rows`."""

    def upsert(
        self, connection: Any, grid: Grid, key: Names, names: Names, columns: Columns, sets: Mapping[str, str] | None = None
    ) -> None:
        """Insert, or update where the key is there: every other column, or what `sets` says (SQL by column)."""

    def update(self, connection: Any, grid: Grid, key: Names, names: Names, rows: Rows) -> int:
        """Set `names` where `key` matches; each row has the values of `names`, then those of `key`. Return how many matched."""

    def delete(self, connection: Any, grid: Grid, key: Names, rows: Rows) -> int: ...


def assignments(quote: Any, key: Names, names: Names, sets: Mapping[str, str] | None) -> str:
    """Return the `SET` list of an upsert."""
    if sets is None:
        sets = {name: f"excluded.{quote(name)}" for name in names if name not in key}
    return ", ".join(f"{quote(name)} = {sql}" for name, sql in sets.items())
