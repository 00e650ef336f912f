"""Rules of failures, each made to happen at some request of some call, by a real server before the account."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from attrs import define, evolve, field, frozen
from hypothesis import strategies as st

from mj_testing.faults import LONGEST_STALL, Fault
from mj_testing.leaks import Listener, words_of
from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.suites.provider.stage import Accounts, Stage, by_id
from mjcore.capabilities import RecordReader, Source
from mjcore.errors import AuthFailed, ProviderError, RateLimited, Unavailable
from mjcore.records import Checkpoint, FetchRequest, Page

CALLS = ("fetch(the first page)", "fetch(the second page)", "fields()", "objects()", "high_watermark()", "test()", "read()")
QUICK = 2.0
"""Seconds: who takes longer to fail has waited or repeated."""
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
MEANS = {
    AuthFailed: "stops the run until a person mends the credentials",
    RateLimited: "waits as long as Retry-After says and repeats the call",
    Unavailable: "repeats the call with growing pauses",
}


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


class FaultRules(Accounts):
    """What a provider says when the source fails."""

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

    def struck(self, stage: Stage, strike: Strike, *, ask: Callable[[Callable[[], Any], Any], None]) -> None:
        """Let a call fail; `ask` gets the call, with the fault before it, and what it returns without."""
        right, count = self.calls(stage).without_fault(strike.call)
        if count:  # else what it says needs no request
            source = stage.open()
            stage.server.heal()
            stage.server.fail(strike.fault, strike.number % count)
            ask(lambda: self.calls(stage).call(source, strike.call), right)

    def calls(self, stage: Stage) -> "Calls":
        if self._calls is None or self._calls.stage is not stage:
            self._calls = Calls(stage)
        return self._calls

    @rule(
        "every failure of the source is told as what it is",
        remedy="raise the error of mjcore.errors by which the kernel knows what to do: AuthFailed for 401 and 403, RateLimited "
        "with `retry_after` for 429, Unavailable for 5xx, timeouts, torn bodies and what is no answer at all",
        needs="http",
    )
    def test_failures_are_typed(self) -> None:
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(), lambda strike: self._is_typed(stage, strike), most=2 * self.examples)

    def _is_typed(self, stage: Stage, strike: Strike) -> None:
        def ask(call: Callable[[], Any], _: Any) -> None:
            wanted = FAULTS.get(strike.fault, Unavailable)
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever it is, the rule says what it should be
                if not isinstance(error, wanted):
                    broken(cause=error, example=strike, seen=f"raised {raised(error)}", expected=_meaning(wanted))
                given = getattr(error, "retry_after", None)
                if isinstance(error, RateLimited) and strike.fault.retry_after and given != timedelta(seconds=7):
                    broken(example=strike, seen=f"retry_after is {given}, and the answer says 7 seconds")
            else:
                if strike.fault.status == 403 and not strike.call.startswith("fetch"):
                    return  # what a token may not see, discovery leaves out
                broken(example=strike, seen="it went on as if nothing had happened", expected=_meaning(wanted))

        self.struck(stage, strike, ask=ask)

    @rule(
        "a page that is no answer of the source, such as that of a guest network, is Unavailable",
        remedy="read every answer as what it should be before anything of it is used, its headers too",
        needs="http",
    )
    def test_what_is_no_answer_is_unavailable(self) -> None:
        with self.broken_stage() as stage:
            for strike in (Strike(Fault("garbage"), call, number) for call in CALLS for number in range(3)):
                self.proof.once(lambda strike=strike: self._is_typed(stage, strike))  # type: ignore[misc]

    @rule(
        "a source that does not answer is Unavailable, within the time limit",
        remedy="give every request a time limit that a setting can change, and raise Unavailable when it is over",
        needs="http",
    )
    def test_silence_is_unavailable(self) -> None:
        with self.broken_stage() as stage:
            for call in CALLS[: max(1, self.examples // 25)]:  # each takes as long as the time limit
                strike = Strike(Fault("stall"), call, 0)
                self.proof.once(lambda strike=strike: self._ends_in_time(stage, strike))  # type: ignore[misc]

    def _ends_in_time(self, stage: Stage, strike: Strike) -> None:
        def ask(call: Callable[[], Any], _: Any) -> None:
            began = time.monotonic()
            try:
                call()
            except Unavailable:
                pass
            except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
                broken(cause=error, example=strike, seen=f"raised {raised(error)}", expected=_meaning(Unavailable))
            if (took := time.monotonic() - began) > LONGEST_STALL - 0.5:
                broken(example=strike, seen=f"it waited for {took:.1f} s; the account's configuration asks for about a second")

        self.struck(stage, strike, ask=ask)

    @rule(
        "a call that failed can be repeated, and returns what it would have returned",
        remedy="change nothing in the source before the answer is read to its end: the kernel repeats the same call on it",
        needs="http",
    )
    def test_a_failed_call_can_be_repeated(self) -> None:
        passing = [fault for fault in FAULTS if fault.status not in (401, 403)]
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(*passing), lambda strike: self._can_be_repeated(stage, strike), most=self.examples)

    def _can_be_repeated(self, stage: Stage, strike: Strike) -> None:
        def ask(call: Callable[[], Any], right: Any) -> None:
            for attempt in ("the first attempt", "the second"):
                try:
                    found = call()
                except ProviderError as error:
                    if attempt == "the second":
                        broken(cause=error, example=strike, seen=f"repeated, it raised {raised(error)}")
                except Exception:  # noqa: BLE001 - of which type it should be is another rule's matter
                    return
                else:
                    if attempt == "the second" and found != right:
                        broken(example=strike, seen=f"repeated, it returned {found} instead of {right}")

        self.struck(stage, strike, ask=ask)

    @rule(
        "a source neither waits nor repeats: it raises and is called again",
        remedy="take out the loop and the sleep: the kernel does both, with a fresh token of the limiter for each attempt",
        needs="http",
    )
    def test_it_neither_waits_nor_repeats(self) -> None:
        passing = [fault for fault in FAULTS if fault.status not in (401, 403)]
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(*passing), lambda strike: self._gives_up(stage, strike), most=self.examples)

    def _gives_up(self, stage: Stage, strike: Strike) -> None:
        def ask(call: Callable[[], Any], _: Any) -> None:
            began = time.monotonic()
            with suppress(Exception):  # of which type it should be is another rule's matter
                call()
            took, sent = time.monotonic() - began, len(stage.server.requests)
            if stage.server.struck and sent > stage.server.struck:
                more = [f"{request.method} {request.path}" for request in stage.server.requests[stage.server.struck :]]
                broken(example=strike, seen=f"it went on with {', '.join(more)}")
            if took > QUICK:
                broken(example=strike, seen=f"it took {took:.1f} s to say so")

        self.struck(stage, strike, ask=ask)

    @rule(
        "no secret is in an error, a log line, or what a source shows of itself",
        remedy="build messages from method, path and status; never from a URL with its query, from headers, or from a body "
        "that was not cleaned of the secret; raise `from None`, since the causes of an error are printed too",
        needs="secrets",
    )
    def test_no_secret_is_told(self) -> None:
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(), lambda strike: self._keeps_secrets(stage, strike), most=self.examples)

    def _keeps_secrets(self, stage: Stage, strike: Strike) -> None:
        secrets = [secret for secret in stage.account.secrets().values() if secret]

        def ask(call: Callable[[], Any], _: Any) -> None:
            with Listener() as listener:
                try:
                    call()
                    told = ""
                except Exception as error:  # noqa: BLE001 - of which type it should be is another rule's matter
                    told = words_of(error)
            for where, text in (("the error", told), ("the log", listener.text)):
                for secret in secrets:
                    if secret in text:
                        at = text.index(secret)
                        shown = text[max(0, at - 60) : at] + "<the secret>" + text[at + len(secret) : at + len(secret) + 20]
                        broken(example=strike, seen=f"{where}: …{shown}…")

        self.struck(stage, strike, ask=ask)
        if any(secret in repr(stage.open()) for secret in secrets):
            broken(example="repr(source)", seen="it holds the secret")

    @rule(
        "a token of the limiter is taken before every request",
        remedy="call connection.throttle() before each request, not once per page: several requests may make one page",
        needs="http",
    )
    def test_the_rate_limit_is_obeyed(self) -> None:
        with self.broken_stage() as stage:
            self.proof.once(lambda: self._takes_tokens(stage))

    def _takes_tokens(self, stage: Stage) -> None:
        early: list[str] = []

        def arriving() -> None:
            if len(stage.server.requests) > stage.tokens:
                early.append(f"{stage.server.requests[-1].method} {stage.server.requests[-1].path}")

        calls, source = self.calls(stage), stage.open()
        stage.server.heal()
        stage.tokens, stage.server.arriving = 0, arriving
        for name in CALLS:
            calls.call(source, name)
            if early:
                broken(example=name, seen=f"{early[0]} came when only {stage.tokens} tokens had been taken")

    @rule(
        "a page that comes twice is no end and no loss",
        remedy="go on from the position that the answer states, and compare it with what was asked for: raise ProviderError "
        "where the answer does not fit the question",
        needs="http",
    )
    def test_a_repeated_page_loses_nothing(self) -> None:
        drawn = st.tuples(self.texts(3, 7), st.integers(0, 9), st.sampled_from([1, 2]))
        self.proof.holds(drawn, self._survives_repetition, most=max(1, self.examples // 2))

    def _survives_repetition(self, drawn: tuple[list[str], int, int]) -> None:
        texts, number, limit = drawn
        with self.stage() as stage:
            stage.fill(texts)
            source = stage.open()
            request = stage.request(source, limit)
            stage.server.heal()
            stage.server.fail(Fault("repeat"), number)
            try:
                found = by_id(stage, [record for page in self._bounded(source, request) for record in page.records])
            except ProviderError:
                return
            if found != stage.model:
                broken(example=texts, limit=limit, repeated=f"request {number + 1}", seen=f"{found} instead of {stage.model}")

    def _bounded(self, source: Source, request: FetchRequest) -> Iterator[Page]:
        """Yield pages; one that leads back to where it was is what the kernel ends a run for."""
        seen: list[Checkpoint] = []
        while True:
            page = source.fetch(request)
            yield page
            if page.next is None:
                return
            if page.next in seen:
                raise ProviderError("the source repeats itself")
            seen.append(page.next)
            request = evolve(request, checkpoint=page.next)


def _meaning(wanted: type[ProviderError] | tuple[type[ProviderError], ...]) -> str:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(f"{kind.__name__}, upon which the kernel {MEANS[kind]}" for kind in kinds)
