"""Work ahead: every item once and in order, not too far ahead, and an end that reaches everybody."""

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjcore.ahead import Ahead


@given(st.lists(st.integers()), st.integers(1, 5), st.data())
def test_every_item_is_taken_once_and_in_order_whether_it_is_waited_for_or_not(
    items: list[int], size: int, data: st.DataObject
) -> None:
    ahead, taken = Ahead(items, size, "test"), list[int]()
    while len(taken) < len(items):
        item = ahead.arrived() if data.draw(st.booleans()) else next(ahead)
        taken += [] if item is None else [item]
    assert taken == items
    assert ahead.arrived() is None
    assert list(ahead) == []


def test_it_stays_as_many_items_ahead_as_was_asked_for() -> None:
    made: list[int] = []
    waiting = Event()

    def items() -> Iterator[int]:
        for i in range(10):
            made.append(i)
            if i == 3:
                waiting.set()
            yield i

    ahead = Ahead(items(), 2, "test")
    assert next(ahead) == 0
    assert waiting.wait(5)  # one taken, two in the queue, one in hand
    assert made == [0, 1, 2, 3]
    ahead.close()


def test_what_it_raises_comes_after_what_it_made_and_comes_again() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    ahead = Ahead(items(), 3, "test")
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="no more"):
            next(ahead)
    assert ahead.arrived() is None


@pytest.mark.parametrize("taken", [0, 1])
def test_closing_ends_one_that_works_ahead_of_another(taken: int) -> None:
    began, go_on = Event(), Event()

    def slow() -> Iterator[int]:
        yield 1
        began.set()
        go_on.wait(5)
        yield 2

    first = Ahead(slow(), 1, "first")
    second = Ahead((item + 1 for item in first), 1, "second")
    assert [next(second) for _ in range(taken)] == [2][:taken]
    assert began.wait(5)
    closing = Thread(target=lambda: list(map(Ahead.close, (first, second))))
    closing.start()
    go_on.set()
    closing.join(5)
    assert not closing.is_alive()
    left: list[Any] = list(second)
    assert len(left) <= 1
