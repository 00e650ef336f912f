"""What a subject left behind: the figures of a program that did not do the work mean nothing."""

from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from attrs import define, field, frozen

from bench.measure import Failed
from bench.shape import COLUMNS

MJCORE = ("HubSpotID", "FirstName", "JobTitle", "FullName", "Email", "Phone", "Stage", "CompanyNumber", "CreatedOn")
THEIRS = COLUMNS[: len(MJCORE)]
"""Without the modified time, which mjcore keeps in its links."""
WITHOUT_EMPTY = ("dlt arrow, postgresql",)
"""Load through CSV files that turn empty text into NULL: their records are compared with that in mind."""


@frozen
class Contents:
    """The number of records, and the sum of the digests of each, which is the same in every order."""

    count: int = 0
    digest: int = 0
    without_empty: int = 0
    """The digest if empty text were NULL."""

    def __add__(self, row: Any) -> "Contents":
        """Return them with one more row."""
        plain = [None if value is None else value.isoformat() if isinstance(value, date) else str(value) for value in row]
        without = self.without_empty + _digest([value or None for value in plain])
        return Contents(self.count + 1, self.digest + _digest(plain), without)


def contacts(store: str, subject: str) -> Contents:
    """Read a subject's table of contacts."""
    return contents(store, subject, "contact", MJCORE if subject == "mjcore" else THEIRS)


def contents(store: str, subject: str, table: str, names: Sequence[str]) -> Contents:
    """Read the columns `names` of a table that a subject left."""
    engine = sa.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    schema = "bench" if subject.startswith("dlt") and engine.dialect.name == "postgresql" else None
    query = sa.select(sa.table(table, *[sa.column(name) for name in names], schema=schema))
    found = Contents()
    with engine.connect() as database:
        for row in database.execution_options(yield_per=1000).execute(query):
            found += row
    engine.dispose()
    return found


def check_count(store: str, table: str, expected: int) -> None:
    """`Failed` unless a table has so many rows."""
    engine = sa.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as database:
        found = database.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))
    engine.dispose()
    if found != expected:
        raise Failed(f"{table} has {found} rows of {expected}")


def _digest(row: Sequence[str | None]) -> int:
    return int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest())


@define
class Agreement:
    """All subjects leave the same records, in every kind of database and in every round."""

    agreed: dict[str, tuple[str, Contents]] = field(factory=dict)
    """By scenario: who was first, and what it left."""

    def check(self, scenario: str, subject: str, found: Contents, records: int) -> None:
        """`Failed` if records are missing, or differ from those of the others. The floor maps nothing: it is only counted."""
        if found.count != records:
            raise Failed(f"{scenario}: {subject} left {found.count} records of {records}")
        if subject.startswith("floor"):
            return
        first, expected = self.agreed.setdefault(scenario, (subject, found))
        same = found.without_empty == expected.without_empty if subject in WITHOUT_EMPTY else found.digest == expected.digest
        if not same:
            raise Failed(f"{scenario}: {subject} left other records than {first}")
