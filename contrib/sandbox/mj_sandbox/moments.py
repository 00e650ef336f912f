"""Instants as milliseconds since 1970 UTC, and as HubSpot writes them."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000


def iso(milliseconds: int) -> str:
    """Return `2026-02-25T16:23:49.023Z`."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")[:23] + "Z"


def day(milliseconds: int) -> str:
    """Return `2026-02-25`."""
    return iso(milliseconds)[:10]


def milliseconds(text: str) -> int:
    """Return the instant of epoch milliseconds or ISO 8601 text (UTC where no offset is given). Raises ValueError."""
    if re.fullmatch(r"-?\d{5,}", text):
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)
