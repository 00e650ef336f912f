"""Parquet, as pyarrow writes it."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mjcore.errors import NotSupported
from mjcore.records import FetchRequest

INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - the zone is the column's


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "n": st.none() | st.integers(-(2**63), 2**63 - 1),
                "d": st.none() | st.decimals(-(10**10), 10**10, places=4),
                "t": st.none() | INSTANTS,
                "s": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
                "l": st.none() | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
            }
        ),
        max_size=20,
    ),
    group=st.integers(1, 7),
    limits=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    reopen=st.booleans(),
)
def test_what_was_written_is_read_once_each_with_any_pages(
    folder_at: Callable[..., Any], rows: list[dict[str, Any]], group: int, limits: list[int], reopen: bool
) -> None:
    instants = pa.timestamp("us", "UTC")
    types = {"n": pa.int64(), "d": pa.decimal128(20, 4), "t": instants, "s": pa.string(), "l": pa.list_(pa.int64())}
    aware = [{**row, "id": i, "t": row["t"] and row["t"].replace(tzinfo=UTC)} for i, row in enumerate(rows)]
    table = pa.Table.from_pylist(aware, pa.schema({"id": pa.int32(), **types}))
    with TemporaryDirectory() as path:
        pq.write_table(table, Path(path) / "things.parquet", row_group_size=group)
        drained = folder_at(Path(path)).drain("things", ["id", *types], limits=limits, reopen=reopen)
    assert drained.ids == [str(i) for i in range(len(rows))]
    assert drained.rows == [{name: row[name] for name in ("id", *types)} for row in aware]


def one(folder: Any, kind: pa.DataType, value: Any) -> tuple[Any, str]:
    """Return what a value of this type is read as, and the type of its field."""
    table = pa.table({"id": pa.array([1]), "v": pa.array([value], kind)})
    pq.write_table(table, folder.path / "things.parquet")
    types = {found.name: found.type for found in folder.open().fields("things")}
    return folder.drain("things", ["v"]).rows[0]["v"], types["v"]


NAIVE = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - a time without a zone is what is meant


@pytest.mark.parametrize(
    ("kind", "value", "read", "field_type"),
    [
        (pa.bool_(), True, True, "boolean"),
        (pa.uint64(), 2**64 - 1, 2**64 - 1, "number"),
        (pa.float64(), 0.1, 0.1, "number"),
        (pa.decimal256(50, 2), Decimal("1.50"), Decimal("1.50"), "number"),
        (pa.date32(), date(2026, 1, 31), date(2026, 1, 31), "date"),
        (pa.timestamp("ms"), NAIVE, datetime(2026, 7, 1, 10, tzinfo=UTC), "datetime"),
        (pa.timestamp("s", "Asia/Tokyo"), 1_782_864_000, datetime(2026, 7, 1, tzinfo=UTC), "datetime"),
        (pa.timestamp("ns", "UTC"), 1_000_000_001, "1970-01-01T00:00:01.000000001Z", "datetime"),
        (pa.timestamp("ns", "UTC"), 1_000_001_000, datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC), "datetime"),
        (pa.timestamp("us", "UTC"), -1, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "datetime"),
        (pa.timestamp("us", "UTC"), 2**62, f"{2**62}/1000000 seconds since 1970", "datetime"),
        (pa.time64("us"), time(1, 2, 3), "01:02:03.000000", "string"),
        (pa.duration("s"), timedelta(hours=1), 3600, "number"),
        (pa.string(), "a", "a", "string"),
        (pa.large_string(), "https://example.org", "https://example.org", "url"),
        (pa.dictionary(pa.int8(), pa.string()), "a", "a", "string"),
        (pa.binary(), b"\x00\xff", "AP8=", "string"),
        (pa.binary(2), b"\x00\xff", "AP8=", "string"),
        (pa.list_(pa.string()), ["a", None], ["a", None], "json"),
        (pa.struct({"a": pa.int64()}), {"a": 2**53 + 1}, {"a": 2**53 + 1}, "json"),
        (pa.struct({"a": pa.date32()}), {"a": date(2026, 1, 1)}, {"a": "2026-01-01"}, "json"),
        (pa.struct({"t": pa.timestamp("us")}), {"t": NAIVE}, {"t": "2026-07-01T10:00:00+00:00"}, "json"),
        (pa.list_(pa.decimal128(5, 2)), [Decimal("1.50")], [Decimal("1.50")], "json"),
        (pa.map_(pa.string(), pa.int64()), [("a", 1)], {"a": 1}, "json"),
        (pa.null(), None, None, "string"),
    ],
)  # fmt: skip
def test_values_are_typed(folder: Any, kind: pa.DataType, value: Any, read: Any, field_type: str) -> None:
    folder.configuration = {"Zone": "Europe/Berlin"}
    found, found_type = one(folder, kind, value)
    assert (found, type(found), found_type) == (read, type(read), field_type)


def test_a_value_that_python_cannot_hold_is_named(folder: Any) -> None:
    with pytest.raises(NotSupported, match=r"things\.parquet column 'v'"):
        one(folder, pa.date32(), 2**30)


@pytest.mark.parametrize("content", [b"", b"PAR1 is how it begins, PAR1"])
def test_what_is_no_parquet_is_named(folder: Any, content: bytes) -> None:
    (folder.path / "things.parquet").write_bytes(content)
    with pytest.raises(NotSupported, match=r"things\.parquet"):
        folder.drain("things", ["id"])


def test_a_column_that_one_file_lacks_is_absent(folder: Any) -> None:
    pq.write_table(pa.table({"id": [1], "a": ["x"]}), folder.path / "1.parquet")
    pq.write_table(pa.table({"id": [2], "b": ["y"]}), folder.path / "2.parquet")
    assert folder.drain("*.parquet", ["a", "b"]).rows == [{"a": "x"}, {"b": "y"}]
    assert folder.drain("*.parquet", []).rows == [{}, {}]


def test_a_page_begins_in_its_row_group(folder: Any) -> None:
    path = folder.path / "things.parquet"
    pq.write_table(pa.table({"id": list(range(100))}), path, row_group_size=10, compression="none")
    behind = folder.drain("things", ["id"], limits=[50]).checkpoints[0]
    first = pq.read_metadata(path).row_group(5).column(0)
    status, content = path.stat(), bytearray(path.read_bytes())
    content[4 : first.dictionary_page_offset] = bytes(first.dictionary_page_offset - 4)  # broken, but read already
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    page = folder.open().fetch(FetchRequest("things", ("id",), None, None, behind, 100))
    assert [record.external_id for record in page.records] == [str(i) for i in range(50, 100)]
    with pytest.raises(NotSupported, match="is the file damaged"):
        folder.open().fetch(FetchRequest("things", ("id",), None, None, None, 100))
