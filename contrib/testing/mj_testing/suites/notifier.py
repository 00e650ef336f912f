"""What a notifier has to keep."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from typing import Any, ClassVar, get_args, get_type_hints

import pytest
from hypothesis import strategies as st

from mj_testing.faults import LONGEST_STALL, Answer, Fault, FaultServer
from mj_testing.leaks import Listener, words_of
from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.suites.configured import ConfiguredSuite
from mjcore.capabilities import Notice, Notifier, NotifierType
from mjcore.wire import structure

FAILURES = (Fault("status", 401), Fault("status", 429), Fault("status", 500), Fault("reset"))
TITLE, TEXT = "The sync of Acme failed", "3 of 40 records failed: transform/does_not_fit"


class NotifierSuite(ConfiguredSuite):
    """Subclass it with the plugin; override `delivered`, so that the suite sees what arrives."""

    notifier: ClassVar[str | None] = None
    """The notifier's name, where the plugin has several."""
    secrets: ClassVar[Mapping[str, str]] = {}
    """What the references of `configs` stand for, such as {"test:url": "{url}/topic"}; `{url}` is the test's server."""
    server: FaultServer

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        """Answer 200 to everything, until a fault is asked for."""
        with FaultServer(lambda _: Answer()) as self.server:
            yield

    def delivered(self) -> str:
        """Return all that has arrived since the test began. By default: the requests that came to the test's server."""
        return "\n".join(f"{request.target} {dict(request.headers)} {request.body.decode()}" for request in self.server.requests)

    @property
    def type(self) -> NotifierType[Any]:
        """The declaration under test."""
        declared = {kind.name: kind for kind in self.plugin.mj_notifier_types()}
        return declared[self.notifier] if self.notifier else next(iter(declared.values()))

    @property
    def config_class(self) -> Any:
        return self.type.config

    def opened(self, config: Mapping[str, Any]) -> Notifier:
        return self.type.open(structure(self.type.config, config, self._secret))

    def _secret(self, reference: str) -> str:
        return self.secrets.get(reference, "http://127.0.0.1:9/nobody").replace("{url}", self.server.url)

    def built(self, config: Mapping[str, Any]) -> AbstractContextManager[Notifier]:
        return self._built(config)

    @contextmanager
    def _built(self, config: Mapping[str, Any]) -> Iterator[Notifier]:
        yield self.opened(config)

    def notices(self) -> st.SearchStrategy[Notice]:
        """Return notices of every kind, as the kernel makes them: counts and codes, never a value of a record."""
        words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
        facts = st.dictionaries(
            st.sampled_from(["errored", "codes", "until"]), st.integers() | words | st.lists(words, max_size=2)
        )
        kinds = st.sampled_from(get_args(get_type_hints(Notice)["kind"]))
        return st.builds(Notice, kinds, words, words, words, st.none() | words, facts)

    # --- Rules --------------------------------------------------------------------------------------------

    @rule(
        "a notice of every kind arrives, with its title and its text",
        remedy="send title and text as they are (headers and addresses need encoding), whatever the kind",
    )
    def test_every_kind_arrives(self) -> None:
        for config in self.configs:
            for kind in get_args(get_type_hints(Notice)["kind"]):
                self.proof.once(lambda config=config, kind=kind: self._arrives(config, kind))  # type: ignore[misc]

    def _arrives(self, config: Mapping[str, Any], kind: Any) -> None:
        self.server.requests.clear()
        self.opened(config).notify(Notice(kind, f"{TITLE} ({kind})", TEXT, "Acme", "run-1", {"errored": 3}))
        found = self.delivered()
        for part in (f"{TITLE} ({kind})", TEXT):
            if part not in found:
                broken(example=kind, config=config, seen=f"{part!r} is not in what arrived: {found or 'nothing'}")

    @rule(
        "whatever a notice says, it can be sent",
        remedy="encode what the way of sending cannot carry as it is: other alphabets, quotes, line ends",
    )
    def test_any_notice_can_be_sent(self) -> None:
        drawn = st.tuples(st.sampled_from(list(self.configs)), self.notices())
        self.proof.holds(drawn, self._can_be_sent, most=self.examples)

    def _can_be_sent(self, drawn: tuple[Mapping[str, Any], Notice]) -> None:
        config, notice = drawn
        before = deepcopy(notice.facts)
        try:
            self.opened(config).notify(notice)
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=notice, config=config, seen=f"raised {raised(error)}")
        if notice.facts != before:
            broken(example=notice, config=config, seen="the facts were changed: other notifiers get the very same")

    @rule(
        "a notice that does not arrive is an error",
        remedy="raise when the answer is none or a refusal: the run notes which notifier failed, and nobody believes to be told",
        needs="http",
    )
    def test_a_failure_is_raised(self) -> None:
        for failure in FAILURES:
            self.proof.once(lambda failure=failure: self._raises(failure))  # type: ignore[misc]

    def _raises(self, failure: Fault) -> None:
        error = self._failed(failure)
        if error is None:
            broken(example=str(failure), seen="it went on as if the notice had arrived")

    def _failed(self, failure: Fault) -> Exception | None:
        self.server.fail(failure)
        try:
            self.opened(self.configs[0]).notify(Notice("failed", TITLE, TEXT, "Acme", None, {}))
        except Exception as error:  # noqa: BLE001 - how it fails is up to it
            return error
        return None

    @rule(
        "no secret is in an error or a log line",
        remedy="raise an error of your own, `from None`, that names method and status and not the address",
        needs="http",
    )
    def test_no_secret_is_told(self) -> None:
        for failure in FAILURES:
            self.proof.once(lambda failure=failure: self._keeps_secrets(failure))  # type: ignore[misc]

    def _keeps_secrets(self, failure: Fault) -> None:
        with Listener() as listener:
            error = self._failed(failure)
        for where, text in (("the error", words_of(error) if error else ""), ("the log", listener.text)):
            if any(self._secret(reference) in text for reference in self.secrets):
                broken(example=str(failure), seen=f"{where} shows the secret: {type(error).__name__}")

    @rule(
        "a receiver that is silent does not hold a run up for ever",
        remedy="give the request a time limit of some seconds, as a setting",
        needs="http",
    )
    def test_silence_ends(self) -> None:
        self.proof.once(self._ends)

    def _ends(self) -> None:
        began = time.monotonic()
        self._failed(Fault("stall"))
        if (took := time.monotonic() - began) > LONGEST_STALL - 0.5:
            broken(seen=f"it waited for {took:.1f} s; let `configs` ask for about a second")
