from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_substring import SubstringConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(SUBSTRING,) = mj_transform_types()

scalars = st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
positions = st.integers(-9, 9)


def substring(value: Any, start: Any, **config: Any) -> Any:
    return SUBSTRING.compile(SubstringConfig(start, **config)).apply([value], [{}])[0]


@pytest.mark.parametrize(
    ("start", "config", "piece"),
    [
        (0, {"length": 3}, "555"),
        (3, {"length": 3}, "123"),
        (3, {"end": 6}, "123"),
        (6, {}, "4567"),
        (-4, {}, "4567"),
        (-4, {"length": 2}, "45"),
        (-4, {"end": -1}, "456"),
        (0, {"end": -7}, "555"),
        (0, {"length": 0}, ""),
        (5, {"end": 2}, ""),
    ],
)
def test_pieces_by_position(start: Any, config: Any, piece: Any) -> None:
    assert substring("5551234567", start, **config) == piece


def test_positions_outside_are_clipped_to_the_text() -> None:
    assert substring("abc", -5, length=2) == "ab"
    assert substring("abc", 1, length=99) == "bc"
    assert substring("abc", 7) == ""
    assert substring("", 0, length=3) == ""


def test_positions_count_code_points() -> None:
    assert substring("a😀b", 1, length=1) == "😀"


def test_length_and_end_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="End: given beside Length"):
        SUBSTRING.compile(SubstringConfig(0, length=1, end=1))


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="Length: -1 is negative"):
        SUBSTRING.compile(SubstringConfig(0, length=-1))


@given(st.text(), positions, st.integers(0, 9))
def test_a_piece_is_part_of_the_text_and_no_longer_than_asked(text: Any, start: Any, length: Any) -> None:
    piece = substring(text, start, length=length)
    assert piece in text
    assert len(piece) <= length


@given(st.text(), positions)
def test_two_pieces_that_meet_are_the_text(text: Any, middle: Any) -> None:
    assert substring(text, 0, end=middle) + substring(text, middle) == text


@given(anything, positions, st.none() | positions)
def test_any_value_gives_text_or_a_transform_error_twice_and_stays_unchanged(value: Any, start: Any, end: Any) -> None:
    before = repr(value)
    try:
        result = substring(value, start, end=end)
    except TransformError:
        with pytest.raises(TransformError):
            substring(value, start, end=end)
    else:
        assert isinstance(result, str)
        assert substring(value, start, end=end) == result
    assert repr(value) == before


def test_numbers_take_their_text_and_lists_have_none() -> None:
    assert substring(5551234567, 0, length=3) == "555"
    with pytest.raises(TransformError, match="text expected, not list"):
        substring(["abc"], 0)


def test_nulls_and_absent_values_pass_by() -> None:
    assert SUBSTRING.sees == "values"


@given(st.lists(st.text()), positions, st.none() | st.integers(0, 5))
def test_the_length_counts_from_the_start(texts: Any, start: Any, length: Any) -> None:
    step = SUBSTRING.compile(SubstringConfig(start, length))
    assert list(step.apply(texts, [{}] * len(texts))) == [text[start:][:length] for text in texts]
