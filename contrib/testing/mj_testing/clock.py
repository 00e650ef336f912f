"""A clock that tests move."""

from datetime import UTC, datetime, timedelta

from attrs import define

START = datetime(2026, 1, 1, tzinfo=UTC)


@define
class Clock:
    """Call it for the time, always in UTC. It stands still until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Move on by a span, or by `seconds=`, `days=` and the like; return the new time."""
        self.time += timedelta(**parts) if by is None else by
        return self.time
