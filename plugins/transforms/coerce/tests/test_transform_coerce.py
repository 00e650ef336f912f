import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mj_transform_coerce import Coerce, CoerceConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(COERCE,) = mj_transform_types()
NEW_YORK = "America/New_York"
EST, EDT = timezone(timedelta(hours=-5)), timezone(timedelta(hours=-4))

scalars = st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def coerce(value: Any, target: Any, **config: Any) -> Any:
    return COERCE.compile(CoerceConfig(target, **config)).apply([value], [{}])[0]


def back(value: Any, target: Any, **config: Any) -> Any:
    assert COERCE.inverse is not None
    return COERCE.inverse(CoerceConfig(target, **config)).apply([value], [{}])[0]


# --- string ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (True, "true"),
        (date(2026, 3, 8), "2026-03-08"),
        (datetime(2026, 3, 8, 1, tzinfo=UTC), "2026-03-08T01:00:00+00:00"),
    ],
)
def test_scalars_become_text(value: Any, text: str) -> None:
    assert coerce(value, "string") == text


# --- number ---


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("42", 42),
        (" -007 ", -7),
        ("+5", 5),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("1e3", Decimal("1E+3")),
        ("12345678901234567890.123456789012345678", Decimal("12345678901234567890.123456789012345678")),
        (0.1, Decimal("0.1")),
        (7, 7),
    ],
)
def test_numbers_are_exact(value: Any, number: Any) -> None:
    result = coerce(value, "number")
    assert str(result) == str(number)
    assert type(result) is type(number)


@pytest.mark.parametrize(
    "value",
    ["", " ", "abc", "1,000", "1_000", "1 000", "NaN", "Infinity", "٣", "0x1F", "1e9999", "--1", ".", "5 apples", "9" * 500],
)
def test_what_is_no_number_is_an_error_and_never_zero(value: str) -> None:
    with pytest.raises(TransformError, match="a number in plain digits expected"):
        coerce(value, "number")


@pytest.mark.parametrize("value", [True, float("nan"), Decimal("Infinity"), date(2026, 3, 8), [1]])
def test_other_types_are_no_numbers(value: Any) -> None:
    with pytest.raises(TransformError, match="a number expected, not"):
        coerce(value, "number")


@given(st.integers(-(10**300), 10**300) | st.decimals(allow_nan=False, allow_infinity=False))
def test_every_number_survives_its_text(number: Any) -> None:
    try:
        text = back(number, "number")
    except TransformError:
        assume(False)
    assert coerce(text, "number") == number


# --- boolean ---


@pytest.mark.parametrize("value", ["true", "TRUE", " Yes ", "1", 1, True])
def test_true_values(value: Any) -> None:
    assert coerce(value, "boolean") is True


@pytest.mark.parametrize("value", ["false", "No", "0", 0, False])
def test_false_values(value: Any) -> None:
    assert coerce(value, "boolean") is False


@pytest.mark.parametrize("value", ["", "y", "on", "2", 2, Decimal("1.0"), "truee", date(2026, 3, 8)])
def test_what_is_neither_is_an_error_and_never_false(value: Any) -> None:
    with pytest.raises(TransformError, match="neither true nor false"):
        coerce(value, "boolean")


def test_listed_values_replace_the_defaults() -> None:
    assert coerce("OUI", "boolean", true_values=("oui",)) is True
    assert coerce("no", "boolean", true_values=("oui",)) is False
    with pytest.raises(TransformError):
        coerce("true", "boolean", true_values=("oui",))


def test_an_empty_text_may_be_listed() -> None:
    assert coerce("", "boolean", false_values=("",)) is False


def test_a_text_in_both_lists_is_refused() -> None:
    with pytest.raises(ConfigError, match="TrueValues: 'X' is among FalseValues"):
        coerce("x", "boolean", true_values=("X",), false_values=("x",))


@pytest.mark.parametrize("key", ["true_values", "false_values"])
def test_an_empty_list_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="Values: empty"):
        coerce("x", "boolean", **{key: ()})


@given(st.booleans(), st.lists(st.sampled_from("abcd"), min_size=2, unique=True))
def test_booleans_survive_their_text(value: bool, texts: list[str]) -> None:
    config = {"true_values": tuple(texts[:1]), "false_values": tuple(texts[1:])}
    assert coerce(back(value, "boolean", **config), "boolean", **config) is value


