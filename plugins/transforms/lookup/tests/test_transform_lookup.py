import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_lookup import LookupConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(LOOKUP,) = mj_transform_types()
assert LOOKUP.inverse
inverse = LOOKUP.inverse

LIFECYCLE = json.loads("""
{
    "SourceFieldName": "lifecyclestage",
    "DestinationFieldName": "Status",
    "TransformPipeline": [
        {
            "Type": "lookup",
            "Config": {
                "Map": {
                    "subscriber": "Lead",
                    "lead": "Lead",
                    "marketingqualifiedlead": "MQL",
                    "salesqualifiedlead": "SQL",
                    "opportunity": "Opportunity",
                    "customer": "Customer",
                    "evangelist": "Advocate"
                },
                "DefaultValue": "Unknown",
                "CaseSensitive": false
            },
            "OnError": "Null"
        }
    ]
}
""")

scalars = st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def lookup(value: Any, table: Any, **config: Any) -> Any:
    return LOOKUP.compile(LookupConfig(table, **config)).apply([value], [{}])[0]


def back(value: Any, table: Any, **config: Any) -> Any:
    return inverse(LookupConfig(table, **config)).apply([value], [{}])[0]


def test_lifecycle_stages_become_statuses() -> None:
    (step,) = LIFECYCLE["TransformPipeline"]
    config = LookupConfig(step["Config"]["Map"], step["Config"]["DefaultValue"], step["Config"]["CaseSensitive"])
    assert step["Type"] == LOOKUP.name
    stages = ["subscriber", "LEAD", "MarketingQualifiedLead", "evangelist", "something new", None]
    statuses = LOOKUP.compile(config).apply(stages, [{}] * len(stages))
    assert statuses == ["Lead", "Lead", "MQL", "Advocate", "Unknown", None]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+2"), "100"),
        (0.5, "0.5"),
        (date(2026, 3, 8), "2026-03-08"),
        (datetime(2026, 3, 8, 1, 2, tzinfo=UTC), "2026-03-08T01:02:00+00:00"),
    ],
)
def test_values_are_looked_up_by_their_text(value: Any, text: Any) -> None:
    assert lookup(value, {text: "found"}) == "found"


def test_a_miss_without_a_default_is_an_error() -> None:
    with pytest.raises(TransformError, match="'c' is not in the map; add it, or a DefaultValue"):
        lookup("c", {"a": "b"})


def test_letter_case_counts_unless_told_otherwise() -> None:
    with pytest.raises(TransformError):
        lookup("LEAD", {"lead": "Lead"})
    assert lookup("STRASSE", {"straße": "way"}, case_sensitive=False) == "way"


def test_the_key_null_maps_null() -> None:
    assert LOOKUP.sees == "nulls"
    assert lookup(None, {"null": "Unknown"}) == "Unknown"
    assert lookup("null", {"null": "Unknown"}) == "Unknown"
    assert lookup(None, {"NULL": "Unknown"}, case_sensitive=False) == "Unknown"


def test_null_without_an_entry_stays_null_and_takes_no_default() -> None:
    assert lookup(None, {"a": "b"}, default_value="Unknown") is None


def test_a_value_can_map_to_null() -> None:
    assert lookup("n/a", {"n/a": None}, default_value="Unknown") is None


def test_keys_that_differ_in_case_alone_must_agree() -> None:
    assert lookup("A", {"a": "x", "A": "x"}, case_sensitive=False) == "x"
    with pytest.raises(ConfigError, match="Map: 'A' is there twice"):
        LOOKUP.compile(LookupConfig({"a": "x", "A": "y"}, case_sensitive=False))


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_the_way_back_undoes_a_table_of_unique_values(table: Any) -> None:
    config = LookupConfig(table)
    if len(set(table.values())) < len(table):
        with pytest.raises(ConfigError, match="Map: not invertible"):
            inverse(config)
        return
    there = LOOKUP.compile(config).apply(list(table), [{}] * len(table))
    assert inverse(config).apply(there, [{}] * len(table)) == [None if key == "null" else key for key in table]


def test_null_entries_have_a_way_back() -> None:
    assert back("Unknown", {"null": "Unknown", "a": "b"}) is None
    assert back("Unknown", {"Null": "Unknown"}, case_sensitive=False) is None
    assert back(None, {"n/a": None, "a": "b"}) == "n/a"
    assert back(None, {"a": "b"}) is None


def test_a_default_that_is_also_a_value_has_no_way_back() -> None:
    with pytest.raises(ConfigError, match="more than one way leads to 'b'"):
        inverse(LookupConfig({"a": "b"}, default_value="b"))


def test_on_the_way_back_the_default_is_a_miss() -> None:
    assert back("b", {"a": "b"}, default_value="Unknown") == "a"
    with pytest.raises(TransformError, match="'Unknown' is not in the map"):
        back("Unknown", {"a": "b"}, default_value="Unknown")


@given(anything, st.booleans())
def test_any_value_is_found_or_a_transform_error_twice_and_stays_unchanged(value: Any, case_sensitive: Any) -> None:
    before, table = repr(value), {"": "empty", "true": "yes", "0": "none"}
    try:
        result = lookup(value, table, case_sensitive=case_sensitive)
    except TransformError:
        with pytest.raises(TransformError):
            lookup(value, table, case_sensitive=case_sensitive)
    else:
        assert result in {"empty", "yes", "none"}
        assert lookup(value, table, case_sensitive=case_sensitive) == result
    assert repr(value) == before


def test_lists_and_objects_have_no_text() -> None:
    with pytest.raises(TransformError, match="text expected, not list"):
        lookup(["a"], {"a": "b"}, default_value="Unknown")


@given(st.lists(st.none() | st.sampled_from(["a", "A", "b", ""])), st.lists(anything, max_size=2), st.booleans())
def test_a_column_is_looked_up_as_each_value_is(texts: Any, others: Any, case_sensitive: Any) -> None:
    step = LOOKUP.compile(LookupConfig({"a": "x", "null": "y"}, "default", case_sensitive))
    for column in (texts, texts + others):
        try:
            expected = [step.apply([value], [{}])[0] for value in column]
        except TransformError:
            continue
        assert step.apply(column, [{}] * len(column)) == expected
