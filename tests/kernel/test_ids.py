"""New ids: valid, unique, in order."""

import os
from concurrent.futures import ThreadPoolExecutor
from time import time_ns
from uuid import UUID

import pytest

from mjcore import ids
from mjcore.ids import new_id, new_ids


def test_ids_are_uuids_of_version_7_that_tell_their_time() -> None:
    before = time_ns() // 1_000_000
    made = [UUID(text) for text in new_ids(1000)]
    assert {(i.version, i.variant) for i in made} == {(7, UUID(int=0x8 << 60).variant)}
    assert before <= made[0].int >> 80 <= time_ns() // 1_000_000 + 1


def test_ids_ascend() -> None:
    made = [new_id(), *new_ids(5000), new_id(), *new_ids(3), new_id()]
    assert made == sorted(set(made))


def test_ids_of_several_threads_differ() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [i for several in pool.map(new_ids, [200] * 40) for i in several]
    assert len(set(made)) == 8000


def test_the_clock_may_step_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    monkeypatch.setattr(ids, "time_ns", lambda: 0)
    assert new_id() > before


@pytest.mark.parametrize("left", range(6))
def test_counting_on_carries_from_the_last_group_of_digits(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    monkeypatch.setattr(ids, "time_ns", lambda: 0)
    monkeypatch.setattr(ids, "_last", (UUID(new_id()).time_low << 48 | 0xFFFF_FFFF_FFFF) - left)
    made = new_ids(4)
    numbers = [int(text.replace("-", ""), 16) for text in made]
    assert made == sorted(set(made))
    assert {(UUID(text).version, UUID(text).variant) for text in made} == {(7, UUID(int=0x8 << 60).variant)}
    assert numbers[-1] - numbers[0] == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_makes_ids_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    new_id()
    monkeypatch.setattr(ids, "time_ns", lambda: 0)  # so that both would only count on
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sending, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(receiving, 100).decode() != new_id()
    os.close(receiving)
    os.close(sending)
