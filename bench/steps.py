"""Transform steps as the benchmarks run them: a configuration, and values that do not come twice."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from attrs import frozen

TEXT = "Ada  Lovelace of Marylebone {}".format
PHONE = "+1 202-5{:06}".format
AMOUNT = "{}.50".format
INSTANT = "2024-01-23T09:46:37.{:06}Z".format


def _american(number: int) -> str:
    """Return one of three million days."""
    return (date(1000, 1, 1) + timedelta(days=number)).strftime("%m/%d/%Y")


def _day(number: int) -> str:
    return (date(1000, 1, 1) + timedelta(days=number)).isoformat()


def _german(number: int) -> str:
    """Return an amount as Germans write it."""
    return f"{number:,}".replace(",", ".") + ",50"


@frozen
class Case:
    """A step's type, its `Config`, and the value of a number; `distinct`: how many values there are, None for no end."""

    type: str
    config: Mapping[str, Any]
    value: Callable[[int], str]
    distinct: int | None = None

    def values(self, first: int, count: int) -> list[str]:
        """Return values from a number on."""
        numbers = range(first, first + count)
        return [self.value(n if self.distinct is None else n % self.distinct) for n in numbers]


def _format(kind: str, **config: str) -> Mapping[str, str]:
    return {"FormatType": kind, "Locale": "en-US", **config}


OPERATIONS = ("trim", "lower", "upper", "title", "collapse", "ascii")
CASES: Mapping[str, Case] = {
    "direct": Case("direct", {}, TEXT),
    "direct, default": Case("direct", {"DefaultValue": "Unknown"}, TEXT),
    "regex, replace": Case("regex", {"Pattern": "[^0-9]", "Replacement": "", "Flags": "g"}, PHONE),
    "regex, extract": Case("regex", {"Pattern": "([0-9]{3})-"}, PHONE),
    "split": Case("split", {"Delimiter": " ", "Index": 0}, TEXT),
    "split, trimmed": Case("split", {"Delimiter": "of", "Index": -1, "TrimWhitespace": True}, TEXT),
    "combine": Case("combine", {"Parts": ["{{a}}", "{{b}}"], "Separator": " "}, TEXT),
    "lookup": Case(
        "lookup",
        {"Map": {"lead": "Lead", "customer": "Customer"}, "DefaultValue": "Unknown"},
        lambda number: ("lead", "customer", "other")[number % 3],
    ),
    "lookup, any case": Case(
        "lookup",
        {"Map": {"lead": "Lead", "customer": "Customer"}, "DefaultValue": "Unknown", "CaseSensitive": False},
        lambda number: ("Lead", "CUSTOMER", "other")[number % 3],
    ),
    "format, date": Case("format", _format("date", InputFormat="MM/DD/YYYY", OutputFormat="YYYY-MM-DD"), _american),
    "format, date with names": Case("format", _format("date", OutputFormat="dddd, D MMMM YYYY"), _day),
    "format, number": Case("format", _format("number", OutputFormat="#,##0.00"), AMOUNT),
    "format, number of a locale": Case("format", _format("number", OutputFormat="#,##0.00", InputFormat="de-DE"), _german),
    "format, currency": Case("format", _format("currency", OutputFormat="¤#,##0.00"), AMOUNT),
    "format, phone": Case("format", _format("phone", OutputFormat="E164"), PHONE),
    "format, phone that came before": Case("format", _format("phone", OutputFormat="E164"), PHONE, distinct=500),
    "substring": Case("substring", {"Start": 0, "Length": 10}, TEXT),
    "coerce, string": Case("coerce", {"TargetType": "string"}, TEXT),
    "coerce, number": Case("coerce", {"TargetType": "number"}, AMOUNT),
    "coerce, boolean": Case("coerce", {"TargetType": "boolean"}, lambda number: ("true", "No", "1")[number % 3]),
    "coerce, date": Case("coerce", {"TargetType": "date", "Zone": "UTC"}, INSTANT),
    "coerce, datetime": Case("coerce", {"TargetType": "datetime"}, INSTANT),
    "coerce, date of a format": Case("coerce", {"TargetType": "date", "InputFormat": "MM/DD/YYYY"}, _american),
    "custom": Case("custom", {"Expression": "value.toUpperCase()"}, TEXT),
    **{f"text, {name}": Case("text", {"Operation": name}, TEXT) for name in OPERATIONS},
}  # fmt: skip
