"""Instants as milliseconds since 1970 UTC, and as HubSpot writes them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000


_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02d}." for second in range(60))
_THOUSANDTHS = tuple(f"{thousandth:03d}Z" for thousandth in range(1000))


@lru_cache(4096)
def _date(days: int) -> str:
    return (EPOCH + timedelta(days=days)).date().isoformat()


def iso(milliseconds: int) -> str:
    """Return `2026-02-25T16:23:49.023Z`; from tables, as listings write four of these per record."""
    minute, second = milliseconds // 60_000 % 1440, milliseconds // 1000 % 60
    return f"{_date(milliseconds // DAY)}T{_MINUTES[minute]}{_SECONDS[second]}{_THOUSANDTHS[milliseconds % 1000]}"


def day(milliseconds: int) -> str:
    """Return `2026-02-25`."""
    return _date(milliseconds // DAY)


def milliseconds(text: str) -> int:
    """Return the instant of epoch milliseconds or ISO 8601 text (UTC where no offset is given). Raises ValueError."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)
