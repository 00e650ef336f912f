from datetime import date
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_format import FormatConfig, mj_transform_types
from phonenumbers import COUNTRY_CODES_FOR_NON_GEO_REGIONS, SUPPORTED_REGIONS, PhoneNumberFormat, PhoneNumberType

from mjcore.errors import ConfigError, TransformError

(FORMAT,) = mj_transform_types()
FORMATS = ("E164", "INTERNATIONAL", "NATIONAL", "RFC3966")


def phone(value: Any, output: str = "E164", locale: str = "en-US") -> Any:
    return FORMAT.compile(FormatConfig("phone", output, locale=locale)).apply([value], [{}])[0]


@pytest.mark.parametrize("region", sorted(SUPPORTED_REGIONS))
def test_google_s_example_of_every_kind_of_number_is_read_in_every_form(region: str) -> None:
    steps = {name: FORMAT.compile(FormatConfig("phone", name, locale=f"en-{region}")) for name in FORMATS}
    found = 0
    for kind in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        found += 1
        texts = {name: phonenumbers.format_number(example, getattr(PhoneNumberFormat, name)) for name in FORMATS}
        for text in texts.values():
            assert {name: step.apply([text], [{}])[0] for name, step in steps.items()} == texts
    assert found


@pytest.mark.parametrize("code", sorted(COUNTRY_CODES_FOR_NON_GEO_REGIONS))
def test_numbers_of_no_country_are_read_with_their_code(code: int) -> None:
    example = phonenumbers.example_number_for_non_geo_entity(code)
    assert example is not None
    texts = {name: phonenumbers.format_number(example, getattr(PhoneNumberFormat, name)) for name in FORMATS}
    for name in ("E164", "INTERNATIONAL", "RFC3966"):
        assert {output: phone(texts[name], output, "en") for output in FORMATS} == texts


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        ("+1 (555) 123-4567", "en-US", "+15551234567"),
        ("(555) 123-4567", "en-US", "+15551234567"),
        ("1-800-FLOWERS", "en-US", "+18003569377"),
        ("044 668 18 00", "de-CH", "+41446681800"),
        ("0041 44 668 18 00", "de-CH", "+41446681800"),
        ("01 42 68 53 00", "fr-FR", "+33142685300"),
        ("+44 (0) 20 7031 3000", "en", "+442070313000"),
        ("tel:+41-44-668-18-00", "en", "+41446681800"),
        ("０３-１２３４-５６７８", "en-JP", "+81312345678"),
        (5551234567, "en-US", "+15551234567"),
        (15551234567, "en-US", "+15551234567"),
        ("02 1234 5678", "it-IT", "+390212345678"),
    ],
)
def test_numbers_are_read_as_people_write_them(value: Any, locale: str, expected: str) -> None:
    assert phone(value, "E164", locale) == expected


def test_the_four_forms() -> None:
    assert {output: phone("044 668 18 00", output, "de-CH") for output in FORMATS} == {
        "E164": "+41446681800",
        "INTERNATIONAL": "+41 44 668 18 00",
        "NATIONAL": "044 668 18 00",
        "RFC3966": "tel:+41-44-668-18-00",
    }


def test_extensions_are_kept_or_refused() -> None:
    assert phone("(555) 123-4567 ext. 5", "RFC3966") == "tel:+1-555-123-4567;ext=5"
    assert phone("(555) 123-4567 x5", "INTERNATIONAL") == "+1 555-123-4567 ext. 5"
    with pytest.raises(TransformError, match="has an extension, which E164 cannot hold; RFC3966 can"):
        phone("(555) 123-4567 x5")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "hello",
        "123",
        "123-4567",
        "555 123 456",
        "555 123 45678 9",
        "+1 555 123",
        "+999 123 456 789",
        "(555) 123-4567 / (555) 123-4568",
        "+" + "1" * 300,
        "٠",
        True,
        5551234567.0,
        Decimal("5551234567.0"),
        date(2026, 3, 8),
        ["5551234567"],
        {"number": "5551234567"},
        b"5551234567",
    ],
)
def test_what_is_no_number_is_an_error(value: Any) -> None:
    with pytest.raises(TransformError, match=r"is no phone number|a phone number as text expected"):
        phone(value)


def test_a_number_without_its_area_code_is_an_error() -> None:
    with pytest.raises(TransformError, match="'253-0000' is no phone number: wrong length, or its area code is missing"):
        phone("253-0000")


def test_without_a_country_a_country_code_is_needed() -> None:
    assert phone("+1 555 123 4567", locale="en") == "+15551234567"
    with pytest.raises(TransformError, match=r"is no phone number; without a country in Locale it must begin with \+"):
        phone("(555) 123-4567", locale="en")


@pytest.mark.parametrize(
    ("output", "locale", "fault"),
    [
        ("e164", "en", "OutputFormat: 'e164' is none of E164, INTERNATIONAL, NATIONAL, RFC3966"),
        ("E164", "xx-US", "Locale: 'xx-US' is no known locale"),
        ("E164", "en-AQ", "Locale: 'en-AQ': no phone numbers are known of AQ"),
        ("E164", "", "Locale: '' is no known locale"),
    ],
)
def test_unknown_forms_and_countries_are_refused(output: str, locale: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        phone("+15551234567", output, locale)


@pytest.mark.parametrize("step", [FORMAT.compile(FormatConfig("phone", output, locale="de-DE")) for output in FORMATS])
@given(
    value=st.text()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.lists(st.text(), max_size=2)
    | st.from_regex(r"[+0(]?[0-9 ()/.x;=-]{1,25}", fullmatch=True)
)
def test_any_value_gives_text_or_a_transform_error_twice_and_stays_unchanged(step: Any, value: Any) -> None:
    values = [value]
    try:
        result = step.apply(values, [{}])
    except TransformError:
        with pytest.raises(TransformError):
            step.apply(values, [{}])
    else:
        assert isinstance(result[0], str)
        assert step.apply(values, [{}]) == result
    assert values[0] is value
