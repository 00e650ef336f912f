from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mj_transform_direct import DirectConfig, mj_transform_types

(DIRECT,) = mj_transform_types()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(json_values))
def test_every_value_passes_as_it_is(values: Any) -> None:
    before = deepcopy(values)
    assert list(DIRECT.compile(DirectConfig()).apply(values, [{}] * len(values))) == before
    assert values == before


@given(st.lists(json_values))
def test_a_default_takes_the_place_of_null_alone(values: Any) -> None:
    result = DIRECT.compile(DirectConfig("none yet")).apply(values, [{}] * len(values))
    assert list(result) == ["none yet" if value is None else value for value in values]


def test_nulls_reach_the_step_and_absent_values_do_not() -> None:
    assert DIRECT.sees == "nulls"


def test_a_default_of_false_or_zero_counts() -> None:
    assert DIRECT.compile(DirectConfig(False)).apply([None], [{}]) == [False]
    assert DIRECT.compile(DirectConfig(0)).apply([None], [{}]) == [0]


def test_the_way_back_has_no_default() -> None:
    assert DIRECT.inverse
    assert DIRECT.inverse(DirectConfig("none yet")).apply(["a", None], [{}, {}]) == ["a", None]
