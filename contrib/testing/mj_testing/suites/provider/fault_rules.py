"""Rules of failures: what each is told as, and that a call can be repeated."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from mj_testing.faults import LONGEST_STALL, Fault
from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.suites.provider.stage import Stage
from mj_testing.suites.provider.strikes import CALLS, FAULTS, Strike, Strikes
from mjcore.errors import AuthFailed, ProviderError, RateLimited, Unavailable

MEANS = {
    AuthFailed: "stops the run until a person mends the credentials",
    RateLimited: "waits as long as Retry-After says and repeats the call",
    Unavailable: "repeats the call with growing pauses",
}


class FaultRules(Strikes):
    """What a provider says when the source fails."""

    @rule(
        "every failure of the source is told as what it is",
        remedy="raise the error of mjcore.errors by which the kernel knows what to do: AuthFailed for 401 and 403, RateLimited "
        "with `retry_after` for 429, Unavailable for 5xx, timeouts, torn bodies and what is no answer at all",
        needs="http",
    )
    def test_failures_are_typed(self) -> None:
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(), lambda strike: self._is_typed(stage, strike), most=2 * self.examples)

    def _is_typed(self, stage: Stage, strike: Strike) -> object:
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

        return self.struck(stage, strike, ask=ask)

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

    def _ends_in_time(self, stage: Stage, strike: Strike) -> object:
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

        return self.struck(stage, strike, ask=ask)

    @rule(
        "a call that failed can be repeated, and returns what it would have returned",
        remedy="change nothing in the source before the answer is read to its end: the kernel repeats the same call on it",
        needs="http",
    )
    def test_a_failed_call_can_be_repeated(self) -> None:
        passing = [fault for fault in FAULTS if fault.status not in (401, 403)]
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(*passing), lambda strike: self._can_be_repeated(stage, strike), most=self.examples)

    def _can_be_repeated(self, stage: Stage, strike: Strike) -> object:
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

        return self.struck(stage, strike, ask=ask)


def _meaning(wanted: type[ProviderError] | tuple[type[ProviderError], ...]) -> str:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(f"{kind.__name__}, upon which the kernel {MEANS[kind]}" for kind in kinds)
