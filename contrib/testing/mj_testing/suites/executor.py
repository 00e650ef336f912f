"""What an executor has to keep."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

from hypothesis import strategies as st

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.suites.configured import ConfiguredSuite
from mjcore.capabilities import Executor, ExecutorType
from mjcore.models import RunRequest
from mjcore.records import Counts
from mjcore.results import SyncResult
from mjcore.wire import structure

PATIENCE = 5.0
"""Seconds that two tasks wait for each other."""


class ExecutorSuite(ConfiguredSuite):
    """Subclass it with the plugin and some configurations."""

    executor: ClassVar[str | None] = None
    """The executor's name, where the plugin has several."""

    @property
    def type(self) -> ExecutorType[Any]:
        """The declaration under test."""
        declared = {kind.name: kind for kind in self.plugin.mj_executor_types()}
        return declared[self.executor] if self.executor else next(iter(declared.values()))

    @property
    def config_class(self) -> Any:
        return self.type.config

    def opened(self, config: Mapping[str, Any] | None = None) -> Executor:
        return self.type.open(structure(self.type.config, self.configs[0] if config is None else config))

    def built(self, config: Mapping[str, Any]) -> AbstractContextManager[Executor]:
        return self._built(config)

    @contextmanager
    def _built(self, config: Mapping[str, Any]) -> Iterator[Executor]:
        yield self.opened(config)

    def pauses(self) -> st.SearchStrategy[tuple[Mapping[str, Any], list[int]]]:
        """Return a configuration, and how long each task takes, in milliseconds."""
        return st.tuples(st.sampled_from(list(self.configs)), st.lists(st.sampled_from([0, 0, 3, 8]), max_size=6))

    # --- Runs ---------------------------------------------------------------------------------------------

    @rule(
        "every request is run once, and gives one result: its own",
        remedy="call the runner once per request, with that request, and yield what it returns",
    )
    def test_every_request_gives_its_result(self) -> None:
        self.proof.holds(self.pauses(), self._runs_each, most=max(1, self.examples // 2))

    def _runs_each(self, drawn: tuple[Mapping[str, Any], list[int]]) -> None:
        config, pauses = drawn
        requests = [RunRequest(f"connection {number}") for number in range(len(pauses))]
        asked: list[RunRequest] = []

        def runner(request: RunRequest) -> SyncResult:
            asked.append(request)
            time.sleep(pauses[requests.index(request)] / 1000)
            return _result(request)

        results = sorted(result.connection for result in self.opened(config).run(requests, runner))
        if results != sorted(r.connection for r in requests) or sorted(asked, key=str) != sorted(requests, key=str):
            broken(example=pauses, config=config, seen=f"{len(asked)} runs and the results of {results}")

    @rule(
        "a result is handed over as its run ends: a slow run holds nobody up",
        remedy="yield results in the order in which runs end, not in that of the requests",
        needs="concurrency",
    )
    def test_results_come_as_runs_end(self) -> None:
        self.proof.once(self._yields_early)

    def _yields_early(self) -> None:
        first_seen = threading.Event()

        def runner(request: RunRequest) -> SyncResult:
            if request.connection == "slow":
                first_seen.wait(PATIENCE)
            return _result(request)

        began = time.monotonic()
        for result in self.opened().run([RunRequest("slow"), RunRequest("quick")], runner):
            if result.connection == "quick":
                first_seen.set()
        if time.monotonic() - began > PATIENCE - 1:
            broken(seen="the quick run's result came when the slow one had ended")

    @rule(
        "what a runner raises is raised, when the others have ended",
        remedy="keep the error, yield what the other runs return, and raise it then: nothing may look like success",
    )
    def test_an_error_of_a_runner_is_raised(self) -> None:
        self.proof.holds(self.pauses(), self._raises, most=max(1, self.examples // 4))

    def _raises(self, drawn: tuple[Mapping[str, Any], list[int]]) -> None:
        config, pauses = drawn
        ended: list[str] = []

        def runner(request: RunRequest) -> SyncResult:
            if request.connection == "bad":
                raise LookupError("bad")
            time.sleep(int(request.connection) / 1000)
            ended.append(request.connection)
            return _result(request)

        requests = [RunRequest("bad"), *(RunRequest(str(pause)) for pause in pauses)]
        results: list[SyncResult] = []
        try:
            results.extend(self.opened(config).run(requests, runner))
        except LookupError:
            return
        broken(example=pauses, config=config, seen=f"no error, and {len(results)} results")

    # --- Parts of one run -----------------------------------------------------------------------------------

    @rule(
        "gather returns the results in the order of the tasks",
        remedy="put each result in its task's place, whenever the task ended",
    )
    def test_gather_keeps_the_order(self) -> None:
        self.proof.holds(self.pauses(), self._keeps_order, most=max(1, self.examples // 2))

    def _keeps_order(self, drawn: tuple[Mapping[str, Any], list[int]]) -> None:
        config, pauses = drawn
        found = list(self.opened(config).gather([_task(number, pause) for number, pause in enumerate(pauses)]))
        if found != list(range(len(pauses))):
            broken(example=pauses, config=config, seen=found)

    @rule(
        "gather raises the error of the first task that failed, when all have ended",
        remedy="wait for every task before you raise: a task that goes on would write after its run has ended",
    )
    def test_gather_raises_when_all_have_ended(self) -> None:
        drawn = st.tuples(self.pauses(), st.integers(0, 5), st.integers(0, 5))
        self.proof.holds(drawn, self._waits_for_all, most=max(1, self.examples // 2))

    def _waits_for_all(self, drawn: tuple[tuple[Mapping[str, Any], list[int]], int, int]) -> None:
        (config, pauses), one, other = drawn
        running: set[int] = set()
        bad = sorted({one % (len(pauses) + 1), other % (len(pauses) + 1)})

        def task(number: int, pause: int) -> Callable[[], int]:
            def run() -> int:
                if number in bad:
                    raise LookupError(number)
                running.add(number)
                time.sleep(pause / 1000)
                running.discard(number)
                return number

            return run

        tasks = [task(number, pause) for number, pause in enumerate([*pauses, 0])]
        try:
            self.opened(config).gather(tasks)
        except LookupError as error:
            if error.args != (bad[0],) or running:
                broken(example=pauses, failing=bad, seen=f"task {error.args[0]} was told; still running: {sorted(running)}")
        else:
            broken(example=pauses, failing=bad, seen="no error")

    @rule(
        "tasks run side by side",
        remedy="start as many as the configuration allows, two at least, before you wait for one",
        needs="concurrency",
    )
    def test_tasks_run_side_by_side(self) -> None:
        self.proof.once(self._meets)

    def _meets(self) -> None:
        meeting = threading.Barrier(2)

        def meet() -> bool:
            try:
                meeting.wait(PATIENCE)
            except threading.BrokenBarrierError:
                return False
            return True

        if not all(self.opened().gather([meet, meet])):
            broken(seen=f"of two tasks, one waited {PATIENCE:g} s for the other in vain")

    @rule(
        "a run may gather its parts while other runs do",
        remedy="give `gather` threads of its own: in a pool that it shares with runs, all wait for each other",
    )
    def test_runs_may_gather(self) -> None:
        self.proof.once(self._nests)

    def _nests(self) -> None:
        executor = self.opened()
        done: list[Sequence[SyncResult]] = []

        def runner(request: RunRequest) -> SyncResult:
            parts = executor.gather([_task(number, 5) for number in range(4)])
            return _result(request) if list(parts) == [0, 1, 2, 3] else SyncResult("", "", "Failed", Counts())

        def everything() -> None:
            with suppress(Exception):  # an error shows as results that are missing
                done.append(list(executor.run([RunRequest(str(number)) for number in range(8)], runner)))

        thread = threading.Thread(target=everything, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        if not done or len(done[0]) != 8:
            broken(seen=f"8 runs with 4 parts each had not ended after {PATIENCE:g} s")


def _result(request: RunRequest) -> SyncResult:
    return SyncResult("", request.connection, "Completed", Counts())


def _task(number: int, pause: int) -> Callable[[], int]:
    def run() -> int:
        time.sleep(pause / 1000)
        return number

    return run
