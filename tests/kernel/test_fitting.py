"""A value fits its column without loss, or not at all."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjcore.errors import TransformError
from mjcore.fitting import fitter
from mjcore.models import EntityField


def column(**known: Any) -> EntityField:
    return EntityField("Column", **known)


FITS = [
    (column(), "text", "text"),
    (column(), 5, "5"),
    (column(), Decimal("1.50"), "1.50"),
    (column(max_length=3), "äöü", "äöü"),
    (column(type="multi_enum"), ("a", "b"), "a;b"),
    (column(type="number"), "42", 42),
    (column(type="number"), "-1.50", Decimal("-1.50")),
    (column(type="number"), 0.1, Decimal("0.1")),
    (column(type="number", precision=5, scale=2), "123.45", Decimal("123.45")),
    (column(type="number", precision=5, scale=2), "123.4500", Decimal("123.45")),
    (column(type="number", number="integer", precision=32), 2**31 - 1, 2**31 - 1),
    (column(type="number", number="numeric"), 2**62 + 1, 2**62 + 1),
    (column(type="number", number="numeric", exact=True), "0.1234567890123456789", Decimal("0.1234567890123456789")),
    (column(type="boolean"), "true", True),
    (column(type="boolean"), False, False),
    (column(type="date"), "2026-02-28", date(2026, 2, 28)),
    (column(type="datetime"), "2026-02-25T16:23:49.023Z", datetime(2026, 2, 25, 16, 23, 49, 23000, UTC)),
    (column(type="datetime"), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2025, 12, 31, 22, tzinfo=UTC)),
    (column(type="datetime", fraction_digits=0), "2026-02-25T16:23:49.000Z", datetime(2026, 2, 25, 16, 23, 49, tzinfo=UTC)),
    (column(type="json"), {"a": (1, 2.5)}, {"a": [1, Decimal("2.5")]}),
    (column(type="reference"), ("17",), "17"),
    (column(type="reference"), (), None),
]

MISFITS = [
    (column(max_length=3), "four", "4 characters, but the column holds 3"),
    (column(), ["a"], "text expected"),
    (column(), True, "text expected"),
    (column(), "a\0b", "NUL"),
    (column(), "\ud800", "surrogate"),
    (column(type="json"), {"a": ["b\0"]}, "NUL"),
    (column(type="json"), {"\ud800": 1}, "surrogate"),
    (column(type="number"), True, "a number expected"),
    (column(type="number"), "1,5", "a number expected"),
    (column(type="number"), "", "a number expected"),
    (column(type="number"), "NaN", "a number expected"),
    (column(type="number"), float("inf"), "a number expected"),
    (column(type="number", precision=5, scale=2), "1.234", "decimal places"),
    (column(type="number", precision=5, scale=2), "1234.5", "before the point"),
    (column(type="number", number="integer", precision=16), 2**15, "out of the column's range"),
    (column(type="number", number="integer"), "1.5", "no whole number"),
    (column(type="number", number="numeric"), "0.1234567890123456789", "would be rounded"),
    (column(type="number", number="double"), 2**53 + 1, "would be rounded"),
    (column(type="number", number="double"), 10**400, "would be rounded"),
    (column(type="boolean"), "yes", "true or false expected"),
    (column(type="boolean"), 1, "true or false expected"),
    (column(type="date"), "2026-02-30", "does not exist"),
    (column(type="date"), datetime(2026, 1, 1, tzinfo=UTC), "a day"),
    (column(type="datetime"), "2026-02-25T16:23:49", "an instant"),
    (column(type="datetime"), datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001
    (column(type="datetime"), "2026-02-25T16:23:49.1234567Z", "an instant"),
    (column(type="datetime", fraction_digits=3), "2026-02-25T16:23:49.0001Z", "finer than the column"),
    (column(type="json"), {1: 2}, "JSON expected"),
    (column(type="reference"), ("1", "2"), "one reference expected"),
]


@pytest.mark.parametrize(("into", "value", "expected"), FITS, ids=repr)
def test_what_fits_is_kept_without_loss(into: EntityField, value: Any, expected: Any) -> None:
    fitted = fitter(into)(value)
    assert (fitted, type(fitted)) == (expected, type(expected))


@pytest.mark.parametrize(("into", "value", "fault"), MISFITS, ids=repr)
def test_what_does_not_fit_is_refused_with_the_columns_name(into: EntityField, value: Any, fault: str) -> None:
    with pytest.raises(TransformError, match=fault) as error:
        fitter(into)(value)
    assert str(error.value).startswith("Column: ")


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner),
    max_leaves=5,
)
columns = st.builds(
    column,
    type=st.sampled_from(["string", "number", "boolean", "date", "datetime", "json", "reference", "multi_enum", "unknown"]),
    number=st.sampled_from(["decimal", "numeric", "integer", "double"]),
    max_length=st.none() | st.integers(1, 5),
    precision=st.none() | st.just(32),
    scale=st.none() | st.integers(0, 4),
    fraction_digits=st.integers(0, 6),
)


@given(columns, json_like.filter(lambda value: value is not None))
def test_nothing_but_a_transform_error_is_raised_and_what_fitted_fits_again(into: EntityField, value: Any) -> None:
    fit = fitter(into)
    try:
        fitted = fit(value)
    except TransformError:
        return
    if fitted is not None:
        assert fit(fitted) == fitted


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_number_column_of_sqlite_takes_only_what_it_gives_back(number: Decimal) -> None:
    try:
        fitted = fitter(column(type="number", number="numeric"))(number)
    except TransformError:
        return
    assert fitted == number
    assert isinstance(fitted, int) or Decimal(repr(float(fitted))) == number
