"""Rules of conduct towards the source and its secrets."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from mj_testing.faults import Fault
from mj_testing.leaks import Listener, words_of
from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.suites.provider.stage import Stage, by_id
from mj_testing.suites.provider.strikes import CALLS, FAULTS, Strike, Strikes
from mjcore.capabilities import Source
from mjcore.errors import ProviderError
from mjcore.records import Checkpoint, FetchRequest, Page

QUICK = 2.0
"""Seconds: who takes longer to fail has waited or repeated."""


class ConductRules(Strikes):
    """What a provider does not do."""

    @rule(
        "a source neither waits nor repeats: it raises and is called again",
        remedy="take out the loop and the sleep: the kernel does both, with a fresh token of the limiter for each attempt",
        needs="http",
    )
    def test_it_neither_waits_nor_repeats(self) -> None:
        passing = [fault for fault in FAULTS if fault.status not in (401, 403)]
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(*passing), lambda strike: self._gives_up(stage, strike), most=self.examples)

    def _gives_up(self, stage: Stage, strike: Strike) -> object:
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

        return self.struck(stage, strike, ask=ask)

    @rule(
        "no secret is in an error, a log line, or what a source shows of itself",
        remedy="build messages from method, path and status; never from a URL with its query, from headers, or from a body "
        "that was not cleaned of the secret; raise `from None`, since the causes of an error are printed too",
        needs="secrets",
    )
    def test_no_secret_is_told(self) -> None:
        with self.broken_stage() as stage:
            self.proof.holds(self.strikes(), lambda strike: self._keeps_secrets(stage, strike), most=self.examples)

    def _keeps_secrets(self, stage: Stage, strike: Strike) -> object:
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

        if any(secret in repr(stage.open()) for secret in secrets):
            broken(example="repr(source)", seen="it holds the secret")
        return self.struck(stage, strike, ask=ask)

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
