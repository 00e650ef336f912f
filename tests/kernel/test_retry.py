"""The kernel waits and repeats; it does so as it was asked, and not for ever."""

import time
from datetime import timedelta

import pytest

from mjcore.errors import AuthFailed, MJError, RateLimited, Unavailable
from mjcore.retry import Cancelled, Limiter, Patience, Repeater


class Flaky:
    """Raises one error after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def repeater(waits: list[str], patience: Patience = Patience(first=0.01, longest=0.02)) -> Repeater:  # noqa: B008
    return Repeater(patience, lambda: False, waits.append)


def test_what_may_pass_is_repeated_and_said() -> None:
    waits: list[str] = []
    call = Flaky(Unavailable("503"), RateLimited("429"), Unavailable("cut"))
    assert repeater(waits)(call) == "answer"
    assert call.calls == 4
    assert [text.rpartition(": ")[2] for text in waits] == ["503", "429", "cut"]


def test_retry_after_is_honoured() -> None:
    began = time.monotonic()
    repeater([])(Flaky(RateLimited("slow down", timedelta(seconds=0.3))))
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("error", [AuthFailed("401"), ValueError("bug"), MJError("other")])
def test_other_errors_are_not_repeated(error: Exception) -> None:
    call = Flaky(error)
    with pytest.raises(type(error)):
        repeater([])(call)
    assert call.calls == 1


def test_patience_ends() -> None:
    call = Flaky(*[Unavailable("down")] * 1000)
    with pytest.raises(Unavailable) as error:
        repeater([], Patience(first=0.01, longest=0.01, total=0.1))(call)
    assert call.calls < 100
    assert "gave up after" in error.value.__notes__[0]


def test_a_wait_longer_than_patience_is_not_begun() -> None:
    began = time.monotonic()
    with pytest.raises(RateLimited):
        repeater([], Patience(total=5))(Flaky(RateLimited("daily limit", timedelta(hours=8))))
    assert time.monotonic() - began < 1


def test_a_cancel_is_heard_while_waiting() -> None:
    with pytest.raises(Cancelled):
        Repeater(Patience(), lambda: True, lambda _: None)(Flaky(RateLimited("wait", timedelta(seconds=60))))


def test_the_limiter_lets_a_period_through_at_once_and_then_no_faster_than_its_rate() -> None:
    limiter = Limiter(10, timedelta(seconds=0.2))
    began = time.monotonic()
    for _ in range(25):
        limiter.take()
    assert 0.25 <= time.monotonic() - began < 2
