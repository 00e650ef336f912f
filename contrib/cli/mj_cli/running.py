"""One run of one connection, printed as `mj sync` prints it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mj_cli.failing import exit_code_of, explained
from mj_cli.interrupt import cancel_on_interrupt
from mj_cli.output import err, out, plain, print_json
from mj_cli.results import as_json as shape
from mj_cli.results import summary
from mj_cli.syncing import PAUSE, run_all
from mj_cli.watching import watching
from mjcore.errors import LeaseHeld
from mjcore.models import RunRequest, Trigger
from mjcore.results import SyncResult, refused

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


def run_one(kernel: "Kernel", request: RunRequest, *, wait: bool) -> SyncResult:
    """Run with progress and Ctrl-C. `UnknownName` for a connection that is none; any other failure is in the result."""
    with explained(kernel):
        kernel.connections(request.connection)
    (result,) = run_all(kernel, [request], err(), wait=wait)
    return result


def run_plan(kernel: "Kernel", connection: str, plan: Path, *, allow_deletes: bool, trigger: Trigger, wait: bool) -> SyncResult:
    """Apply the file of a plan, as `run_one` runs a request."""
    with explained(kernel):
        kernel.connections(connection)
    options: dict[str, Any] = {"plan": plan, "allow_deletes": allow_deletes, "trigger": trigger}
    with cancel_on_interrupt(err()) as cancelled, watching(err(), several=False) as listener:
        while True:
            try:
                return kernel.sync(connection, **options, progress=listener, cancel=cancelled)
            except LeaseHeld as error:
                if not wait or cancelled():
                    return refused(connection, error)
                err().print(plain(f"waiting {PAUSE:.0f} s: {error}"), soft_wrap=True)
                time.sleep(PAUSE)


def print_run(result: SyncResult, *, as_json: bool) -> int:
    """Print what a run did; return its exit code."""
    if as_json:
        print_json(shape(result))
    else:
        out().print(*summary(result), sep="\n")
    return exit_code_of([result])