# --- date ---


@pytest.mark.parametrize(
    ("value", "config", "day"),
    [
        ("2026-03-08", {}, date(2026, 3, 8)),
        (" 2026-03-08 ", {}, date(2026, 3, 8)),
        ("2026-03-08T23:30", {}, date(2026, 3, 8)),
        ("2026-03-08T23:30:00Z", {"zone": "UTC"}, date(2026, 3, 8)),
        ("2026-03-08T23:30:00Z", {"zone": "Asia/Tokyo"}, date(2026, 3, 9)),
        ("03/08/2026", {"input_format": "MM/DD/YYYY"}, date(2026, 3, 8)),
        ("20260308", {"input_format": "YYYYMMDD"}, date(2026, 3, 8)),
        ("08.03.2026 23:30", {"input_format": "DD.MM.YYYY HH:mm"}, date(2026, 3, 8)),
        (date(2026, 3, 8), {"input_format": "MM/DD/YYYY"}, date(2026, 3, 8)),
        (datetime(2026, 3, 8, 3, tzinfo=UTC), {"zone": NEW_YORK}, date(2026, 3, 7)),
    ],
)
def test_days(value: Any, config: Any, day: date) -> None:
    result = coerce(value, "date", **config)
    assert result == day
    assert type(result) is date


def test_an_instant_is_no_day_without_a_zone() -> None:
    with pytest.raises(TransformError, match="Zone names the zone whose day is meant"):
        coerce("2026-03-08T00:00:00Z", "date")
    with pytest.raises(ConfigError, match="Zone: missing"):
        coerce("x", "date", input_format="YYYY-MM-DD HH:mm Z")


# --- datetime ---


@pytest.mark.parametrize(
    ("value", "config", "instant"),
    [
        ("2026-03-08T12:30:15.123Z", {}, datetime(2026, 3, 8, 12, 30, 15, 123000, tzinfo=UTC)),
        ("2026-03-08 12:30+0530", {}, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("2026-03-08T12:30:15.1234560000-05", {}, datetime(2026, 3, 8, 17, 30, 15, 123456, tzinfo=UTC)),
        ("2026-01-08T12:00:00", {"zone": NEW_YORK}, datetime(2026, 1, 8, 12, tzinfo=EST)),
        ("01/08/2026 12:00", {"input_format": "MM/DD/YYYY HH:mm", "zone": NEW_YORK}, datetime(2026, 1, 8, 17, tzinfo=UTC)),
        (
            "2026-07-08T12:00:05.250Z",
            {"input_format": "YYYY-MM-DDTHH:mm:ss.SSSZ"},
            datetime(2026, 7, 8, 12, 0, 5, 250000, tzinfo=UTC),
        ),
        ("2026-07-08 12 -04:00", {"input_format": "YYYY-MM-DD HH Z"}, datetime(2026, 7, 8, 12, tzinfo=EDT)),
        (datetime(2026, 7, 8, 12), {"zone": NEW_YORK}, datetime(2026, 7, 8, 12, tzinfo=EDT)),  # noqa: DTZ001 - naive on purpose
        (datetime(2026, 7, 8, 12, tzinfo=UTC), {"zone": NEW_YORK}, datetime(2026, 7, 8, 12, tzinfo=UTC)),
    ],
)
def test_instants(value: Any, config: Any, instant: datetime) -> None:
    result = coerce(value, "datetime", **config)
    assert result == instant
    assert result.tzinfo is not None


def test_text_without_an_offset_is_an_error_until_a_zone_is_named() -> None:
    with pytest.raises(TransformError, match="no time zone; Zone names the one"):
        coerce("2026-03-08T12:00:00", "datetime")
    with pytest.raises(ConfigError, match=r"InputFormat: .* lacks Z; or name the Zone"):
        coerce("x", "datetime", input_format="YYYY-MM-DD HH:mm")


def test_a_day_is_no_instant() -> None:
    with pytest.raises(TransformError, match="a day, no instant"):
        coerce("2026-03-08", "datetime", zone=NEW_YORK)
    with pytest.raises(ConfigError, match="lacks HH"):
        coerce("x", "datetime", input_format="YYYY-MM-DD", zone=NEW_YORK)


def test_a_time_that_clocks_skip_does_not_exist() -> None:
    with pytest.raises(TransformError, match="2026-03-08 02:30:00 does not exist in America/New_York"):
        coerce("2026-03-08T02:30:00", "datetime", zone=NEW_YORK)


def test_of_a_time_that_clocks_repeat_the_first_is_taken() -> None:
    result = coerce("2026-11-01T01:30:00", "datetime", zone=NEW_YORK)
    assert result.astimezone(UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["", "08/03/2026", "2026-3-8", "2026-02-30", "2026-03-08T25:00Z", "2026-03-08 junk", "2026-W10-7", "20260308", "٢٠٢٦-٠٣-٠٨"],
)
@pytest.mark.parametrize("target", ["date", "datetime"])
def test_text_that_is_no_date_is_an_error(value: str, target: str) -> None:
    with pytest.raises(TransformError):
        coerce(value, target, zone="UTC")


@pytest.mark.parametrize("value", ["3/8/2026", "03/08/26", "02/30/2026", "03/08/2026x"])
def test_the_input_format_is_strict(value: str) -> None:
    with pytest.raises(TransformError, match=r"not written as MM/DD/YYYY|does not exist"):
        coerce(value, "date", input_format="MM/DD/YYYY")


@pytest.mark.parametrize(
    ("input_format", "fault"),
    [
        ("MMM/DD/YYYY", "'M' in 'MMM/DD/YYYY' is no token"),
        ("DD/YYYY", "lacks MM"),
        ("YYYY-MM-DD mm", "lacks HH"),
        ("YYYY-MM-DD YYYY", "has YYYY twice"),
        ("", "lacks YYYY and MM and DD"),
    ],
)
def test_a_wrong_format_is_refused_when_the_map_is_saved(input_format: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=f"InputFormat: .*{fault}"):
        coerce("x", "date", input_format=input_format)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "America"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match=r"Zone: .* is no IANA time zone"):
        coerce("x", "datetime", zone=zone)


