import os
import subprocess
import sys
from collections.abc import Callable
from threading import Barrier, Event, Lock, get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_execution_local import Local, mj_executor_types

from mjcore.capabilities import Executor
from mjcore.models import RunRequest
from mjcore.records import Counts
from mjcore.results import SyncResult

LOCAL = next(iter(mj_executor_types()))


def executor(workers: int) -> Executor:
    return LOCAL.open(Local(workers))


def requests(count: int) -> list[RunRequest]:
    return [RunRequest(f"connection {i}") for i in range(count)]


def result(request: RunRequest) -> SyncResult:
    return SyncResult("run", request.connection, "Completed", Counts())


def test_runs_are_side_by_side() -> None:
    together = Barrier(3, timeout=10)

    def runner(request: RunRequest) -> SyncResult:
        together.wait()
        return result(request)

    assert {r.connection for r in executor(3).run(requests(3), runner)} == {r.connection for r in requests(3)}


def test_results_come_as_runs_end() -> None:
    first_was_seen = Event()

    def runner(request: RunRequest) -> SyncResult:
        if request.connection == "connection 0":
            assert first_was_seen.wait(10)
        return result(request)

    seen = []
    for r in executor(2).run(requests(2), runner):
        seen.append(r.connection)
        first_was_seen.set()
    assert seen == ["connection 1", "connection 0"]


def test_no_more_than_workers_at_a_time() -> None:
    lock, running, most = Lock(), 0, 0

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        Event().wait(0.01)
        with lock:
            running -= 1

    executor(2).gather([task] * 8)
    assert most == 2


@given(st.lists(st.integers()), st.integers(1, 5))
def test_gathered_results_are_in_order(values: list[int], workers: int) -> None:
    def task(value: int) -> Callable[[], int]:
        return lambda: value

    assert list(executor(workers).gather([task(v) for v in values])) == values


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_that_gather_cannot_wait_for_themselves(workers: int) -> None:
    local = executor(workers)

    def runner(request: RunRequest) -> SyncResult:
        parts = local.gather([lambda: local.gather([lambda: 1, lambda: 2]), lambda: [3]])
        assert [list(p) for p in parts] == [[1, 2], [3]]
        return result(request)

    assert len(list(local.run(requests(5), runner))) == 5


def test_an_error_of_a_part_is_raised_when_the_others_have_ended() -> None:
    ended = []

    def slow() -> None:
        Event().wait(0.05)
        ended.append(True)

    def fail(text: str) -> None:
        raise LookupError(text)

    with pytest.raises(LookupError, match="first"):
        executor(2).gather([slow, lambda: fail("first"), lambda: fail("second"), slow])
    assert len(ended) == 2


def test_an_error_of_a_run_does_not_stop_the_others() -> None:
    def runner(request: RunRequest) -> SyncResult:
        if request.connection == "connection 1":
            raise LookupError("broken")
        return result(request)

    seen: list[str] = []
    with pytest.raises(LookupError, match="broken"):
        seen.extend(r.connection for r in executor(2).run(requests(4), runner))
    assert sorted(seen) == ["connection 0", "connection 2", "connection 3"]


def test_a_single_one_works_in_the_calling_thread() -> None:
    local, threads = executor(4), []

    def runner(request: RunRequest) -> SyncResult:
        threads.append(get_ident())
        return result(request)

    list(local.run(requests(1), runner))
    assert [*threads, *local.gather([get_ident])] == [get_ident()] * 2


def test_nothing_to_do_is_done() -> None:
    assert list(executor(4).run([], result)) == []
    assert list(executor(4).gather([])) == []


def test_runs_that_are_no_longer_wanted_do_not_begin() -> None:
    begun = []

    def runner(request: RunRequest) -> SyncResult:
        begun.append(request)
        Event().wait(0.02)
        return result(request)

    results = executor(1).run(requests(50), runner)
    next(results)
    del results
    assert len(begun) < 50


INTERRUPTED = """
import os, signal, sys, threading, time
from mj_execution_local import Local, open_local

def part():
    time.sleep(0.3)
    os.write(1, b"ended ")  # whole, where two threads write at once

signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background do not hear it otherwise
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    open_local(Local(workers=2)).gather([part] * 100)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interrupt_drops_what_has_not_begun_and_waits_for_the_rest() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=20)
    assert (done.stdout.split(), done.stderr) == (["ended", "ended", "interrupted"], "")


def test_fewer_than_one_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="workers"):
        Local(workers=0)
