"""Waiting and repeating, which providers leave to the kernel: rate limits, back-off, and when to give up."""

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from attrs import frozen

from mjcore.errors import MJError, RateLimited, Unavailable

T = TypeVar("T")


class Cancelled(MJError):
    """The run was asked to stop."""


@frozen
class Patience:
    """How long the kernel goes on: pauses double from `first` to `longest` (seconds); `total` bounds one call with its waits."""

    first: float = 0.25
    longest: float = 60.0
    total: float = 900.0


@frozen
class Repeater:
    """Calls the source again as its errors allow."""

    patience: Patience
    is_cancelled: Callable[[], bool]
    waiting: Callable[[str], None]
    """Told why the run stands still."""

    def __call__(self, call: Callable[[], T]) -> T:
        """Return what `call` returns. Raises what it raised when patience is over, `Cancelled` when asked to stop."""
        began, pause = time.monotonic(), self.patience.first
        while True:
            try:
                return call()
            except (RateLimited, Unavailable) as error:
                wait = pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, so that many workers do not return at once
                if isinstance(error, RateLimited) and error.retry_after is not None:
                    wait = error.retry_after.total_seconds()
                if time.monotonic() - began + wait > self.patience.total:
                    error.add_note(f"gave up after {time.monotonic() - began:.0f} s")
                    raise
                self.waiting(f"waiting {wait:.1f} s: {error}")
                self.sleep(wait)
                pause = min(pause * 2, self.patience.longest)

    def sleep(self, seconds: float) -> None:
        """Sleep in short naps, so that a cancel is heard."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.is_cancelled():
                raise Cancelled("cancelled while waiting for the source")
            time.sleep(min(left, 0.2))


class Limiter:
    """A token bucket: at most `count` calls per `period`, for all threads of this process."""

    def __init__(self, count: int, period: timedelta) -> None:
        self._interval = period.total_seconds() / count
        self._burst = period.total_seconds()
        self._next = time.monotonic() - self._burst
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until a call is allowed."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now - self._burst) + self._interval
            wait = self._next - now
        if wait > 0:
            time.sleep(wait)
