from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pendulum
import pytest
from babel import localedata
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mj_transform_format import FormatConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(FORMAT,) = mj_transform_types()
NEW_YORK = "America/New_York"
ISO = "YYYY-MM-DDTHH:mm:ss.SSSSSSZ"

datetimes = st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001 - naive bounds
recent = st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1))  # noqa: DTZ001 - naive bounds
anything = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def config(output: str, source: str | None = None, **more: Any) -> FormatConfig:
    return FormatConfig("date", output, source, **more)


def form(value: Any, output: str, source: str | None = None, **more: Any) -> Any:
    return FORMAT.compile(config(output, source, **more)).apply([value], [{}])[0]


def back(value: Any, output: str, source: str | None = None, **more: Any) -> Any:
    assert FORMAT.inverse is not None
    return FORMAT.inverse(config(output, source, **more)).apply([value], [{}])[0]


@pytest.mark.parametrize(
    ("value", "source", "output", "expected"),
    [
        ("03/08/2026", "MM/DD/YYYY", "YYYY-MM-DD", "2026-03-08"),
        ("2026-03-08", "YYYY-MM-DD", "M/D/YY", "3/8/26"),
        ("8.3.69", "D.M.YY", "YYYY-MM-DD", "1969-03-08"),
        ("8.3.68", "D.M.YY", "YYYY-MM-DD", "2068-03-08"),
        ("20260308", "YYYYMMDD", "D MMM YYYY", "8 Mar 2026"),
        ("Sunday, March 8th 2026 at 2:05 PM", "dddd, MMMM Do YYYY [at] h:mm A", "GGGG-[W]WW-E HH:mm", "2026-W10-7 14:05"),
        ("sun, MAR 22ND 2026 12:00 am", "ddd, MMM Do YYYY hh:mm a", "YYYY-MM-DD HH:mm:ss", "2026-03-22 00:00:00"),
        ("2026-W53-5", "GGGG-[W]WW-E", "YYYY-MM-DD", "2027-01-01"),
        ("2026-W10", "GGGG-[W]WW", "[week] W [of] GGGG", "week 10 of 2026"),
        ("2024-366", "YYYY-DDDD", "YYYY-MM-DD", "2024-12-31"),
        ("2026-03-08", None, "[Q]Q YYYY, [day] DDD, DDDD", "Q1 2026, day 67, 067"),
        ("02/29", "MM/DD", "D MMMM", "29 February"),
        ("14:05", "HH:mm", "h:mm a", "2:05 pm"),
        ("5 PM", "h A", "HH:mm:ss.SSS", "17:00:00.000"),
        ("1700000000", "X", ISO, "2023-11-14T22:13:20.000000+00:00"),
        ("-1", "x", ISO, "1969-12-31T23:59:59.999000+00:00"),
        ("2026-03-08T12:00:00.123456Z", None, "x X", "1772971200123 1772971200"),
        ("2026-03-08T12:00:00+05:30", None, "YYYY-MM-DD HH:mm ZZ", "2026-03-08 12:00 +0530"),
        ("2026-03-08 12:00:05.25 -0800", "YYYY-MM-DD HH:mm:ss.SS ZZ", ISO, "2026-03-08T12:00:05.250000-08:00"),
        (" 2026-03-08T12:00 ", None, "H.m", "12.0"),
        ("2026年3月8日", "YYYY年M月D日", "YYYY-MM-DD", "2026-03-08"),
        (date(2026, 3, 8), "MM/DD/YYYY", "DD.MM.YYYY", "08.03.2026"),
        (datetime(2026, 3, 8, 12, tzinfo=UTC), None, "DD.MM.YYYY HH:mm Z", "08.03.2026 12:00 +00:00"),
        (1700000000123, "x", "YYYY", "2023"),
    ],
)
def test_dates_go_from_one_pattern_to_another(value: Any, source: str | None, output: str, expected: str) -> None:
    assert form(value, output, source) == expected


@pytest.mark.parametrize(
    ("locale", "value", "source", "expected"),
    [
        ("fr", "8 août 2026", "D MMMM YYYY", "2026-08-08"),
        ("fr-CA", "8 AOÛT 2026", "D MMMM YYYY", "2026-08-08"),
        ("de", "So., 8. März 2026", "ddd, D. MMMM YYYY", "2026-03-08"),
        ("de", "So 8 Dez 2030", "ddd D MMM YYYY", "2030-12-08"),
        ("es", "domingo, 8 de marzo de 2026", "dddd, D [de] MMMM [de] YYYY", "2026-03-08"),
        ("ru", "8 марта 2026", "D MMMM YYYY", "2026-03-08"),
        ("ru", "март 8 2026", "MMMM D YYYY", "2026-03-08"),
        ("tr", "8 Ağustos 2026", "D MMMM YYYY", "2026-08-08"),
    ],
)
def test_names_are_read_in_the_locale(locale: str, value: str, source: str, expected: str) -> None:
    assert form(value, "YYYY-MM-DD", source, locale=locale) == expected


