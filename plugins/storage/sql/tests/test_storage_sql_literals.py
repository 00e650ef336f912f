"""What is written as text for PostgreSQL means the same as what its driver writes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_storage_sql.literals import array, copied

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.text(st.sampled_from("\\N.,\"'{}\t\n\r\b\v\f nul"), max_size=6),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(-(10**20), 10**20, places=9) | st.integers(-(10**30), 10**30).map(Decimal),
    "boolean": st.booleans(),
    "date": st.dates() | st.sampled_from([date.min, date.max]),
    "timestamptz": st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC is drawn
    "bytea": st.binary(max_size=20),
}


@pytest.fixture(scope="module")
def connection(databases: Any) -> Iterator[psycopg.Connection[Any]]:
    database = databases.ready("postgresql")
    with psycopg.connect(database.url, options="-c TimeZone=UTC") as connection:
        yield connection
        connection.rollback()
    databases.give_back(database)


@pytest.mark.parametrize("kind", KINDS)
def test_copied_rows_come_back_as_they_were(connection: psycopg.Connection[Any], kind: str) -> None:
    connection.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS copied_{kind} (n bigint, v {kind}, w {kind})")

    @given(st.lists(st.tuples(KINDS[kind] | st.none(), KINDS[kind]), min_size=1, max_size=6))
    def check(rows: list[Any]) -> None:
        connection.execute(f"DELETE FROM copied_{kind}")
        with connection.cursor() as cursor, cursor.copy(f"COPY copied_{kind} FROM STDIN") as copy:
            copy.write(copied([range(len(rows)), *zip(*rows, strict=True)]))
        assert connection.execute(f"SELECT v, w FROM copied_{kind} ORDER BY n").fetchall() == rows

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_holds_its_values(connection: psycopg.Connection[Any], kind: str) -> None:
    @given(st.lists(KINDS[kind], max_size=6))
    def check(values: list[Any]) -> None:
        ((held,),) = connection.execute(f"SELECT %s::{kind}[]", [array(values)]).fetchall()
        assert held == values

    check()