@pytest.mark.parametrize(
    ("target", "config"),
    [
        ("number", {"input_format": "YYYY"}),
        ("string", {"zone": "UTC"}),
        ("date", {"true_values": ("a",)}),
        ("number", {"false_values": ("b",)}),
    ],
)
def test_keys_that_would_change_nothing_are_refused(target: str, config: Any) -> None:
    with pytest.raises(ConfigError, match="only for TargetType"):
        coerce("1", target, **config)


# --- the way back ---


@given(st.dates(), st.sampled_from([None, "MM/DD/YYYY", "{DD}.MM.YYYY", "YYYYMMDD"]))
def test_days_survive_their_text(day: date, input_format: str | None) -> None:
    assert coerce(back(day, "date", input_format=input_format), "date", input_format=input_format) == day


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds must be naive
    st.sampled_from([None, "YYYY-MM-DDTHH:mm:ss.SSSZ", "DD.MM.YYYY HH:mm:ss"]),
    st.sampled_from([NEW_YORK, "Asia/Kathmandu", "UTC"]),
)
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "DD.MM.YYYY HH:mm:ss", NEW_YORK)
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "DD.MM.YYYY HH:mm:ss", NEW_YORK)
def test_instants_survive_their_text_or_are_refused(instant: datetime, input_format: str | None, zone: str) -> None:
    config = {"input_format": input_format, "zone": zone}
    try:
        text = back(instant, "datetime", **config)
    except TransformError as error:
        assert input_format is not None
        assert "is more than" in str(error) or "not written as" in str(error)  # noqa: PT017 - either is right
    else:
        assert coerce(text, "datetime", **config).astimezone(UTC) == instant


def test_the_second_of_two_repeated_times_has_no_way_back_without_an_offset() -> None:
    config = {"input_format": "YYYY-MM-DD HH:mm", "zone": NEW_YORK}
    assert back(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "datetime", **config) == "2026-11-01 01:30"
    with pytest.raises(TransformError, match="is more than YYYY-MM-DD HH:mm can say"):
        back(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "datetime", **config)


def test_a_day_has_no_way_back_to_a_time() -> None:
    with pytest.raises(ConfigError, match="InputFormat: not invertible"):
        back(date(2026, 3, 8), "date", input_format="YYYY-MM-DD HH:mm")


# --- any value ---


