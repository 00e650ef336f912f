"""`InputFormat`: dates and times in digits, such as `MM/DD/YYYY HH:mm`."""

import re
from collections.abc import Callable
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from attrs import frozen

from mjcore.errors import ConfigError, Problem, TransformError

Moment = date | datetime
"""A day, a local time (naive) or an instant (aware)."""

TOKENS: dict[str, tuple[str, str]] = {
    # the expression that reads it, and the format that writes it
    "YYYY": (r"(?P<YYYY>[0-9]{4})", "{0.year:04}"),
    "MM": (r"(?P<MM>[0-9]{2})", "{0.month:02}"),
    "DD": (r"(?P<DD>[0-9]{2})", "{0.day:02}"),
    "HH": (r"(?P<HH>[0-9]{2})", "{0.hour:02}"),
    "mm": (r"(?P<mm>[0-9]{2})", "{0.minute:02}"),
    "ss": (r"(?P<ss>[0-9]{2})", "{0.second:02}"),
    "SSS": (r"(?P<SSS>[0-9]{3})", "{1:03}"),
    "Z": (r"(?P<Z>Z|[+-][0-9]{2}:?[0-9]{2})", "{2}"),
}
_NEEDS = {"mm": "HH", "ss": "mm", "SSS": "ss", "Z": "HH"}
_DEFAULTS = {"mm": "00", "ss": "00", "SSS": "000", "Z": ""}
_WRITTEN = {"YYYY": "%s", "MM": "-%s", "DD": "-%s", "HH": "T%s", "mm": ":%s", "ss": ":%s", "SSS": ".%s", "Z": "%s"}
"""Each token in ISO 8601."""
_PIECE = re.compile("|".join(sorted(TOKENS, key=len, reverse=True)) + "|.", re.DOTALL)


@frozen
class Pattern:
    """A compiled `InputFormat`."""

    text: str
    tokens: frozenset[str]
    regex: re.Pattern[str]
    template: str

    def read(self, text: str) -> Moment:
        """Return a day, or a time where the format has HH: naive where it has no Z."""
        match = self.regex.fullmatch(text)
        if match is None:
            raise TransformError(f"{text!r:.60} is not written as {self.text}")
        parts = _DEFAULTS | match.groupdict()
        day = "{YYYY}-{MM}-{DD}".format_map(parts)
        try:
            if "HH" not in self.tokens:
                return date.fromisoformat(day)
            return datetime.fromisoformat(day + "T{HH}:{mm}:{ss}.{SSS}{Z}".format_map(parts))
        except ValueError as error:
            raise TransformError(f"{text!r:.60} does not exist: {error}") from None

    def reader(self, shape: str) -> tuple[Callable[[str], Any], str]:
        """Return what reads texts of one shape, its digits written as 0, and whether that is a "day", "local" or an "instant".

        It raises `ValueError`. Where digits stand for themselves in the format, no shape tells that they are there.
        """
        match = self.regex.fullmatch(shape)
        if match is None or shape != shape.strip() or any(char.isdigit() for char in self.text):
            return self.read, ""
        found = [token for token in _WRITTEN if token in self.tokens]
        cut = itemgetter(*(slice(*match.span(token)) for token in found))
        template = "".join(_WRITTEN[token] for token in found)
        convert = datetime.fromisoformat if "HH" in self.tokens else date.fromisoformat
        kind = "day" if "HH" not in self.tokens else "instant" if "Z" in self.tokens else "local"
        return lambda text: convert(template % cut(text)), kind

    def write(self, moment: Moment) -> str:
        if not isinstance(moment, datetime):
            return self.template.format(moment)
        return self.template.format(moment, moment.microsecond // 1000, moment.isoformat()[-6:])

    def require(self, *tokens: str) -> None:
        """Refuse a format that lacks one of these tokens."""
        if missing := [token for token in tokens if token not in self.tokens]:
            remedy = "; or name the Zone of these times" if missing == ["Z"] else ""
            raise ConfigError(Problem("InputFormat", f"{self.text!r} lacks {' and '.join(missing)}{remedy}"))


def parse_pattern(text: str) -> Pattern:
    """Compile an `InputFormat`; `ConfigError` when it has unknown letters, or too few tokens for a day."""
    regex, template, tokens = "", "", []
    for piece in _PIECE.findall(text):
        if piece.isalpha() and piece not in TOKENS and piece != "T":
            known = ", ".join(TOKENS)
            raise ConfigError(Problem("InputFormat", f"{piece!r} in {text!r} is no token (known: {known}); `format` reads names"))
        if piece in tokens:
            raise ConfigError(Problem("InputFormat", f"{text!r} has {piece} twice"))
        expression, written = TOKENS.get(piece, (re.escape(piece), piece.replace("{", "{{").replace("}", "}}")))
        regex += expression
        template += written
        tokens += [piece] if piece in TOKENS else []
    pattern = Pattern(text, frozenset(tokens), re.compile(regex), template)
    pattern.require("YYYY", "MM", "DD", *(_NEEDS[token] for token in tokens if token in _NEEDS))
    return pattern
