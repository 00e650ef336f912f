"""Runs requests, shows their progress, hears Ctrl-C, and waits for connections that are held."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console

from mj_cli.interrupt import cancel_on_interrupt
from mj_cli.output import plain
from mj_cli.watching import watching
from mjcore.errors import ConfigError, Problem
from mjcore.models import RunRequest
from mjcore.results import SyncResult

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

PAUSE = 2.0
"""Seconds between two attempts at a connection that is held."""


def run_all(kernel: "Kernel", requests: Sequence[RunRequest], console: Console, *, wait: bool = False) -> list[SyncResult]:
    """Return results as runs end; with `wait`, a connection that is held is asked for until it is free, or Ctrl-C."""
    ended: list[SyncResult] = []
    with cancel_on_interrupt(console) as cancelled, watching(console, several=len(requests) > 1) as listener:
        pending = {request.connection: request for request in requests}
        while pending:
            results = list(kernel.sync_many(list(pending.values()), listener, cancelled))
            held = [result for result in results if result.refusal == "held" and wait and not cancelled()]
            ended += [result for result in results if result not in held]
            pending = {result.connection: pending[result.connection] for result in held}
            for result in held:
                console.print(plain(f"waiting {PAUSE:.0f} s: {result.error}"), soft_wrap=True)
            if held:
                time.sleep(PAUSE)
    return ended


def instant(option: str, text: str | None) -> str | None:
    """Return an ISO 8601 time with a zone; without one, UTC is meant. `ConfigError` names the option."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(Problem(option, f"{text!r} is no ISO 8601 time, such as 2026-01-31T08:00:00Z")) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
