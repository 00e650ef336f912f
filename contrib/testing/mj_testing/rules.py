"""Standard tests: what each one demands, what to change when it is broken, and who may replace it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from attrs import frozen

Test = TypeVar("Test", bound=Callable[..., None])


@frozen
class Rule:
    """What one standard test demands."""

    text: str
    """The rule, as a sentence about the plugin."""
    remedy: str
    """What an author changes to keep it."""
    needs: str | None = None
    """The capability without which the rule says nothing."""


def rule(text: str, *, remedy: str, needs: str | None = None) -> Callable[[Test], Test]:
    """Mark a method of a suite as a standard test."""

    def mark(test: Test) -> Test:
        vars(test)["mj_rule"] = Rule(text, remedy, needs)
        return test

    return mark


def overridden(reason: str) -> Callable[[Test], Test]:
    """Mark a test that takes the place of a standard one; the report shows why."""
    if not reason.strip():
        raise ValueError("say why the standard test is replaced")

    def mark(test: Test) -> Test:
        vars(test)["mj_reason"] = reason
        return test

    return mark


def standard_tests(suite: type) -> dict[str, Rule]:
    """Return the rule of every standard test that a suite has by its bases, overridden or not."""
    found: dict[str, Rule] = {}
    for base in reversed(suite.__mro__):
        for name, member in vars(base).items():
            if isinstance(mark := getattr(member, "mj_rule", None), Rule):
                found[name] = mark
    return found


def replaced(suite: type) -> Iterator[tuple[str, str | None]]:
    """Yield the standard tests that a suite replaces, each with its reason: None where none is given."""
    for name in standard_tests(suite):
        test = getattr(suite, name, None)
        if not hasattr(test, "mj_rule"):
            yield name, reason_of(test)


def reason_of(test: Any) -> str | None:
    """Return why a test replaces a standard one: by `overridden`, or the reason of a mark such as xfail."""
    marks = getattr(test, "pytestmark", [])
    reasons = [getattr(test, "mj_reason", None), *(mark.kwargs.get("reason") for mark in marks)]
    return next((reason for reason in reasons if reason and reason.strip()), None)
