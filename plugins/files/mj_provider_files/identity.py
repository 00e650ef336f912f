"""External ids from key columns, and times of modification."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from mjcore.records import ABSENT, Value


def default_key(object_name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the column that is called `id` or after the object (`orders_id`, `order_id`), or nothing."""
    name = object_name.casefold()
    for wanted in ("id", f"{name}_id", f"{name.removesuffix('s')}_id"):
        for column in columns:
            if column.casefold() == wanted:
                return (column,)
    return ()


def plain_ids(keys: Sequence[Sequence[Value]]) -> Sequence[str] | None:
    """Return the ids of many records, where one column of texts or whole numbers holds them; else None."""
    if len(keys) != 1:
        return None
    kinds = set(map(type, keys[0]))
    if kinds <= {str}:
        return keys[0] if all(map(str.strip, keys[0])) else None
    return list(map(str, keys[0])) if kinds == {int} else None


def external_id(parts: Sequence[Value]) -> str | None:
    r"""Return the id, or None when a part is blank.

    Several parts are joined by `|`; a `|` or `\` within a part gets a `\` before it, so that no two keys are alike.
    `ValueError` for a part that is no simple value.
    """
    texts = [_text(part) for part in parts]
    if any(not text.strip() for text in texts):
        return None
    if len(texts) == 1:
        return texts[0]
    return "|".join(text.replace("\\", "\\\\").replace("|", "\\|") for text in texts)


def _text(part: Value) -> str:
    if isinstance(part, str):
        return part
    if part is None or part is ABSENT:
        return ""
    if isinstance(part, bool):
        return "true" if part else "false"
    if isinstance(part, int | float | Decimal) and part == part:  # noqa: PLR0124 - a NaN is not equal to itself
        return str(part)
    if isinstance(part, date):
        return part.isoformat()
    raise ValueError(f"a key is text, a number or a date, not {type(part).__name__} {str(part)[:60]}")


def instants(values: Sequence[Value], zone: ZoneInfo) -> Sequence[datetime | None] | None:
    """Return the instants of many records, each distinct value read once; None where one of them cannot be read."""
    try:
        known = {value: instant(value, zone) for value in set(values)}
    except (ValueError, TypeError):  # the latter: a list, or what else is no value of a set
        return None
    return [known[value] for value in values]


def instant(value: Value, zone: ZoneInfo) -> datetime | None:
    """Return an instant in UTC; None when there is none. `ValueError` for what is no ISO 8601 time."""
    if value is None or value is ABSENT or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ValueError(f"a time is written as ISO 8601, not as {type(value).__name__}")
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is out of range in UTC") from None
