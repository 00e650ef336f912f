"""Runs and their parts in threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from typing import TypeVar

from attrs import frozen

from mjcore.models import RunRequest
from mjcore.results import SyncResult

T = TypeVar("T")


@frozen
class ThreadExecutor:
    """Every call has threads of its own, so that a run may gather its parts without waiting for its own thread."""

    workers: int

    def run(self, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]) -> Iterator[SyncResult]:
        """Yield results as runs end; what a runner raises follows when all have ended."""
        if len(requests) == 1:
            yield runner(requests[0])
            return
        failed: BaseException | None = None
        with self._threads("mj-run", len(requests)) as pool:
            for future in as_completed([pool.submit(runner, request) for request in requests]):
                if error := future.exception():
                    failed = failed or error
                else:
                    yield future.result()
        if failed:
            raise failed

    def gather(self, tasks: Sequence[Callable[[], T]]) -> Sequence[T]:
        """Return the results in order; when all have ended, raise the error of the first task that failed."""
        if len(tasks) == 1:
            return [tasks[0]()]
        with self._threads("mj-part", len(tasks)) as pool:
            futures: list[Future[T]] = [pool.submit(task) for task in tasks]
            wait(futures)
        return [future.result() for future in futures]

    @contextmanager
    def _threads(self, name: str, tasks: int) -> Iterator[ThreadPoolExecutor]:
        """Give threads for this many tasks; leaving early (Ctrl-C) drops those that have not begun and waits for the rest."""
        pool = ThreadPoolExecutor(max(1, min(self.workers, tasks)), thread_name_prefix=name)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
