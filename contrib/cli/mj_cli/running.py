"""One run of one connection, printed as `mj sync` prints it."""

from typing import TYPE_CHECKING

from mj_cli.failing import exit_code_of, explained
from mj_cli.output import err, out, print_json
from mj_cli.results import as_json as shape
from mj_cli.results import summary
from mj_cli.syncing import run_all
from mjcore.models import RunRequest
from mjcore.results import SyncResult

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


def run_one(kernel: "Kernel", request: RunRequest, *, wait: bool) -> SyncResult:
    """Run with progress and Ctrl-C. `UnknownName` for a connection that is none; any other failure is in the result."""
    with explained(kernel):
        kernel.connections(request.connection)
    (result,) = run_all(kernel, [request], err(), wait=wait)
    return result


def print_run(result: SyncResult, *, as_json: bool) -> int:
    """Print what a run did; return its exit code."""
    if as_json:
        print_json(shape(result))
    else:
        out().print(*summary(result), sep="\n")
    return exit_code_of([result])
