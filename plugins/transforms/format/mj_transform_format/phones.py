"""Phone numbers."""

from collections.abc import Callable

from babel import localedata
from babel.core import parse_locale
from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
)

from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Value

OUTPUT_FORMATS = {
    "E164": PhoneNumberFormat.E164,
    "INTERNATIONAL": PhoneNumberFormat.INTERNATIONAL,
    "NATIONAL": PhoneNumberFormat.NATIONAL,
    "RFC3966": PhoneNumberFormat.RFC3966,
}


def phone_format(output_format: str, locale: str) -> Callable[[Value], str]:
    """Return the function from a number as people write it to its standard form; it raises `TransformError`."""
    if output_format not in OUTPUT_FORMATS:
        raise ConfigError(Problem("OutputFormat", f"{output_format!r} is none of {', '.join(OUTPUT_FORMATS)}"))
    region = region_of(locale)

    def formatted(value: Value) -> str:
        text = dialled(value)
        try:
            number = parse(text, region)
        except NumberParseException:
            remedy = "" if region else "; without a country in Locale it must begin with + and a country code"
            raise TransformError(f"{text!r:.60} is no phone number{remedy}") from None
        # lengths, not ranges: new ranges come into use before any list has them; some short numbers need no area code
        if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE and not is_valid_number(number):
            raise TransformError(f"{text!r:.60} is no phone number: wrong length, or its area code is missing")
        if number.extension and output_format == "E164":
            raise TransformError(f"{text!r:.60} has an extension, which E164 cannot hold; RFC3966 can")
        return format_number(number, OUTPUT_FORMATS[output_format])

    return formatted


def region_of(locale: str) -> str | None:
    """Return the country of a locale: any language with any country, such as en-JP, though few write dates that way."""
    try:
        language, region, *_ = parse_locale(locale.replace("-", "_"))
    except ValueError:
        language, region = "", None
    if not localedata.exists(language):
        raise ConfigError(Problem("Locale", f"{locale!r} is no known locale, such as en-US or de"))
    if region is not None and region not in SUPPORTED_REGIONS:
        raise ConfigError(Problem("Locale", f"{locale!r}: no phone numbers are known of {region}"))
    return region


def dialled(value: Value) -> str:
    """Return text, or the digits of an integer. The digits of a fraction or of a date would pass for a number, too."""
    if isinstance(value, str | int):
        return str(value)
    raise TransformError(f"a phone number as text expected, not {type(value).__name__}")
