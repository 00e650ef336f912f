"""The account's clock: every write has its own millisecond, later than all before it."""

import time

from attrs import define, field

from mj_sandbox.blocks import END


@define
class Clock:
    """Wall time, or a simulated time that starts at `start` (ms) and moves by one millisecond per write."""

    start: int | None = None
    last: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.last = END if self.start is None else self.start

    def now(self) -> int:
        """Return the present, in ms since 1970; never before the last write."""
        return self.last if self.start is not None else max(self.last, time.time_ns() // 1_000_000)

    def tick(self) -> int:
        """Return the instant of a write."""
        self.last = max(self.last + 1, self.now())
        return self.last

    def advance(self, milliseconds: int) -> None:
        """Let time pass on a simulated clock."""
        self.last += milliseconds

    def settle(self) -> None:
        """Wait until the last write is past, so that whoever looks next sees it as past."""
        if self.start is None and (ahead := self.last + 1 - time.time_ns() // 1_000_000) > 0:
            time.sleep(ahead / 1000)
