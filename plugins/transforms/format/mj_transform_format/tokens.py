"""The tokens of dates and times: how each is written, how it is read, and what it tells."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import frozen

from mjcore.errors import TransformError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TWO, _ONE_OR_TWO = "[0-9]{2}", "[0-9]{1,2}"
_DATE = "century year month day week"
_OFFSET = "Z|[+-][0-9]{2}:?[0-9]{2}"


@frozen
class Token:
    """One token of a pattern."""

    write: Callable[[datetime], str]
    needs: str
    """What a moment must have for this to be written; several words."""
    unit: str = ""
    """What is read. Empty: the token can be written only."""
    expression: str = ""
    number: Callable[[str], int] = int
    gives: str = ""
    """What a moment has once this was read, if not what `needs` says."""


def _full_year(text: str) -> int:
    """Return the year of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068."""
    return int(text) + (1900 if int(text) > 68 else 2000)


def _minutes(text: str) -> int:
    """Return an offset in minutes."""
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError(f"offset {text}")
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def _offset(moment: datetime, colon: str) -> str:
    offset = moment.utcoffset() or timedelta()
    minutes, rest = divmod(abs(offset), timedelta(minutes=1))
    if rest:
        raise TransformError(f"{moment} has an offset with seconds, which no token can write")
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}{colon}{minutes % 60:02}"


def _fraction(digits: int) -> Token:
    return Token(
        lambda moment: f"{moment.microsecond:06}"[:digits],
        "hour",
        "microsecond",
        f"[0-9]{{{digits}}}",
        lambda text: int(text.ljust(6, "0")),
        " ".join(f"digit{i}" for i in range(digits)),
    )


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


_NEEDS, _GIVES = "year month day hour zone", f"{_DATE} hour minute second zone"

TOKENS: dict[str, Token] = {
    "YYYY": Token(lambda m: f"{m.year:04}", "year", "year", "[0-9]{4}", int, "year century"),
    "YY": Token(lambda m: f"{m.year % 100:02}", "year", "year", _TWO, _full_year),
    "Q": Token(lambda m: str((m.month + 2) // 3), "month"),
    "M": Token(lambda m: str(m.month), "month", "month", _ONE_OR_TWO),
    "MM": Token(lambda m: f"{m.month:02}", "month", "month", _TWO),
    "D": Token(lambda m: str(m.day), "day", "day", _ONE_OR_TWO),
    "DD": Token(lambda m: f"{m.day:02}", "day", "day", _TWO),
    "DDD": Token(lambda m: str(m.timetuple().tm_yday), "year month day", "yearday", "[0-9]{1,3}", int, "month day"),
    "DDDD": Token(lambda m: f"{m.timetuple().tm_yday:03}", "year month day", "yearday", "[0-9]{3}", int, "month day"),
    "E": Token(lambda m: str(m.isoweekday()), "year month day", "weekday", "[1-7]", int, "weekday"),
    "GGGG": Token(lambda m: f"{m.isocalendar().year:04}", "week", "isoyear", "[0-9]{4}", int, "century week"),
    "W": Token(lambda m: str(m.isocalendar().week), "week", "isoweek", _ONE_OR_TWO),
    "WW": Token(lambda m: f"{m.isocalendar().week:02}", "week", "isoweek", _TWO),
    "H": Token(lambda m: str(m.hour), "hour", "hour", _ONE_OR_TWO),
    "HH": Token(lambda m: f"{m.hour:02}", "hour", "hour", _TWO),
    "h": Token(lambda m: str(m.hour % 12 or 12), "hour", "hour12", _ONE_OR_TWO),
    "hh": Token(lambda m: f"{m.hour % 12 or 12:02}", "hour", "hour12", _TWO),
    "m": Token(lambda m: str(m.minute), "hour", "minute", _ONE_OR_TWO, int, "minute"),
    "mm": Token(lambda m: f"{m.minute:02}", "hour", "minute", _TWO, int, "minute"),
    "s": Token(lambda m: str(m.second), "hour", "second", _ONE_OR_TWO, int, "second"),
    "ss": Token(lambda m: f"{m.second:02}", "hour", "second", _TWO, int, "second"),
    **{"S" * digits: _fraction(digits) for digits in range(1, 7)},
    "Z": Token(lambda m: _offset(m, ":"), "hour zone", "offset", _OFFSET, _minutes, "zone"),
    "ZZ": Token(lambda m: _offset(m, ""), "hour zone", "offset", _OFFSET, _minutes, "zone"),
    "z": Token(lambda m: m.tzname() or "", "hour zone"),
    "X": Token(lambda m: str(_milliseconds(m) // 1000), _NEEDS, "epoch", "-?[0-9]{1,12}", lambda t: int(t) * 1000, _GIVES),
    "x": Token(lambda m: str(_milliseconds(m)), _NEEDS, "epoch", "-?[0-9]{1,15}", int, f"{_GIVES} digit0 digit1 digit2"),
}
