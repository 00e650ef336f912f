from decimal import ROUND_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from babel import localedata, numbers
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mj_transform_format import FormatConfig, mj_transform_types

from mjcore.errors import ConfigError, TransformError

(FORMAT,) = mj_transform_types()
LOCALES = sorted(name for name in localedata.locale_identifiers() if name != "root")

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e15"), max_value=Decimal("1e15"))
anything = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes() | st.binary(),
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def number(value: Any, output: str, source: str | None = None, **more: Any) -> Any:
    return FORMAT.compile(FormatConfig("number", output, source, **more)).apply([value], [{}])[0]


def money(value: Any, output: str, source: str | None = None, **more: Any) -> Any:
    return FORMAT.compile(FormatConfig("currency", output, source, **more)).apply([value], [{}])[0]


# --- writing ---


@pytest.mark.parametrize(
    ("value", "output", "locale", "expected"),
    [
        ("1234567.891", "#,##0.00", "en-US", "1,234,567.89"),
        ("1234567.891", "#,##0.00", "de-DE", "1.234.567,89"),
        ("1234567.891", "#,##0.00", "de-CH", "1’234’567.89"),
        ("1234567.891", "#,##0.00", "fr-FR", "1\u202f234\u202f567,89"),
        ("1234567.891", "#,##,##0.00", "en-IN", "12,34,567.89"),
        ("1234567.891", "standard", "hi-IN", "12,34,567.891"),
        ("1234567.891", "0", "en", "1234568"),
        ("7", "0000", "en", "0007"),
        ("0.125", "0.0#", "en", "0.12"),
        ("0.1", "0.0#", "en", "0.1"),
        ("0.256", "0.0%", "en", "25.6%"),
        ("0.256", "percent", "de", "26\xa0%"),
        ("0.5", "0‰", "en", "500‰"),
        ("-1234.5", "#,##0.00;(#,##0.00)", "en", "(1,234.50)"),
        ("-5", "0 '#';0- '#'", "en", "5- #"),
        ("5", "'No.' 0", "en", "No. 5"),
        ("12", "0 ''C''", "en", "12 'C'"),
        (" +1.5e3 ", "#,##0", "en", "1,500"),
        (".5", "0.00", "en", "0.50"),
        ("5.", "0.00", "en", "5.00"),
        (1234, "#,##0", "en", "1,234"),
        (0.1, "0.0000000000000000000", "en", "0.1000000000000000000"),
        (Decimal("1E+3"), "#,##0", "en", "1,000"),
        ("12345678901234567890123456789012345678.90", "#,##0.00", "en", "12,345,678,901,234,567,890,123,456,789,012,345,678.90"),
    ],
)
def test_numbers_are_written_by_a_pattern(value: Any, output: str, locale: str, expected: str) -> None:
    assert number(value, output, locale=locale) == expected


@pytest.mark.parametrize(
    ("value", "output", "more", "expected"),
    [
        ("1234.5", "¤#,##0.00", {"locale": "en-US"}, "$1,234.50"),
        ("1234.5", "#,##0.00 ¤", {"locale": "de-DE"}, "1.234,50 €"),
        ("1234.5", "standard", {"locale": "ja-JP"}, "￥1,234"),
        ("1234.5", "standard", {"locale": "en-US", "currency": "JPY"}, "¥1,234"),
        ("1234.5678", "standard", {"locale": "ar-KW"}, "\u200f1,234.568\xa0د.ك.\u200f"),
        ("-1234.5", "accounting", {"locale": "en-US"}, "($1,234.50)"),
        ("-1234.5", "standard", {"locale": "en-US", "currency": "EUR"}, "-€1,234.50"),
        ("1234.5", "¤¤ #,##0.00", {"currency": "CHF"}, "CHF 1,234.50"),
        ("1", "0 ¤¤¤", {"currency": "USD"}, "1 US dollar"),
        ("2", "0 ¤¤¤", {"currency": "USD"}, "2 US dollars"),
    ],
)
def test_amounts_are_written_by_a_pattern(value: Any, output: str, more: Any, expected: str) -> None:
    assert money(value, output, **more) == expected


@given(
    decimals,
    st.sampled_from(["#,##0.00", "0", "#,##0.###", "00000.0", "0.00%", "#,##,##0.0", "0.0;(0.0)"]),
    st.sampled_from(LOCALES),
)
def test_numbers_are_those_of_babel(value: Decimal, pattern: str, locale: str) -> None:
    with localcontext(prec=60):
        expected = numbers.format_decimal(value, pattern, locale)
    assert number(value, pattern, locale=locale) == expected


@given(
    decimals,
    st.sampled_from(["EUR", "USD", "JPY", "KWD", "CHF"]),
    st.sampled_from(["standard", "accounting"]),
    st.sampled_from(LOCALES),
)
def test_amounts_are_those_of_babel(value: Decimal, currency: str, style: Any, locale: str) -> None:
    with localcontext(prec=60):
        expected = numbers.format_currency(value, currency, locale=locale, format_type=style)
    assert money(value, style, locale=locale, currency=currency) == expected


