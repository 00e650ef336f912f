"""Equality and hashes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mjcore.compare import content_hashes, from_json, same, to_json
from mjcore.models import EntityField
from mjcore.records import ABSENT, Reference

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.binary()
    | st.builds(Reference, st.text(), st.text()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["$date", "$escaped", "$tuple"]), inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@given(values)
def test_a_source_value_survives_json(value: Any) -> None:
    back = from_json(to_json(value))
    assert (back, type(back)) == (value, type(value))


@given(st.lists(values, min_size=1))
def test_equal_values_have_equal_hashes_and_the_mapping_version_counts(row: list[Any]) -> None:
    again = [from_json(to_json(value)) for value in row]
    first, second, later = (
        content_hashes(version, [[v] for v in values]) for version, values in ((1, row), (1, again), (2, row))
    )
    assert first == second != later


def test_absent_null_empty_text_zero_and_false_are_all_different() -> None:
    values: list[Any] = [ABSENT, None, "", 0, False, "0", [], {}]
    assert len(set(content_hashes(1, [values]))) == 8


def test_null_equals_only_null() -> None:
    text = EntityField("Name")
    assert same(text, None, None)
    assert not any(same(text, None, other) or same(text, other, None) for other in ("", 0, False))


def test_text_is_neither_trimmed_nor_folded() -> None:
    assert not same(EntityField("Name"), "Ann", "ann")
    assert not same(EntityField("Name"), "Ann", "Ann ")


def test_numbers_and_instants_are_compared_as_what_they_are() -> None:
    assert same(EntityField("Amount", "number"), Decimal("1.50"), Decimal("1.5"))
    assert same(EntityField("Amount", "number"), 1, Decimal("1.0"))
    assert same(
        EntityField("At", "datetime"), datetime(2026, 1, 1, tzinfo=UTC), datetime.fromisoformat("2026-01-01T02:00:00+02:00")
    )
    assert not same(EntityField("Day", "date"), date(2026, 1, 1), date(2026, 1, 2))


def test_json_is_compared_by_structure_where_one_is_not_true() -> None:
    field = EntityField("Data", "json")
    assert same(field, {"a": 1, "b": [1]}, {"b": [1], "a": 1})
    assert not same(field, {"a": 1}, {"a": True})
