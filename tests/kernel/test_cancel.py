"""A run is stopped from elsewhere: at a batch border, and the next one goes on from there."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from mjcore.capabilities import ProviderType
from mjcore.errors import ConfigError, Unavailable, UnknownName
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.models import IntegrationRun
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.results import SyncResult
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject

PAGES = 400


@frozen
class NoSettings:
    pass


@define
class Slow:
    """Pages of one record, each after a pause."""

    pause: float = 0.02
    began: threading.Event = field(factory=threading.Event)

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject("things", "Things")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return [ExternalField("name", "Name")]

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Timestamp", "2026-01-02T00:00:00+00:00")

    def fetch(self, request: FetchRequest) -> Page:
        time.sleep(self.pause)
        at = int(str((request.checkpoint or {}).get("at", 0)))
        if at == 3:
            self.began.set()
        record = ExternalRecord(str(at), {"name": f"Thing {at}"}, datetime(2026, 1, 1, tzinfo=UTC))
        return Page([record], {"at": at + 1} if at + 1 < PAGES else None, PAGES)

    def close(self) -> None:
        pass


@frozen
class Plugin:
    source: Slow

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Slow", NoSettings, NoSettings, lambda _: self.source)]


DOCUMENT = {
    "Companies": [{"Name": "Acme"}],
    "Entities": [{"Name": "Things", "Table": "things", "Fields": [{"Name": "Name"}]}],
    "Connections": [
        {
            "Name": "Acme",
            "Company": "Acme",
            "Provider": "Slow",
            "EntityMaps": [
                {
                    "ExternalObjectName": "things",
                    "Entity": "Things",
                    "FieldMaps": [{"SourceFieldName": "name", "DestinationFieldName": "Name"}],
                }
            ],
        }
    ],
}


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def kernel(slow: Slow, tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"slow": Plugin(slow)}) as kernel:
        kernel.apply(DOCUMENT)
        yield kernel


@define
class BusyOnce(Slow):
    """One page; its fields can be read at the second attempt, and only after that page."""

    attempts: int = 0

    def fetch(self, request: FetchRequest) -> Page:
        return evolve(Slow.fetch(self, request), next=None)

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        until = time.monotonic() + 5
        while any(thread.name == "mj-prefetch" for thread in threading.enumerate()):
            assert time.monotonic() < until
            time.sleep(0.005)
        time.sleep(0.1)  # until whoever took its pages has seen that, too
        self.attempts += 1
        if self.attempts == 1:
            raise Unavailable("busy")
        return Slow.fields(self, object_name)


def test_the_end_of_reading_cancels_nothing_else(tmp_path: Path) -> None:
    source = BusyOnce()
    patience = Patience(first=0.01)
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"slow": Plugin(source)}, patience=patience) as kernel:
        kernel.apply(DOCUMENT)
        result = kernel.sync("Acme")
    assert (result.status, result.error, result.counts.created) == ("Completed", None, 1)


def test_another_process_stops_a_run_and_the_next_goes_on(kernel: Kernel, slow: Slow, tmp_path: Path) -> None:
    ended: list[SyncResult] = []
    worker = threading.Thread(target=lambda: ended.append(kernel.sync("Acme")))
    worker.start()
    assert slow.began.wait(20)
    with Kernel(f"sqlite:///{tmp_path}/t.db") as other:
        (run,) = other.store.load(IntegrationRun, status="Running")
        assert other.cancel(run.id) == "Cancelling"
    worker.join(30)
    (result,) = ended
    assert result.status == "Cancelled"
    assert 0 < result.counts.created < PAGES
    with pytest.raises(ConfigError, match="Cancelled already"):
        kernel.cancel(run.id)
    slow.pause = 0
    assert kernel.sync("Acme").counts.created == PAGES - result.counts.created


def test_a_run_whose_process_is_gone_is_closed_at_once(kernel: Kernel, tmp_path: Path) -> None:
    code = f"""
        import sys, threading, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_cancel import Kernel, Plugin, Slow
        slow = Slow()
        threading.Thread(target=lambda: (slow.began.wait(), print("began", flush=True)), daemon=True).start()
        with Kernel("sqlite:///{tmp_path}/t.db", plugins={{"slow": Plugin(slow)}}) as kernel:
            kernel.sync("Acme")
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "began\n"
        os.kill(child.pid, signal.SIGKILL)
    (run,) = kernel.store.load(IntegrationRun)
    assert run.status == "Running"
    assert kernel.cancel(run.id) == "Cancelled"
    assert [r.status for r in kernel.runs()] == ["Cancelled"]


def test_a_run_that_was_killed_while_it_stopped_is_continued(kernel: Kernel, slow: Slow, tmp_path: Path) -> None:
    """Its map was closed as Cancelled already, the run was not."""
    stopped = kernel.sync("Acme", cancel=slow.began.is_set)
    assert stopped.status == "Cancelled"
    (run,) = kernel.store.load(IntegrationRun)
    kernel.store.save([evolve(run, status="Running", completed_at=None)])
    slow.pause = 0
    result = kernel.sync("Acme")
    assert (result.run_id, result.status, result.counts.created) == (run.id, "Completed", PAGES)
    assert result.maps[0].status == "Completed"


def test_a_window_that_was_asked_for_counts_once_however_often_it_was_broken_off(kernel: Kernel, slow: Slow) -> None:
    """It leaves no place to go on from, so all of it is read again."""
    slow.pause = 0
    kernel.sync("Acme")
    slow.pause, slow.began = 0.02, threading.Event()
    stopped = kernel.sync("Acme", since=datetime(2025, 1, 1, tzinfo=UTC), cancel=slow.began.is_set)
    assert stopped.status == "Cancelled"
    run = kernel.store.load(IntegrationRun, id=stopped.run_id)[0]
    assert run.total_records_processed > 0
    kernel.store.save([evolve(run, status="Running", completed_at=None)])
    slow.pause = 0
    result = kernel.sync("Acme", since=datetime(2025, 1, 1, tzinfo=UTC))
    assert (result.run_id, result.counts.unchanged, result.counts.processed) == (run.id, PAGES, PAGES)


def test_a_run_that_is_none_cannot_be_stopped(kernel: Kernel) -> None:
    with pytest.raises(UnknownName, match="no run named 'x'"):
        kernel.cancel("x")
