"""Rate limits and the headers that tell them."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from attrs import define, field

from mj_sandbox.faults import limited

UNLIMITED = 1_000_000


@define(eq=False)
class Limits:
    """So many requests per ten seconds and a tenth of it per second; searches per second apart."""

    requests: int | None = None
    searches: int | None = None
    retry_after: int | None = None
    clock: Callable[[], float] = time.monotonic
    _requests: deque[float] = field(init=False, factory=deque)
    _searches: deque[float] = field(init=False, factory=deque)

    def take(self, *, search: bool) -> Mapping[str, str]:
        """Count one request and return its headers: none for a search. Raises Problem 429."""
        now = self.clock()
        if search:
            if self.searches is not None and self._count(self._searches, now, 1) >= self.searches:
                raise limited("SECONDLY", self.retry_after)
            self._searches.append(now)
            return {}
        most, used = self.requests or UNLIMITED, 0
        if self.requests is not None:
            used = self._count(self._requests, now, 10)
            recent = sum(each > now - 1 for each in self._requests)
            if used >= most or recent >= self._secondly(most):
                raise limited("TEN_SECONDLY_ROLLING" if used >= most else "SECONDLY", self.retry_after)
            self._requests.append(now)
        secondly = self._secondly(most)
        left = secondly - sum(each > now - 1 for each in self._requests) if self.requests else secondly - 1
        return {
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(most - used - 1),
            "X-HubSpot-RateLimit-Secondly": str(secondly),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(left),
        }

    def _secondly(self, most: int) -> int:
        return max(1, most // 10)

    def _count(self, times: deque[float], now: float, seconds: float) -> int:
        while times and times[0] <= now - seconds:
            times.popleft()
        return len(times)