def test_months_have_the_form_that_the_language_gives_them_beside_a_day() -> None:
    assert form("2026-03-08", "D MMMM", locale="ru") == "8 марта"
    assert form("2026-03-08", "MMMM YYYY [D]", locale="ru") == "март 2026 D"


@pytest.mark.parametrize("locale", sorted({name.split("_")[0] for name in localedata.locale_identifiers()}))
def test_every_language_reads_the_names_that_it_writes(locale: str) -> None:
    days = [datetime(2026, 1 + month, 1 + month * 2, 12 * (month % 2) + 1, tzinfo=UTC) for month in range(12)]
    for pattern in ("dddd|D|MMMM|YYYY|h|A", "ddd|D|MMM|YYYY|h|a"):
        texts = FORMAT.compile(config(pattern, locale=locale)).apply(days, [{}] * 12)
        read = FORMAT.compile(config("YYYY-MM-DD HH", pattern, locale=locale)).apply(texts, [{}] * 12)
        assert list(read) == [f"{day:%Y-%m-%d %H}" for day in days]


# --- strictness ---


@pytest.mark.parametrize(
    "value",
    [
        "03/08/2026 junk",
        "x03/08/2026",
        "3/8/2026",
        "03/08/26",
        "03-08-2026",
        "",
        "0３/08/2026",
        "03/08/2026\n03/08/2026",
    ],
)
def test_text_that_is_not_as_the_pattern_says_is_an_error(value: str) -> None:
    with pytest.raises(TransformError, match="is not written as MM/DD/YYYY"):
        form(value, "YYYY-MM-DD", "MM/DD/YYYY")


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("02/30/2026", "MM/DD/YYYY"),
        ("13/01/2026", "MM/DD/YYYY"),
        ("01/01/0000", "MM/DD/YYYY"),
        ("2025-366", "YYYY-DDDD"),
        ("2025-000", "YYYY-DDDD"),
        ("2025-W53-1", "GGGG-[W]WW-E"),
        ("Monday 2026-03-08", "dddd YYYY-MM-DD"),
        ("2026-03-08 13 PM", "YYYY-MM-DD h A"),
        ("2026-03-08 0 AM", "YYYY-MM-DD h A"),
        ("2026-03-08 24", "YYYY-MM-DD HH"),
        ("2026-03-08 12 +99:00", "YYYY-MM-DD HH Z"),
        ("2026-03-08 12 +01:75", "YYYY-MM-DD HH Z"),
        ("999999999999", "X"),
    ],
)
def test_what_no_calendar_has_is_an_error(value: str, source: str) -> None:
    with pytest.raises(TransformError, match="does not exist"):
        form(value, "[x]", source)


@pytest.mark.parametrize("value", ["08/03/2026", "20260308", "2026-W10-7", "2026-3-8", "1700000000", 5, True, 1.5])
def test_without_an_input_format_only_iso_8601_is_read(value: Any) -> None:
    with pytest.raises(TransformError, match="is not ISO 8601; InputFormat says"):
        form(value, "YYYY")


@pytest.mark.parametrize(
    ("source", "output", "missing"),
    [
        ("MM/DD", "YYYY-MM-DD", "year"),
        ("YYYY-MM", "YYYY-MM-DD", "day"),
        ("YYYY", "dddd YYYY", "day and month"),
        ("YYYY-MM-DD", "YYYY-MM-DD HH:mm", "hour"),
        ("HH:mm", "YYYY HH:mm", "year"),
        ("GGGG-[W]WW", "YYYY", "year"),
        ("YYYY-MM-DD HH:mm", "YYYY-MM-DD HH:mm Z", "zone, which InputFormat does not tell; Zone can name it"),
        ("YYYY-MM-DD HH:mm", "X", "zone"),
    ],
)
def test_an_output_that_would_have_to_be_made_up_is_refused(source: str, output: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=f"OutputFormat: asks for the {missing}"):
        form("x", output, source)


