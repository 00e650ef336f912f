"""Search filters as tests of one value."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from mj_sandbox.moments import milliseconds
from mj_sandbox.problems import Problem, invalid
from mj_sandbox.properties import Property

Scalar = str | int | float | bool
Test = Callable[[Any], bool]


class Filter(msgspec.Struct, rename="camel", frozen=True):
    """One condition of a search."""

    property_name: str
    operator: str
    value: Scalar | None = None
    values: tuple[Scalar, ...] = ()
    high_value: Scalar | None = None


def number(text: str) -> float | int:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def comparable(prop: Property) -> Callable[[str], Any]:
    """Return what turns the text of a value into something that sorts as HubSpot sorts it."""
    if prop.type in ("datetime", "date"):
        return milliseconds
    return number if prop.type == "number" else str.lower


def lenient(convert: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Return `convert` that gives None for nothing and for what is no value of its type."""

    def converted(value: Any) -> Any:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return convert(value)
        except ValueError:
            return None

    return converted


def compile_filter(condition: Filter, prop: Property) -> Test:
    """Return the test of one property's value: text, or ms and ids as numbers. A record without the value fails it,
    except NOT_HAS_PROPERTY."""
    convert = lenient(comparable(prop))
    if condition.operator == "HAS_PROPERTY":
        return lambda value: value is not None and value != ""
    if condition.operator == "NOT_HAS_PROPERTY":
        return lambda value: value is None or value == ""
    if condition.operator in ("IN", "NOT_IN"):
        return _membership(condition, convert, exact=prop.type == "string")
    wanted = _operand(condition, condition.value, prop, "value")
    if condition.operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _tokens(str(condition.value), inside=condition.operator == "CONTAINS_TOKEN")
    if condition.operator == "BETWEEN":
        high = _operand(condition, condition.high_value, prop, "highValue")
        return lambda value: (it := convert(value)) is not None and wanted <= it <= high
    compare = COMPARISONS.get(condition.operator)
    if compare is None:
        raise invalid(f"Invalid input JSON: unknown operator {condition.operator}")
    return lambda value: (it := convert(value)) is not None and compare(it, wanted)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda it, wanted: bool(it == wanted),
    "NEQ": lambda it, wanted: bool(it != wanted),
    "LT": lambda it, wanted: bool(it < wanted),
    "LTE": lambda it, wanted: bool(it <= wanted),
    "GT": lambda it, wanted: bool(it > wanted),
    "GTE": lambda it, wanted: bool(it >= wanted),
}


def plain(value: Scalar) -> str:
    """Return a filter's value as text, as HubSpot reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _operand(condition: Filter, value: Scalar | None, prop: Property, key: str) -> Any:
    if value is None or value == "":
        raise invalid(f"operator {condition.operator} of a filter on {prop.name} needs a {key}")
    try:
        return comparable(prop)(plain(value))
    except ValueError:
        raise _unreadable(prop, value) from None


def _unreadable(prop: Property, value: Scalar) -> Problem:
    return invalid(f"There was a problem with the request: {value!r} is no {prop.type} for {prop.name}")


def _membership(condition: Filter, convert: Callable[[Any], Any], *, exact: bool) -> Test:
    """Stored text is compared in lower case; values that are not given in it find nothing, as at HubSpot."""
    if not condition.values:
        raise invalid(f"operator {condition.operator} of a filter on {condition.property_name} needs values")
    wanted = {text if exact else convert(text) for text in map(plain, condition.values)}
    inside = condition.operator == "IN"
    return lambda value: (it := convert(value)) is not None and (it in wanted) is inside


def words(text: str) -> Sequence[str]:
    return re.findall(r"[\w*]+", text.lower())


def _tokens(text: str, *, inside: bool) -> Test:
    """Every word of `text`, in which * stands for any letters, is a word of the value."""
    patterns = words(text)

    def test(value: Any) -> bool:
        if value is None or value == "":
            return False
        present = words(str(value))
        return all(any(fnmatchcase(word, pattern) for word in present) for pattern in patterns) is inside

    return test
