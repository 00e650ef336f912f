"""Numbers and amounts of money, exact in every digit."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from attrs import frozen
from babel import Locale
from babel.numbers import NumberPattern, get_territory_currencies, is_currency, parse_pattern

from mj_transform_format.locales import locale_named
from mj_transform_format.readers import Reader, local_reader, plain_number
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Value
from mjcore.scalars import MAX_DIGITS

_QUOTED = "'[^';%‰¤]*'"  # babel takes these four for what they mean even between quotes
_AFFIX = rf"(?:{_QUOTED}|[^0-9@#.,;'])*"
_DIGITS = r"(?=[#0,.]*[#0])[#,]*[0,]*(?:\.0*#*)?(?![E+])"  # and drops E and + right after digits
_PATTERN = re.compile(f"{_AFFIX}{_DIGITS}{_AFFIX}(?:;{_AFFIX}{_DIGITS}{_AFFIX})?")
_WRONG_GROUP = re.compile(r",[#0]?(?![#0])|,[#0]{2}(?![#0,])")
_CONTEXT = Context(prec=3 * MAX_DIGITS, rounding=ROUND_HALF_EVEN)
"""Its own, so that a host's decimal context changes nothing."""


@frozen
class Numbers:
    """Reads numbers and writes them by a CLDR pattern."""

    read: Reader
    pattern: NumberPattern
    locale: Locale
    currency: str | None = None
    currency_digits: bool = False
    """Decimal places are those of the currency, not of the pattern."""

    def convert(self, value: Value) -> str:
        return self.write(exact_number(value, self.read))

    def write(self, number: Decimal) -> str:
        with localcontext(_CONTEXT):
            return str(self.pattern.apply(number, self.locale, self.currency, self.currency_digits))


def number_format(input_format: str | None, output_format: str, locale: str) -> Callable[[Value], str]:
    """Return the function from a number, or the text of one, to its text; it raises `TransformError`."""
    written = locale_named(locale)
    named = {"standard": written.decimal_formats[None], "percent": written.percent_formats[None]}
    pattern = _pattern(output_format, named)
    if "¤" in pattern.pattern:
        raise ConfigError(Problem("OutputFormat", f"{output_format!r}: ¤ is for FormatType currency"))
    read = plain_number if input_format is None else local_reader(locale_named(input_format, "InputFormat"))
    return Numbers(read, pattern, written).convert


def currency_format(input_format: str | None, output_format: str, locale: str, currency: str | None) -> Callable[[Value], str]:
    """Return the function from an amount to its text; it raises `TransformError`."""
    written = locale_named(locale)
    code = _currency_of(written) if currency is None else currency
    if not is_currency(code):
        raise ConfigError(Problem("Currency", f"{code!r} is no ISO 4217 code, such as EUR"))
    named = {name: written.currency_formats[name] for name in ("standard", "accounting")}
    pattern = _pattern(output_format, named)
    read = plain_number if input_format is None else local_reader(locale_named(input_format, "InputFormat"), code)
    return Numbers(read, pattern, written, code, currency_digits=output_format in named).convert


def exact_number(value: Value, read: Reader) -> Decimal:
    """Return a number, or what `read` makes of a text."""
    if isinstance(value, str):
        number = read(value.strip())
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    else:
        raise TransformError(f"a number expected, not {type(value).__name__}")
    if not number.is_finite() or abs(number.adjusted()) >= MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise TransformError("a number expected, not NaN, infinity or one of hundreds of digits")
    return number


def _pattern(text: str, named: Mapping[str, NumberPattern]) -> NumberPattern:
    """Return a named pattern or the one that is written out; refuse one that would write something else than it seems."""
    if text in named:
        return named[text]
    if len(text) > MAX_DIGITS or not _PATTERN.fullmatch(text):
        known = " or ".join(named)
        raise ConfigError(Problem("OutputFormat", f"{text!r} is no CLDR number pattern, such as #,##0.00, and not {known}"))
    if _WRONG_GROUP.search(re.sub(_QUOTED, "", text)):
        fault = "has groups of fewer than three digits; thousands are #,##0, and decimals stand after a point"
        raise ConfigError(Problem("OutputFormat", f"{text!r} {fault}"))
    pattern = parse_pattern(text)
    numbers = Numbers(Decimal, pattern, Locale("en"))
    if numbers.write(Decimal(1)) == numbers.write(Decimal(-1)):
        raise ConfigError(Problem("OutputFormat", f"{text!r} writes negatives as it does positives"))
    return pattern


def _currency_of(locale: Locale) -> str:
    if locale.territory is None:
        raise ConfigError(Problem("Currency", f"missing: {locale} has no country to tell it"))
    # those without an end: what is tender today would depend on the day of the run
    codes = get_territory_currencies(locale.territory, start_date=date.max)
    if len(codes) != 1:
        raise ConfigError(Problem("Currency", f"missing: {locale.territory} has {' and '.join(codes) or 'none of its own'}"))
    return codes[0]