def test_typed_values_that_do_not_tell_what_is_asked_are_errors() -> None:
    with pytest.raises(TransformError, match="2026-03-08 does not tell the hour"):
        form(date(2026, 3, 8), "YYYY-MM-DD HH:mm")
    with pytest.raises(TransformError, match="does not tell the zone"):
        form("2026-03-08T12:00", "HH:mm Z")


@pytest.mark.parametrize(
    ("key", "text", "fault"),
    [
        ("output", "YYYY-MM-DD at HH", "'t' in .* is no token|'a' in .* is no token"),
        ("output", "YYYY-MM-DD [at", r"'\[' in .* is no token"),
        ("output", "yyyy", "'y' in 'yyyy' is no token \\(known: .*YYYY.*text goes in \\[brackets\\]"),
        ("source", "LL", "'L' in"),
        ("source", "YYYY-MM-DD MMM", "has the month twice"),
        ("source", "Q YYYY", "cannot be read: Q"),
        ("source", "YYYY-MM-DD HH z", "cannot be read: z"),
        ("source", "YYYY-MM-DD h:mm", "hour12 without half"),
        ("source", "YYYY-MM-DD HH A", "half without hour12"),
        ("source", "YYYY mm", "minute without hour"),
        ("source", "YYYY-MM-DD Z", "offset without hour"),
        ("source", "GGGG", "isoyear without isoweek"),
        ("source", "YYYY GGGG WW", "isoweek beside year"),
        ("source", "YYYY DDD MM", "month beside yearday"),
        ("source", "DDD", "yearday without year"),
        ("source", "dddd YYYY", "weekday without a full date"),
        ("source", "X YYYY", "seconds since 1970 beside"),
    ],
)
def test_a_wrong_pattern_is_refused_when_the_map_is_saved(key: str, text: str, fault: str) -> None:
    source, output = (text, "[x]") if key == "source" else (None, text)
    with pytest.raises(ConfigError, match=f"{'InputFormat' if key == 'source' else 'OutputFormat'}: .*({fault})"):
        form("x", output, source)


@pytest.mark.parametrize("value", ["3th March 2026", "03rd March 2026", "0th March 2026", "32nd March 2026"])
def test_an_ordinal_that_english_does_not_have_is_an_error(value: str) -> None:
    with pytest.raises(TransformError, match="is not written as Do MMMM YYYY"):
        form(value, "YYYY-MM-DD", "Do MMMM YYYY")


@pytest.mark.parametrize(("key", "source", "output"), [("InputFormat", " ", "YYYY"), ("OutputFormat", None, "")])
def test_an_empty_pattern_is_refused(key: str, source: str | None, output: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: empty"):
        form("x", output, source)


def test_white_space_around_an_input_format_does_not_count() -> None:
    assert form(" 03/08/2026 ", "YYYY-MM-DD", " MM/DD/YYYY\n") == "2026-03-08"


def test_a_percent_sign_stands_for_itself() -> None:
    assert form("2026%03", "MM%%YYYY", "YYYY%MM") == "03%%2026"


def test_ordinals_are_english() -> None:
    ordinals = [form(date(2026, 1, day), "Do") for day in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31)]
    assert ordinals == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "30th", "31st"]
    with pytest.raises(ConfigError, match="'o' in 'Do' is no token"):
        form(date(2026, 1, 1), "Do", locale="de")


