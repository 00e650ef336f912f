"""Field types from a sample: a type is only given when a column of it can hold every sampled value as it stands."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from mjcore.errors import TransformError
from mjcore.fitting import fitter
from mjcore.models import EntityField
from mjcore.records import ABSENT, Value
from mjcore.schema import FieldType

SAMPLE = 1000
"""Rows."""

PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
"""Leading zeros, plus signs and exponents would be lost: such texts are codes, not numbers."""
EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+")
URL = re.compile(r"https?://\S+", re.IGNORECASE)


def infer(values: Iterable[Value], *, is_native: bool) -> FieldType:
    """Return the narrowest type that all values have; `string` without any.

    `is_native`: the format has numbers and booleans of its own, so that a text of digits is a text.
    """
    present = [v for v in values if v is not None and v is not ABSENT]
    if not present:
        return "string"
    if all(isinstance(v, str) for v in present):
        texts = ((name, holds) for name, holds in TEXTS if not (is_native and name in ("boolean", "number")))
        return next((name for name, holds in texts if all(map(holds, present))), "string")
    return next((name for name, kinds in NATIVES if all(isinstance(v, kinds) for v in present)), "string")


def _fits(column: EntityField) -> Callable[[str], bool]:
    fit = fitter(column)

    def holds(text: str) -> bool:
        try:
            fit(text)
        except TransformError:
            return False
        return True

    return holds


_NUMERIC = _fits(EntityField("", "number", number="numeric"))

TEXTS: list[tuple[FieldType, Callable[[str], bool]]] = [
    ("boolean", _fits(EntityField("", "boolean"))),
    ("number", lambda text: bool(PLAIN_NUMBER.fullmatch(text)) and _NUMERIC(text)),
    ("date", _fits(EntityField("", "date"))),
    ("datetime", _fits(EntityField("", "datetime"))),
    ("email", lambda text: bool(EMAIL.fullmatch(text))),
    ("url", lambda text: bool(URL.fullmatch(text))),
]
NATIVES: list[tuple[FieldType, type | tuple[type, ...]]] = [
    ("boolean", bool),
    ("number", (int, float, Decimal)),
    ("datetime", datetime),
    ("json", (dict, list)),
]