@pytest.mark.parametrize("target", ["string", "number", "boolean", "date", "datetime"])
@given(value=anything)
def test_any_value_is_converted_or_a_transform_error_twice_and_stays_unchanged(target: str, value: Any) -> None:
    types: dict[str, Any] = {"string": str, "number": (int, Decimal), "boolean": bool, "date": date, "datetime": datetime}
    before = repr(value)
    try:
        result = coerce(value, target)
    except TransformError:
        with pytest.raises(TransformError):
            coerce(value, target)
    else:
        assert isinstance(result, types[target])
        assert coerce(value, target) == result
    assert repr(value) == before


@given(
    st.datetimes(), st.sampled_from([NEW_YORK, "Pacific/Kiritimati", "Europe/Amsterdam"]), st.sampled_from(["date", "datetime"])
)
@example(datetime.min, "Pacific/Kiritimati", "datetime")  # noqa: DTZ901 - naive on purpose
@example(datetime.max, NEW_YORK, "datetime")  # noqa: DTZ901 - naive on purpose
def test_any_time_in_any_zone_is_converted_or_a_transform_error(local: datetime, zone: str, target: str) -> None:
    for value in (local, local.isoformat(), local.replace(tzinfo=UTC)):
        try:
            result = coerce(value, target, zone=zone)
        except TransformError:
            continue
        assert isinstance(result, date)


def test_nulls_and_absent_values_pass_by() -> None:
    assert COERCE.sees == "values"


# --- Columns ---


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("string", {}),
    ("number", {}),
    ("boolean", {}),
    ("boolean", {"true_values": ("oui", "1"), "false_values": ("NON",)}),
    ("date", {}),
    ("date", {"zone": "UTC"}),
    ("date", {"zone": NEW_YORK}),
    ("date", {"input_format": "MM/DD/YYYY"}),
    ("date", {"input_format": "DD1MM2YYYY"}),
    ("date", {"input_format": " YYYY-MM-DD"}),
    ("date", {"input_format": "DD.MM.YYYY HH:mmZ", "zone": NEW_YORK}),
    ("datetime", {}),
    ("datetime", {"zone": NEW_YORK}),
    ("datetime", {"input_format": "DD.MM.YYYY HH:mm", "zone": NEW_YORK}),
    ("datetime", {"input_format": "YYYYMMDDTHHmmss.SSSZ"}),
]
WRITTEN = [
    r"[+-]?[0-9]{0,3}\.?[0-9]{0,3}(e[0-9])?",
    r"(0{3}|19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
    r"2026-(03-08|11-01)[T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,8})?)?(Z|[+-][01][0-9](:?[0-9]{2})?)?",
    r"(0001-01-01|9999-12-31)T[0-2][0-9]:00(Z|[+-]23:59)",
    r"[01][0-9]/[0-3][0-9]/20[0-9]{2}",
    r"[0-3][0-9][12][01][0-9][12]20[0-9]{2}",
    r"[0-3][0-9]\.(03|11)\.2026 [0-2][0-9]:[0-6][0-9](Z|[+-]0[0-9]:?[03]0)?",
    r"202603[0-3][0-9]T[0-2][0-9]{5}\.[0-9]{3}(Z|\+0100)",
    r"true|FALSE|Yes|no|1|0|oui|NON|",
    r"[ \n]?[0-9\u0663]{1,2}[ \n]?",
    r" ?2026-03-0[0-9]\n?",
]
texts = st.sampled_from(WRITTEN).flatmap(lambda expression: st.from_regex(expression, fullmatch=True)) | st.text(max_size=5)


@given(st.sampled_from(CONFIGS), st.lists(texts, max_size=6), st.lists(texts | scalars, max_size=2))
@settings(max_examples=700, deadline=None)
def test_a_column_gives_what_its_values_give_one_by_one(config: Any, of_texts: list[Any], of_others: list[Any]) -> None:
    target, options = config
    step = COERCE.compile(CoerceConfig(target, **options))
    assert isinstance(step, Coerce)
    for column in (of_texts, of_texts + of_others):
        try:
            expected = [step.convert(value) for value in column]
        except TransformError as error:
            with pytest.raises(TransformError, match=re.escape(str(error))):
                step.apply(column, [{}] * len(column))
        else:
            found = step.apply(column, [{}] * len(column))
            assert [(type(value), str(value)) for value in found] == [(type(value), str(value)) for value in expected]