@pytest.mark.parametrize(("more", "fault"), [({"locale": "xx-YY"}, "Locale: 'xx-YY'"), ({"zone": "Mars"}, "Zone: 'Mars'")])
def test_unknown_locales_and_zones_are_refused(more: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        form("x", "YYYY", **more)


# --- zones ---


def test_a_zone_says_where_times_are_meant_and_shown() -> None:
    assert form("07/08/2026 12:00", "YYYY-MM-DDTHH:mmZ", "MM/DD/YYYY HH:mm", zone=NEW_YORK) == "2026-07-08T12:00-04:00"
    assert form("2026-01-08T12:00:00Z", "HH:mm z", zone=NEW_YORK) == "07:00 EST"
    assert form(datetime(2026, 1, 8, 12, tzinfo=UTC), "HH:mm z", "YYYY-MM-DD HH:mm", zone=NEW_YORK) == "07:00 EST"


def test_a_day_stays_that_day_in_every_zone() -> None:
    assert form("2026-03-08", "YYYY-MM-DD", zone="Pacific/Kiritimati") == "2026-03-08"
    assert form("03/08", "M-D", "MM/DD", zone=NEW_YORK) == "3-8"


def test_a_time_that_clocks_skip_does_not_exist() -> None:
    with pytest.raises(TransformError, match="2026-03-08 02:30:00 does not exist in America/New_York: clocks skip it"):
        form("2026-03-08 02:30", "YYYY-MM-DD HH:mm", "YYYY-MM-DD HH:mm", zone=NEW_YORK)


def test_of_a_time_that_clocks_repeat_the_first_is_taken() -> None:
    assert form("2026-11-01T01:30", "HH:mm Z", zone=NEW_YORK) == "01:30 -04:00"


def test_equal_instants_of_two_zones_keep_their_own_texts() -> None:
    step = FORMAT.compile(config("HH:mm"))
    noon = datetime(2026, 3, 8, 12, tzinfo=UTC)
    same = noon.astimezone(timezone(timedelta(hours=2)))
    assert step.apply([noon, same, noon], [{}] * 3) == ["12:00", "14:00", "12:00"]


@given(st.datetimes(), st.sampled_from([NEW_YORK, "Pacific/Kiritimati", "Europe/Amsterdam"]))
@example(datetime.min, "Pacific/Kiritimati")  # noqa: DTZ901 - naive on purpose
@example(datetime.max, NEW_YORK)  # noqa: DTZ901 - naive on purpose
def test_any_time_in_any_zone_is_written_or_a_transform_error(local: datetime, zone: str) -> None:
    for value in (local, local.isoformat(), local.replace(tzinfo=UTC)):
        try:
            assert form(value, "YYYY-MM-DD HH:mm Z GGGG-WW", zone=zone)
        except TransformError as error:
            assert "range" in str(error) or "skip" in str(error) or "seconds" in str(error)  # noqa: PT017 - any of them


# --- pendulum ---

SHARED = [
    "YYYY-MM-DD",
    "MM/DD/YYYY HH:mm",
    "D MMMM YYYY",
    "ddd, D MMM YYYY HH:mm:ss",
    "YYYY-DDDD",
    "YY-M-D H:m:s",
    "Do MMM YYYY hh:mm A",
]


@given(datetimes, st.sampled_from([*SHARED, "Q", "SSS SSSSSS", "DDD DDDD"]), st.sampled_from(["en", "fr", "de"]))
def test_texts_are_those_of_pendulum(moment: datetime, pattern: str, locale: str) -> None:
    if locale != "en" and ("MMM" in pattern or "ddd" in pattern or "Do" in pattern or "A" in pattern):
        assume("MMMM" in pattern and "ddd" not in pattern)
    assert form(moment, pattern, locale=locale) == pendulum.instance(moment, tz=UTC).format(pattern, locale=locale)


@given(datetimes)
def test_weeks_are_those_of_the_calendar_of_iso_8601(moment: datetime) -> None:
    text = form(moment, "GGGG-[W]WW-E")
    assert text == "{:04}-W{:02}-{}".format(*moment.isocalendar())
    assert form(text, "YYYY-MM-DD", "GGGG-[W]WW-E") == moment.date().isoformat()


@given(recent, st.sampled_from(["YYYY-MM-DD", "MM/DD/YYYY HH:mm", "D MMMM YYYY", "YYYY-M-D H:m:s", "YYYY-MM-DD HH:mm:ss.SSSSSS"]))
def test_texts_are_read_as_pendulum_reads_them(moment: datetime, pattern: str) -> None:
    text = pendulum.instance(moment, tz=UTC).format(pattern)
    output = "YYYY-MM-DD HH:mm:ss.SSSSSS" if "H" in pattern else "YYYY-MM-DD"
    assert form(text, output, pattern) == pendulum.from_format(text, pattern).format(output)


# --- the way back ---


@given(
    recent, st.sampled_from([("MM/DD/YY", "YYYY-DDDD"), ("D MMMM YYYY", "GGGG[W]WWE"), ("YYYY-MM-DD h:mm:ss A", "X"), ("x", ISO)])
)
def test_the_way_back_undoes_the_way_there(moment: datetime, patterns: tuple[str, str]) -> None:
    source, output = patterns
    zone = "UTC" if "h" in source else None
    text = form(moment.replace(tzinfo=UTC), source)
    assert back(form(text, output, source, zone=zone), output, source, zone=zone) == text


def test_typed_values_find_their_way_back() -> None:
    assert back(date(2026, 3, 8), "YYYY-MM-DD", "MM/DD/YYYY") == "03/08/2026"
    instant = datetime(2026, 7, 8, 16, 5, tzinfo=UTC)
    assert back(instant, "YYYY-MM-DDTHH:mmZ", "MM/DD/YYYY HH:mm", zone=NEW_YORK) == "07/08/2026 12:05"


def test_what_the_format_cannot_say_has_no_way_back() -> None:
    for finer in (datetime(2026, 7, 8, 16, 5, 9, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)):
        with pytest.raises(TransformError, match="is more than MM/DD/YYYY HH:mm can say"):
            back(finer, "YYYY-MM-DDTHH:mmZ", "MM/DD/YYYY HH:mm", zone=NEW_YORK)


@pytest.mark.parametrize(
    ("source", "output", "fault"),
    [
        ("YYYY-MM-DD HH:mm", "YYYY-MM-DD", "InputFormat: asks for the hour, which OutputFormat does not tell"),
        ("YYYY-MM-DD", "MM/DD/YY", "does not tell the century"),
        ("HH:mm:ss", "HH:mm", "does not tell the second"),
        ("HH:mm:ss.SSS", "HH:mm:ss.S", "does not tell the digit1 and digit2"),
        ("YYYY-MM-DD HH:mm", "YYYY-MM-DD h:mm", "hour12 without half"),
        ("YYYY-MM-DD HH:mm Z", "YYYY-MM-DD HH:mm", "InputFormat: asks for the zone"),
        ("MM/DD/YY HH:mm", "GGGG-[W]WW-E HH", "does not tell the minute"),
        ("YYYY-MM", "[Q]Q YYYY", "cannot be read: Q"),
        (None, "YYYY-MM-DD", "InputFormat: not invertible"),
    ],
)
def test_a_pattern_that_loses_something_has_no_way_back(source: str | None, output: str, fault: str) -> None:
    FORMAT.compile(config(output, source))
    assert FORMAT.inverse is not None
    with pytest.raises(ConfigError, match=fault):
        FORMAT.inverse(config(output, source))


def test_local_times_alone_do_not_tell_which_of_two_repeated_hours_is_meant() -> None:
    assert FORMAT.inverse is not None
    for source in ("YYYY-MM-DD HH:mm Z", "X"):
        local = config("YYYY-MM-DD HH:mm:ss", source, zone=NEW_YORK)
        FORMAT.compile(local)
        with pytest.raises(ConfigError, match="OutputFormat: not invertible: it does not tell the zone"):
            FORMAT.inverse(local)


def test_an_hour_that_clocks_repeat_finds_its_way_back() -> None:
    source, output = "MM/DD/YYYY HH:mm Z", "YYYY-MM-DD h:mm A Z"
    for offset in ("-04:00", "-05:00"):
        text = f"11/01/2026 01:30 {offset}"
        assert back(form(text, output, source, zone=NEW_YORK), output, source, zone=NEW_YORK) == text


# --- any value ---


@pytest.mark.parametrize(
    "step",
    [
        FORMAT.compile(config("YYYY-MM-DD")),
        FORMAT.compile(config("YYYY HH:mm", "x")),
        FORMAT.compile(config("HH:mm Z", "YYYY-MM-DD HH:mm", zone=NEW_YORK)),
        FORMAT.compile(config("X", zone="Pacific/Kiritimati")),
        FORMAT.inverse(config("YYYY-MM-DD", "MM/DD/YYYY")),  # type: ignore[misc]
        FORMAT.inverse(config("YYYY-MM-DD HH:mm Z", "HH:mm Z, D MMMM YYYY", zone=NEW_YORK)),  # type: ignore[misc]
        FORMAT.inverse(config("X", "YYYY-MM-DD HH:mm:ss Z")),  # type: ignore[misc]
    ],
)
@given(
    value=anything
    | st.datetimes(timezones=st.timezones() | st.sampled_from([timezone(timedelta(hours=h)) for h in (-23, 23)]))
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?( [+-][0-9]{2}:[0-9]{2})?", fullmatch=True)
)
@example(value=datetime.min.replace(tzinfo=timezone(timedelta(hours=23))))
@example(value=datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))))
@example(value="0001-01-01 00:00 +23:00")
def test_any_value_gives_text_or_a_transform_error_twice_and_stays_unchanged(step: Any, value: Any) -> None:
    before = repr(value)
    try:
        result = step.apply([value], [{}])
    except TransformError:
        with pytest.raises(TransformError):
            step.apply([value], [{}])
    else:
        assert isinstance(result[0], str)
        assert step.apply([value], [{}]) == result
    assert repr(value) == before


def test_nulls_and_absent_values_pass_by() -> None:
    assert FORMAT.sees == "values"