@given(st.from_regex(r"-?[0-9]{1,200}(\.[0-9]{1,180})?", fullmatch=True), st.integers(0, 40))
@example("0.5", 0)
@example("1.5", 0)
@example("-2.5", 0)
def test_places_beyond_the_pattern_are_rounded_half_to_even(text: str, places: int) -> None:
    assume(Decimal(text) and len(text.lstrip("-0.")) > 1)
    written = number(text, "0." + "0" * places if places else "0")
    # Python rounds fractions half to even, in whole numbers
    assert Fraction(written) == Fraction(round(Fraction(text) * 10**places), 10**places)
    assert len(written.partition(".")[2]) == places


@given(st.integers(-(10**300), 10**300))
def test_thousands_are_grouped_as_python_groups_them(value: int) -> None:
    assert number(value, "#,##0") == number(str(value), "#,##0") == f"{value:,}"


def test_the_decimal_context_of_the_host_changes_nothing() -> None:
    step = FORMAT.compile(FormatConfig("number", "0.00", "de"))
    with localcontext(prec=3, rounding=ROUND_UP):
        assert step.apply(["123456,781", Decimal("123456.785")], [{}] * 2) == ["123456.78", "123456.78"]


# --- reading ---


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        ("1,234.5", "en-US", "1234.5"),
        ("1.234,5", "de-DE", "1234.5"),
        ("1.234", "de", "1234"),
        ("1.234", "en", "1.234"),
        ("1 234,5", "fr", "1234.5"),
        ("1\xa0234\u202f567,5", "fr", "1234567.5"),
        ("1'234.5", "de-CH", "1234.5"),
        ("12,34,567", "en-IN", "1234567"),
        ("−5", "sv", "-5"),
        ("- 5", "en", "-5"),
        ("1.234,50-", "de", "-1234.5"),
        ("+5", "en", "5"),
        (" 5 ", "en", "5"),
        ("\u200e-5", "he", "-5"),
    ],
)
def test_numbers_are_read_as_a_locale_writes_them(value: str, locale: str, expected: str) -> None:
    assert number(value, "0.####", locale) == expected


@pytest.mark.parametrize(
    ("value", "locale"),
    [
        ("1.5", "de"),
        ("1,5", "en"),
        ("12,34", "en"),
        ("1,2345", "en"),
        ("1234,567", "en"),
        ("1,234.567.8", "en"),
        (",123", "en"),
        ("1.234.56", "de"),
        ("1,,234", "en"),
        ("5 apples", "en"),
        ("--5", "en"),
        ("-5-", "en"),
        ("+-5", "en"),
        ("", "en"),
        ("$5", "en-US"),
        ("٥", "ar"),
        ("1e3", "en"),
        ("NaN", "en"),
        ("5\n6", "fr"),
    ],
)
def test_what_the_locale_does_not_write_is_an_error(value: str, locale: str) -> None:
    with pytest.raises(TransformError, match=f"is no number as {locale.replace('-', '_')} writes it"):
        number(value, "0", locale)


@pytest.mark.parametrize(
    "value", ["1,234", "1.234,5", "", "-", "five", "1_000", "0x10", "٥", "Infinity", "nan", "1e9999", ".", "1 2"]
)
def test_without_an_input_format_only_plain_digits_are_read(value: str) -> None:
    with pytest.raises(TransformError, match=r"a number in plain digits expected.*InputFormat names the locale"):
        number(value, "0")


@pytest.mark.parametrize(
    ("value", "locale", "currency", "expected"),
    [
        ("$1,234.50", "en-US", "USD", "1234.5"),
        ("-$1,234.50", "en-US", "USD", "-1234.5"),
        ("$-5", "en-US", "USD", "-5"),
        ("USD 5", "en-US", "USD", "5"),
        ("5", "en-US", "USD", "5"),
        ("1.234,50 €", "de-DE", "EUR", "1234.5"),
        ("EUR 1.234,50-", "de-DE", "EUR", "-1234.5"),
        ("CA$5", "en-US", "CAD", "5"),
        ("1’234.50 CHF", "de-CH", "CHF", "1234.5"),
    ],
)
def test_amounts_are_read_with_their_sign(value: str, locale: str, currency: str, expected: str) -> None:
    assert money(value, "0.####", locale, currency=currency) == expected


@pytest.mark.parametrize("value", ["€5", "5 CAD", "CA$5", "usd 5", "$", "$ $", "5$.00"])
def test_an_amount_of_another_currency_is_an_error(value: str) -> None:
    with pytest.raises(TransformError, match="is no number as en_US writes it"):
        money(value, "0.00", "en-US", locale="en-US")


@pytest.mark.parametrize("locale", sorted({name.split("_")[0] for name in LOCALES}))
def test_every_language_reads_the_numbers_and_amounts_that_it_writes(locale: str) -> None:
    for name in (name for name in LOCALES if name.split("_")[0] == locale):
        tag = name.replace("_", "-")
        for text in ("-1234567.89", "1234567.89", "0.50"):
            assert number(number(text, "standard", locale=tag), "0.00", tag) == text
            for currency in ("EUR", "USD", "INR"):
                written = money(text, "standard", locale=tag, currency=currency)
                assert money(written, "0.00", tag, currency=currency) == text, written


