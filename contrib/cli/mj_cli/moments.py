"""Times as people read them: local ones, without what nobody looks at."""

from datetime import datetime


def local(moment: datetime) -> str:
    """Return a time such as `2026-01-31 08:00:05` in the machine's zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def to_the_minute(moment: datetime) -> str:
    return local(moment)[:16]
