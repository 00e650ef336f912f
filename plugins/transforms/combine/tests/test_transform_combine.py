import json
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_combine import CombineConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError
from mjcore.records import ABSENT

(COMBINE,) = mj_transform_types()

FULL_NAME = json.loads("""
{
    "SourceFieldName": "FullName",
    "DestinationFieldName": "FullName",
    "Direction": "DestToSource",
    "TransformPipeline": [
        {
            "Type": "combine",
            "Config": {
                "Parts": ["{{FirstName}}", " ", "{{LastName}}"]
            },
            "OnError": "Skip"
        }
    ]
}
""")

values = st.recursive(
    st.none() | st.just(ABSENT) | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
)
records = st.dictionaries(st.sampled_from(["a", "b", "a.b", "other"]), values)


def combine(record: Any, *parts: Any, **config: Any) -> Any:
    return COMBINE.compile(CombineConfig(parts, **config)).apply([ABSENT], [record])[0]


def test_first_and_last_name_make_a_full_name() -> None:
    (step,) = FULL_NAME["TransformPipeline"]
    assert step["Type"] == COMBINE.name
    parts = step["Config"]["Parts"]
    assert combine({"FirstName": "Ada", "LastName": "Lovelace"}, *parts) == "Ada Lovelace"
    assert combine({"FirstName": "Ada", "LastName": None}, *parts) == "Ada "
    assert combine({"FirstName": None}, *parts) is None


def test_with_a_separator_empty_parts_leave_none_behind() -> None:
    parts = ["{{First}}", "{{Middle}}", "{{Last}}"]
    assert combine({"First": "Ada", "Middle": "K", "Last": "L"}, *parts, separator=" ") == "Ada K L"
    assert combine({"First": "Ada", "Middle": "", "Last": "L"}, *parts, separator=" ") == "Ada L"
    assert combine({"Middle": None, "Last": "L"}, *parts, separator=" ") == "L"


def test_all_fields_null_or_absent_is_null_whatever_the_literals() -> None:
    assert combine({"a": None, "c": ABSENT}, "{{a}}", ", ", "{{b}}{{c}}") is None


def test_an_empty_text_is_a_value() -> None:
    assert combine({"a": ""}, "<{{a}}>") == "<>"


def test_parts_without_fields_make_a_constant() -> None:
    assert combine({}, "HubSpot", " EU") == "HubSpot EU"


def test_literals_and_fields_mix_within_a_part() -> None:
    assert combine({"id": 7, "site": "eu"}, "https://{{site}}.example/{{ id }}?{x}") == "https://eu.example/7?{x}"


def test_dotted_paths_reach_into_nested_values() -> None:
    record = {"address": {"city": {"name": "Paris"}}, "geo.code": "FR", "flat": "x"}
    assert combine(record, "{{address.city.name}}") == "Paris"
    assert combine(record, "{{geo.code}}") == "FR"
    assert combine(record, "{{flat.x}}{{address.zip.code}}") is None


def test_other_scalars_take_their_text() -> None:
    record = {"a": True, "b": Decimal("1.50"), "c": date(2026, 3, 8), "d": 0}
    assert combine(record, "{{a}} {{b}} {{c}} {{d}}") == "true 1.50 2026-03-08 0"


def test_a_list_is_an_error_that_names_the_field() -> None:
    with pytest.raises(TransformError, match=r"address\.lines: text expected, not list"):
        combine({"address": {"lines": ["a"]}}, "{{address.lines}}")


def test_the_step_names_each_field_that_it_reads_once() -> None:
    step: Any = COMBINE.compile(CombineConfig(("{{a}} {{b.c}}", "-", "{{ a }}")))
    assert step.reads == ("a", "b.c")


def test_absent_values_reach_the_step() -> None:
    assert COMBINE.sees == "absent"


def test_nothing_leads_back() -> None:
    assert COMBINE.inverse is None


@pytest.mark.parametrize("part", ["{{a", "a}}", "{{}}", "{{ }}", "{{{{a}}}}"])
def test_broken_braces_are_refused_when_the_map_is_saved(part: Any) -> None:
    with pytest.raises(ConfigError, match=r"Parts\[1\]: .* a field is written {{Name}}"):
        COMBINE.compile(CombineConfig(("ok", part)))


def test_no_parts_are_refused() -> None:
    with pytest.raises(ConfigError, match="Parts: empty"):
        COMBINE.compile(CombineConfig(()))


@given(records, st.sampled_from(["", ", "]))
def test_any_record_gives_text_null_or_a_transform_error_twice_and_stays_unchanged(record: Any, separator: Any) -> None:
    before = repr(record)
    parts = ["{{a}}", "{{b}}", "{{a.b}}"]
    try:
        result = combine(record, *parts, separator=separator)
    except TransformError:
        with pytest.raises(TransformError):
            combine(record, *parts, separator=separator)
    else:
        assert result is None or isinstance(result, str)
        assert combine(deepcopy(record), *parts, separator=separator) == result
    assert repr(record) == before


@given(
    st.lists(records, max_size=6),
    st.sampled_from(["", ", "]),
    st.lists(st.sampled_from(["{{a}}", "{{b}}", "<{{a.b}}>", "-", "{{a}}{{b}}"])),
)
def test_a_column_gives_what_its_records_give_one_by_one(column: Any, separator: Any, parts: Any) -> None:
    step = COMBINE.compile(CombineConfig(("{{b}}", *parts), separator))
    try:
        expected = [step.apply([ABSENT], [record])[0] for record in column]
    except TransformError:
        with pytest.raises(TransformError):
            step.apply([ABSENT] * len(column), column)
    else:
        assert step.apply([ABSENT] * len(column), column) == expected


@given(st.lists(st.text(st.characters(exclude_characters="{}|")), min_size=1), st.sampled_from(["|", ""]))
def test_joined_parts_are_the_texts_that_are_not_empty(texts: Any, separator: Any) -> None:
    record = {f"f{i}": text for i, text in enumerate(texts)}
    combined = combine(record, *(f"{{{{{name}}}}}" for name in record), separator=separator)
    assert combined == separator.join(text for text in texts if text)
