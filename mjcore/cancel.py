"""Stops a run from elsewhere: it ends after its batch; one whose process is gone is closed at once."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from attrs import define, evolve, field

from mjcore.errors import ConfigError, LeaseHeld, UnknownName
from mjcore.holder import is_gone, this_process
from mjcore.models import CompanyIntegration, IntegrationRun, IntegrationRunDetail
from mjcore.records import Lease
from mjcore.store import Store

EVERY = 1.0
"""Seconds between two looks into the store."""


def never() -> bool:
    """Go on: nobody asks to stop."""
    return False


@define
class Stop:
    """Tells a run whether it was asked to stop, by its caller or through the store."""

    store: Store
    lease: Lease
    asked: Callable[[], bool]
    _next: float = field(factory=time.monotonic)
    _is_asked: bool = False

    def __call__(self) -> bool:
        if not self._is_asked and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self._is_asked = self.store.is_cancelled(self.lease)
        return self._is_asked or self.asked()


def cancel(store: Store, run_id: str, now: Callable[[], datetime]) -> Literal["Cancelling", "Cancelled"]:
    """Ask a run to stop. `UnknownName`: no such run; `ConfigError`: it has ended."""
    found = store.load(IntegrationRun, id=run_id)
    if not found:
        raise UnknownName("run", run_id, [run.id for run in store.load(IntegrationRun, newest=5)])
    run = found[0]
    if run.status != "Running":
        raise ConfigError(f"run {run.id} is {run.status} already: there is nothing to stop")
    (connection,) = store.load(CompanyIntegration, id=run.company_integration_id)
    with suppress(LeaseHeld):
        lease = store.acquire(connection, this_process(), timedelta(seconds=30), is_gone)
        _close(store, run, lease, now())
        return "Cancelled"
    store.cancel(connection, run)
    return "Cancelling"


def _close(store: Store, run: IntegrationRun, lease: Lease, now: datetime) -> None:
    """Nobody holds the connection: the process ended without a word."""
    try:
        details = store.load(IntegrationRunDetail, integration_run_id=run.id, status="Running")
        ended = [evolve(detail, status="Cancelled", completed_at=now) for detail in details]
        store.save([*ended, evolve(run, status="Cancelled", completed_at=now)], lease=lease)
    finally:
        store.release(lease)