# --- configuration ---


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ("0." + "0" * 400, "is no CLDR number pattern"),
        ("", "is no CLDR number pattern, such as #,##0.00, and not standard or percent"),
        ("abc", "is no CLDR number pattern"),
        ("#.##0,00", "is no CLDR number pattern"),
        ("0.00E0", "is no CLDR number pattern"),
        ("0E", "is no CLDR number pattern"),
        ("0+", "is no CLDR number pattern"),
        ("@@#", "is no CLDR number pattern"),
        ("0'%'", "is no CLDR number pattern"),
        ("0';'", "is no CLDR number pattern"),
        ("0;0;0", "is no CLDR number pattern"),
        ("0,00", "groups of fewer than three digits"),
        ("#,##", "groups of fewer than three digits"),
        ("#,#,##0", "groups of fewer than three digits"),
        ("0,", "groups of fewer than three digits"),
        ("0;0", "writes negatives as it does positives"),
        ("0'a';0a", "writes negatives as it does positives"),
        ("¤0", "¤ is for FormatType currency"),
        ("accounting", "is no CLDR number pattern"),
    ],
)
def test_a_pattern_that_would_not_write_what_it_seems_to_is_refused(output: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=f"OutputFormat: .*{fault}"):
        number("1", output)


@given(
    st.text("#0,.;%¤'@E+- ()a", max_size=8) | st.text(max_size=8),
    st.sampled_from([Decimal("1234567.5"), Decimal("0.25"), Decimal(3)]),
)
@example("0E+0", Decimal(3))
def test_any_pattern_is_refused_or_writes_the_number_and_its_sign(pattern: str, value: Decimal) -> None:
    try:
        plus, minus = (money(number, pattern, currency="EUR") for number in (value, -value))
    except ConfigError:
        return
    digits = "".join(c for c in plus if c.isdigit()).strip("0")
    assert plus != minus
    assert "1234567" in plus.replace(",", "") or "1234568" in plus.replace(",", "") or len(digits) <= 2


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"locale": "en"}, "Currency: missing: en has no country to tell it"),
        ({"locale": "es-PA"}, "Currency: missing: PA has PAB and USD"),
        ({"locale": "en-US", "currency": "usd"}, "Currency: 'usd' is no ISO 4217 code"),
        ({"locale": "en-US", "currency": "XYZ"}, "Currency: 'XYZ' is no ISO 4217 code"),
        ({"locale": "xx"}, "Locale: 'xx' is no known locale"),
        ({"locale": ""}, "Locale: '' is no known locale"),
        ({"locale": "en-US", "input_format": "#,##0"}, "InputFormat: '#,##0' is no known locale, such as en-US or de"),
    ],
)
def test_what_does_not_tell_the_currency_or_the_locale_is_refused(more: Any, fault: str) -> None:
    source = more.pop("input_format", None)
    with pytest.raises(ConfigError, match=fault):
        money("1", "standard", source, **more)


def test_the_currency_of_a_country_is_that_without_an_end() -> None:
    assert [money("1", "¤¤0", locale=tag) for tag in ("hr-HR", "lt-LT", "es-VE", "de-CH")] == ["EUR1", "EUR1", "VES1", "CHF1"]


# --- any value ---


@pytest.mark.parametrize(
    "step",
    [
        FORMAT.compile(FormatConfig("number", "#,##0.00")),
        FORMAT.compile(FormatConfig("number", "percent", "fr")),
        FORMAT.compile(FormatConfig("currency", "standard", "en-IN", "ar-EG")),
        FORMAT.compile(FormatConfig("currency", "0.0 ¤¤¤", currency="USD", locale="ru")),
    ],
)
@given(
    value=anything
    | st.from_regex(r"[+-]?[0-9]{1,500}(\.[0-9]{1,500})?(e-?[0-9]{1,4})?", fullmatch=True)
    | st.from_regex(r"-?[0-9 .,']{1,12}", fullmatch=True)
)
@example(value="9" * 400)
@example(value="0." + "0" * 398 + "1")
@example(value=Decimal("1e399"))
@example(value=Decimal("1e999999"))
@example(value=Decimal("0e-500"))
@example(value=Decimal("sNaN"))
@example(value=10**5000)
@example(value="0" * 2000)
@example(value=True)
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
    assert len(values) == 1
    assert values[0] is value


@given(st.text())
def test_any_locale_is_known_or_a_config_error(name: str) -> None:
    for config in (
        FormatConfig("number", "0", locale=name),
        FormatConfig("number", "0", name),
        FormatConfig("phone", "E164", locale=name),
    ):
        try:
            FORMAT.compile(config)
        except ConfigError as error:
            assert error.problems[0].path in ("Locale", "InputFormat")  # noqa: PT017 - either


def test_equal_numbers_keep_their_own_texts() -> None:
    step = FORMAT.compile(FormatConfig("number", "0.0"))
    assert step.apply([Decimal(0), Decimal("-0"), 0, "0", "-0"], [{}] * 5) == ["0.0", "-0.0", "0.0", "0.0", "-0.0"]
