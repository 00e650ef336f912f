"""Runs a check on drawn examples, counts them, and says in plain words what broke: rule, smallest example, remedy."""

import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import pytest
from attrs import define, field
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from mj_testing.rules import Rule

Example = TypeVar("Example")
VOID = object()
"""What a check returns when its example did not put the rule to the test: it does not count."""
SHOWN = 600
"""Characters of a value that a message shows."""


class Broken(AssertionError):
    """A rule is broken; `facts` is what a message shows beside the rule."""

    def __init__(self, **facts: object) -> None:
        super().__init__("; ".join(f"{name}: {shown(value)}" for name, value in facts.items()))
        self.facts = facts


@define
class Proof:
    """The proof of one standard test, for one plugin."""

    suite: str
    plugin: str
    rule: Rule
    key: str
    """Of the examples that hypothesis remembers."""
    examples: int = 0
    facts: dict[str, object] = field(factory=dict)
    """What every message of this proof shows, such as the config in use."""

    def holds(self, strategy: st.SearchStrategy[Example], check: Callable[[Example], object], *, most: int) -> None:
        """Check up to `most` examples. Fails with the smallest one that breaks the rule; skips when none puts it to the test."""
        __tracebackhide__ = True

        def example_holds(example: Example) -> None:
            self.examples += check(example) is not VOID

        example_holds.__qualname__ = example_holds.__name__ = re.sub(r"\W", "_", self.key)
        prepared = settings(
            max_examples=most,
            deadline=None,
            report_multiple_bugs=False,
            print_blob=False,
            phases=[phase for phase in Phase if phase is not Phase.explain],
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(example_holds))
        self._run(prepared)
        if not self.examples:
            pytest.skip(f"none of {most} examples put this rule to the test")

    def once(self, check: Callable[[], object]) -> None:
        """Run one check; what is broken fails the test in the words of the rule."""
        __tracebackhide__ = True
        self._run(check)
        self.examples += 1

    def _run(self, check: Callable[[], object]) -> None:
        __tracebackhide__ = True
        try:
            check()
        except Broken as broken:
            text = self.message(broken.facts, broken.__cause__)
        except Flaky as flaky:
            text = self.message(self._first(flaky).facts | {"and": "not every time: it depends on what ran before, or on chance"})
        else:
            return
        pytest.fail(text, pytrace=False)

    @staticmethod
    def _first(flaky: BaseException) -> Broken:
        for error in getattr(flaky, "exceptions", ()):
            if isinstance(error, Broken):
                return error
        raise flaky

    def message(self, facts: Mapping[str, object], cause: BaseException | None = None) -> str:
        """Return the rule, what was seen, and what to change."""
        told = {"plugin": self.plugin, **self.facts, **facts}
        lines = [f"{self.suite}: {self.rule.text}", *(f"  {name + ':':9} {shown(value)}" for name, value in told.items())]
        if cause is not None:
            last = traceback.extract_tb(cause.__traceback__)[-1:]
            lines += [f"  {'where:':9} {frame.filename}:{frame.lineno} in {frame.name}" for frame in last]
        return "\n".join([*lines, f"  {'change:':9} {self.rule.remedy}"])


def broken(*, cause: BaseException | None = None, **facts: object) -> NoReturn:
    """Say that the rule is broken: facts such as `example=` and `seen=` are shown."""
    raise Broken(**facts) from cause


def raised(error: BaseException) -> str:
    """Return an exception in words."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def shown(value: Any) -> str:
    """Return a text or an error as it is and everything else as Python writes it, cut where it is long."""
    text = str(value) if isinstance(value, str | BaseException) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
