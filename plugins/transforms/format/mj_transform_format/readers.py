"""Numbers as people write them."""

import re
from collections.abc import Callable
from decimal import Decimal

from babel import Locale
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol

from mjcore.errors import TransformError

Reader = Callable[[str], Decimal]

_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SIGN = "[+−-]"
_MARKS = re.compile("[\u061c\u200e\u200f]")
"""Characters that tell a screen which way to write, and mean nothing else."""


def plain_number(text: str) -> Decimal:
    if not _PLAIN.fullmatch(text):
        raise TransformError(f"a number in plain digits expected, not {text!r:.60}; InputFormat names the locale that writes it")
    return Decimal(text)


def local_reader(locale: Locale, currency: str | None = None) -> Reader:
    """Return the reader of a locale's numbers: its groups and its decimal sign, strictly where they belong.

    With a currency, its code or its symbol may stand before or after the number.
    """
    group, point = _separator(get_group_symbol(locale)), _separator(get_decimal_symbol(locale))
    patterns = [locale.decimal_formats[None]] + ([] if currency is None else [locale.currency_formats["standard"]])
    grouped = [
        rf"[0-9]{{1,{further}}}(?:{group}[0-9]{{{further}}})*{group}[0-9]{{{first}}}"
        for first, further in sorted({pattern.grouping for pattern in patterns})
    ]
    digits = rf"(?P<whole>{'|'.join(grouped)}|[0-9]+)(?:{point}(?P<part>[0-9]+))?"
    money = "(?!)" if currency is None else "|".join(re.escape(name) for name in _names(currency, locale))
    regex = re.compile(
        rf"(?:(?P<before>{_SIGN})\s*)?(?:(?:{money})\s*)?(?:(?P<within>{_SIGN})\s*)?"
        rf"{digits}(?P<after>{_SIGN})?(?:\s*(?:{money}))?"
    )

    def read(text: str) -> Decimal:
        match = regex.fullmatch(_MARKS.sub("", text))
        signs = [] if match is None else [sign for sign in match.group("before", "within", "after") if sign]
        if match is None or len(signs) > 1:
            raise TransformError(f"{text!r:.60} is no number as {locale} writes it")
        sign = "" if signs in ([], ["+"]) else "-"
        return Decimal(f"{sign}{re.sub('[^0-9]', '', match['whole'])}.{match['part'] or '0'}")

    return read


def _names(currency: str, locale: Locale) -> tuple[str, str]:
    return currency, _MARKS.sub("", get_currency_symbol(currency, locale))


def _separator(symbol: str) -> str:
    """Return the expression of a separator: any space for a space, any apostrophe for an apostrophe."""
    if symbol.isspace():
        return r"\s"
    return "['’]" if symbol in "'’" else re.escape(symbol)
