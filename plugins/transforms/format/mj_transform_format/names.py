"""Tokens whose text depends on the locale: names of months and days, AM and PM, English ordinals."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time

from babel import Locale
from babel.dates import format_time

from mj_transform_format.tokens import Token

_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_ORDINALS = {day: f"{day}{_ENDINGS.get(day, 'th')}" for day in range(1, 32)}


def name_tokens(locale: Locale, *, beside_day: bool) -> dict[str, Token]:
    """Return these tokens; `beside_day` writes months in the form that many languages have beside a day."""
    tokens = {}
    for month, day, width in (("MMM", "ddd", "abbreviated"), ("MMMM", "dddd", "wide")):
        forms = [dict(locale.months[context][width]) for context in ("stand-alone", "format")]
        tokens[month] = _named(forms[beside_day], forms, lambda moment: moment.month, "month", "month", "month")
        days = {number + 1: name for number, name in locale.days["format"][width].items()}
        tokens[day] = _named(days, [days], datetime.isoweekday, "year month day", "weekday", "weekday")
    upper = {half: format_time(time(12 * half), "a", locale=locale) for half in (0, 1)}
    lower = {half: name.lower() for half, name in upper.items()}
    for token, halves in (("A", upper), ("a", lower)):
        tokens[token] = _named(halves, [halves], lambda moment: moment.hour // 12, "hour", "half", "hour")
    if locale.language == "en":
        tokens["Do"] = _named(_ORDINALS, [_ORDINALS], lambda moment: moment.day, "day", "day", "day")
    return tokens


def _named(
    written: Mapping[int, str],
    read: Sequence[Mapping[int, str]],
    number: Callable[[datetime], int],
    needs: str,
    unit: str,
    gives: str,
) -> Token:
    """Return the token of a name: written as `written` has it, read in each form and letter case, its final dot optional."""
    names = {_folded(name): name for form in read for name in form.values()}
    numbers = {_folded(name): number for form in read for number, name in form.items()}
    longest_first = sorted(names.values(), key=len, reverse=True)
    expression = "|".join(r"\s".join(map(re.escape, name.removesuffix(".").split())) + r"\.?" for name in longest_first)
    return Token(
        lambda moment: written[number(moment)], needs, unit, f"(?i:{expression})", lambda text: numbers[_folded(text)], gives
    )


def _folded(name: str) -> str:
    return " ".join(name.removesuffix(".").casefold().split())
