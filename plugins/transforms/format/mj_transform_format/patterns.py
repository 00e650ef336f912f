"""Patterns of dates and times, such as `MM/DD/YYYY [at] h:mm A`: compiled once to an expression and a constructor."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone

from attrs import frozen
from babel import Locale

from mj_transform_format.names import name_tokens
from mj_transform_format.tokens import EPOCH, TOKENS, Token
from mjcore.errors import ConfigError, Problem, TransformError

Parts = Mapping[str, int]


@frozen
class Writer:
    """A compiled `OutputFormat`."""

    template: str
    """`%s` for each token."""
    tokens: tuple[Callable[[datetime], str], ...]
    needs: frozenset[str]

    def write(self, moment: datetime) -> str:
        return self.template % tuple([token(moment) for token in self.tokens])


@frozen
class Reader:
    """A compiled `InputFormat`."""

    text: str
    regex: re.Pattern[str]
    units: tuple[tuple[str, Callable[[str], int]], ...]
    gives: frozenset[str]

    def read(self, text: str) -> datetime:
        """Return the moment: naive without an offset; what the text does not tell is that of 2000-01-01 00:00."""
        match = self.regex.fullmatch(text)
        if match is None:
            raise TransformError(f"{text!r:.60} is not written as {self.text}")
        try:
            return moment({unit: number(part) for (unit, number), part in zip(self.units, match.groups())})  # noqa: B905 - slower
        except (ValueError, OverflowError, KeyError) as error:
            raise TransformError(f"{text!r:.60} does not exist: {error}") from None


def moment(parts: Parts) -> datetime:
    if "epoch" in parts:
        return EPOCH + timedelta(milliseconds=parts["epoch"])
    day = _day(parts)
    offset = parts.get("offset")
    return datetime(
        day.year,
        day.month,
        day.day,
        _hour(parts),
        parts.get("minute", 0),
        parts.get("second", 0),
        parts.get("microsecond", 0),
        None if offset is None else timezone(timedelta(minutes=offset)),
    )


def _day(parts: Parts) -> date:
    if "isoweek" in parts:
        return date.fromisocalendar(parts["isoyear"], parts["isoweek"], parts.get("weekday", 1))
    if "yearday" in parts:
        day = date(parts["year"], 1, 1) + timedelta(parts["yearday"] - 1)
        if day.year != parts["year"]:
            raise ValueError(f"{parts['year']} has no day {parts['yearday']}")
    else:
        day = date(parts.get("year", 2000), parts.get("month", 1), parts.get("day", 1))
    if "weekday" in parts and day.isoweekday() != parts["weekday"]:
        raise ValueError(f"{day} is not that day of the week")
    return day


def _hour(parts: Parts) -> int:
    if "hour12" not in parts:
        return parts.get("hour", 0)
    if not 1 <= parts["hour12"] <= 12:
        raise ValueError(f"{parts['hour12']} o'clock is not one of 12")
    return parts["hour12"] % 12 + 12 * parts["half"]


# --- Compiling -------------------------------------------------------------------------------------

_NEEDS = {
    "minute": "hour", "second": "minute", "microsecond": "second", "offset": "hour", "half": "hour12", "hour12": "half",
    "isoyear": "isoweek", "isoweek": "isoyear", "yearday": "year",
}  # fmt: skip
_CLASHES = [
    {"hour", "hour12"}, {"isoweek", "year"}, {"isoweek", "month"}, {"isoweek", "day"}, {"yearday", "month"}, {"yearday", "day"},
]  # fmt: skip


def writer(key: str, text: str, locale: Locale) -> Writer:
    """Compile a pattern for writing; `key` is where the text was given."""
    pieces = list(_pieces(key, text, locale))
    template = "".join("%s" if token else name.replace("%", "%%") for name, token in pieces)
    tokens = [token for _, token in pieces if token]
    return Writer(template, tuple(token.write for token in tokens), frozenset(" ".join(t.needs for t in tokens).split()))


def reader(key: str, text: str, locale: Locale) -> Reader:
    """Compile a pattern for reading; `key` is where the text was given."""
    expression = ""
    units: dict[str, Callable[[str], int]] = {}
    gives: set[str] = set()
    for name, token in _pieces(key, text, locale):
        if token is None:
            expression += re.escape(name)
            continue
        if not token.unit or token.unit in units:
            fault = f"has the {token.unit} twice" if token.unit else f"cannot be read: {name} is not enough to tell"
            raise ConfigError(Problem(key, f"{text!r} {fault}"))
        expression += f"({token.expression})"
        units[token.unit] = token.number
        gives.update((token.gives or token.needs).split())
    _refuse_riddles(key, text, units)
    if gives >= {"year", "month", "day"} or gives >= {"week", "weekday"}:
        gives |= {"year", "month", "day", "week", "weekday"}
    return Reader(text, re.compile(expression), tuple(units.items()), frozenset(gives))


def _refuse_riddles(key: str, text: str, units: Collection[str]) -> None:
    """Refuse a pattern whose parts do not make sense together."""
    found = {*units} | ({"hour"} if "hour12" in units else set())
    faults = [f"{unit} without {_NEEDS[unit]}" for unit in units if unit in _NEEDS and _NEEDS[unit] not in found]
    faults += [" beside ".join(sorted(clash)) for clash in _CLASHES if clash <= {*units}]
    if "weekday" in found and not (found >= {"year", "month", "day"} or "isoweek" in found or "yearday" in found):
        faults.append("weekday without a full date")
    if "epoch" in found and len(found) > 1:
        faults.append("seconds since 1970 beside other tokens")
    if faults:
        raise ConfigError(Problem(key, f"{text!r} has {', '.join(faults)}"))


def _pieces(key: str, text: str, locale: Locale) -> Iterator[tuple[str, Token | None]]:
    """Yield every token with its name, and every literal text with None."""
    if not text:
        raise ConfigError(Problem(key, "empty; it takes tokens such as YYYY-MM-DD"))
    beside_day = "D" in re.sub(r"\[[^\]]*\]", "", text)
    tokens = TOKENS | name_tokens(locale, beside_day=beside_day)
    names = "|".join(sorted(tokens, key=len, reverse=True))
    for piece in re.finditer(rf"\[(?P<literal>[^\]]*)\]|(?P<token>{names})|(?P<other>.)", text, re.DOTALL):
        if piece["token"]:
            yield piece["token"], tokens[piece["token"]]
        elif piece["literal"] is not None:
            yield piece["literal"], None
        elif re.fullmatch(r"[A-SU-Za-z\[]", piece["other"]):
            known = ", ".join(tokens)
            raise ConfigError(
                Problem(key, f"{piece['other']!r} in {text!r} is no token (known: {known}); text goes in [brackets]")
            )
        else:
            yield piece["other"], None
