"""Faults, each made to happen at some request of some call, by a real server before the account."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, evolve, field, frozen
from hypothesis import strategies as st

from mj_testing.faults import Fault
from mj_testing.proof import VOID
from mj_testing.suites.provider.stage import Accounts, Stage
from mjcore.capabilities import RecordReader, Source
from mjcore.errors import AuthFailed, ProviderError, RateLimited, Unavailable
from mjcore.records import FetchRequest

CALLS = ("fetch(the first page)", "fetch(the second page)", "fields()", "objects()", "high_watermark()", "test()", "read()")
FAULTS: Mapping[Fault, type[ProviderError] | tuple[type[ProviderError], ...]] = {
    Fault("status", 401): AuthFailed,
    Fault("status", 403): AuthFailed,
    Fault("status", 429): RateLimited,
    Fault("status", 429, 7): RateLimited,
    Fault("status", 500): Unavailable,
    Fault("status", 502): Unavailable,
    Fault("status", 503): Unavailable,
    Fault("status", 503, 7): (Unavailable, RateLimited),
    Fault("cut"): Unavailable,
    Fault("reset"): Unavailable,
}
"""What each fault has to be told as."""


@frozen
class Strike:
    """A fault at the n-th request (counted around) of one call."""

    fault: Fault
    call: str
    number: int

    def __repr__(self) -> str:
        return f"{self.fault} at request {self.number + 1} of {self.call}"


@define
class Calls:
    """The calls of a source, each with what it returns where nothing fails, and how many requests that takes."""

    stage: Stage
    known: dict[str, tuple[Any, int]] = field(factory=dict)
    requests: list[FetchRequest] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        source = self.stage.open()
        first = self.stage.request(source, 2)
        self.requests = [first, evolve(first, checkpoint=source.fetch(first).next)]

    def call(self, source: Source, name: str) -> Any:
        """Make a call; what it returns can be compared."""
        stage = self.stage
        match name:
            case "test()":
                return bool(source.test())
            case "objects()":
                return list(source.objects())
            case "fields()":
                return list(source.fields(stage.object_name))
            case "high_watermark()":
                return source.high_watermark(stage.object_name) is not None
            case "fetch(the first page)":
                return source.fetch(self.requests[0])
            case "fetch(the second page)":
                return source.fetch(self.requests[1])
        if isinstance(source, RecordReader):
            return list(source.read(stage.object_name, sorted(stage.model), (stage.account.field,)))
        return None

    def without_fault(self, name: str) -> tuple[Any, int]:
        if name not in self.known:
            self.stage.server.heal()
            self.known[name] = self.call(self.stage.open(), name), len(self.stage.server.requests)
        return self.known[name]


class Strikes(Accounts):
    """What the rules of failures share."""

    _calls: "Calls | None" = None

    @contextmanager
    def broken_stage(self) -> Iterator[Stage]:
        """Give an account of three records, and faults before it."""
        with self.stage() as stage:
            stage.fill(["a", "b", "c"])
            stage.account.wait()
            yield stage

    def strikes(self, *faults: Fault) -> st.SearchStrategy[Strike]:
        return st.builds(Strike, st.sampled_from(faults or list(FAULTS)), st.sampled_from(CALLS), st.integers(0, 5))

    def struck(self, stage: Stage, strike: Strike, *, ask: Callable[[Callable[[], Any], Any], None]) -> object:
        """Let a call fail; `ask` gets the call, with the fault before it, and what it returns without."""
        right, count = self.calls(stage).without_fault(strike.call)
        if not count:
            return VOID  # what it says needs no request
        source = stage.open()
        stage.server.heal()
        stage.server.fail(strike.fault, strike.number % count)
        ask(lambda: self.calls(stage).call(source, strike.call), right)
        return None

    def calls(self, stage: Stage) -> "Calls":
        if self._calls is None or self._calls.stage is not stage:
            self._calls = Calls(stage)
        return self._calls
