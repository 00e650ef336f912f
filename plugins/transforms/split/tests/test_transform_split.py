from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_split import SplitConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(SPLIT,) = mj_transform_types()

scalars = st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def split(value: Any, delimiter: Any, index: Any, **config: Any) -> Any:
    return SPLIT.compile(SplitConfig(delimiter, index, **config)).apply([value], [{}])[0]


@pytest.mark.parametrize(
    ("value", "index", "part"),
    [("a,b,c", 0, "a"), ("a,b,c", 2, "c"), ("a,b,c", -1, "c"), ("a,b,c", -3, "a"), ("abc", 0, "abc"), (",b", 0, ""), ("", 0, "")],
)
def test_the_part_at_the_index_counts_from_either_end(value: Any, index: Any, part: Any) -> None:
    assert split(value, ",", index) == part


def test_the_delimiter_is_plain_text_of_any_length() -> None:
    assert split("a.b", ".", 1) == "b"
    assert split("a::b:c", "::", 1) == "b:c"


def test_white_space_stays_unless_it_is_to_be_trimmed() -> None:
    assert split("Lovelace, Ada ", ",", 1) == " Ada "
    assert split("Lovelace, Ada ", ",", 1, trim_whitespace=True) == "Ada"


@pytest.mark.parametrize("index", [2, -3, 10**30])
def test_a_part_that_is_not_there_is_an_error(index: Any) -> None:
    with pytest.raises(TransformError, match=f"no part {index}: 'a,b' has 2"):
        split("a,b", ",", index)


@pytest.mark.parametrize(
    ("value", "delimiter", "part"),
    [(Decimal("12.50"), ".", "50"), (date(2026, 3, 8), "-", "03"), (True, "u", "e"), (1.5, ".", "5")],
)
def test_other_scalars_take_their_text(value: Any, delimiter: Any, part: Any) -> None:
    assert split(value, delimiter, 1) == part


@pytest.mark.parametrize("value", [["a,b"], {"a": 1}, float("nan"), Decimal("1e999999"), pytest.param(10**5000, id="huge")])
def test_what_has_no_text_is_an_error(value: Any) -> None:
    with pytest.raises(TransformError, match="text expected, not"):
        split(value, ",", 0)


def test_an_empty_delimiter_is_refused_when_the_map_is_saved() -> None:
    with pytest.raises(ConfigError, match="Delimiter: empty"):
        SPLIT.compile(SplitConfig("", 0))


@given(st.lists(st.text(alphabet="abc "), min_size=1), st.data())
def test_joined_parts_split_again(parts: Any, data: Any) -> None:
    index = data.draw(st.integers(-len(parts), len(parts) - 1))
    assert split(";".join(parts), ";", index) == parts[index]


@given(anything, st.integers(-2, 2))
def test_any_value_gives_text_or_a_transform_error_twice_and_stays_unchanged(value: Any, index: Any) -> None:
    before = repr(value)
    try:
        result = split(deepcopy(value), ".", index)
    except TransformError:
        with pytest.raises(TransformError):
            split(value, ".", index)
    else:
        assert isinstance(result, str)
        assert split(value, ".", index) == result
    assert repr(value) == before


def test_nulls_and_absent_values_pass_by() -> None:
    assert SPLIT.sees == "values"


@given(st.lists(st.text(alphabet="ab "), min_size=1), st.sampled_from(["a", "aa", "aba"]), st.integers(-3, 3), st.booleans())
def test_a_column_is_split_as_each_text_is(texts: Any, delimiter: Any, index: Any, trim: Any) -> None:
    step = SPLIT.compile(SplitConfig(delimiter, index, trim))
    try:
        parts = [text.split(delimiter)[index] for text in texts]
    except IndexError:
        with pytest.raises(TransformError, match=f"no part {index}"):
            step.apply(texts, [{}] * len(texts))
    else:
        assert step.apply(texts, [{}] * len(texts)) == ([part.strip() for part in parts] if trim else parts)
