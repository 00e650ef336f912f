"""`mj purge`: retention ends."""

from typing import TYPE_CHECKING, Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store

if TYPE_CHECKING:
    from datetime import datetime

    from mjcore.kernel import Kernel


def purge(
    connection: ConnectionName,
    before: Annotated[str, typer.Option(metavar="TIME", help="What is older than this goes.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Remove what the audit trail, the failed records and the conflicts (answered or not) hold from before a time."""
    from datetime import datetime

    from mj_cli.failing import FAILED, FINE, explained
    from mj_cli.interrupt import cancel_on_interrupt
    from mj_cli.output import err, out, print_json
    from mj_cli.purging import removing, report
    from mj_cli.syncing import instant
    from mjcore.kernel import Kernel
    from mjcore.wire import unstructure

    time = datetime.fromisoformat(instant("--before", before) or "")
    with Kernel(store) as kernel, explained(kernel):
        if not (yes or dry_run or _confirmed(kernel, connection, time)):
            raise typer.Exit(FAILED)
        with cancel_on_interrupt(err()) as cancelled, removing(err(), connection) as listener:
            result = kernel.purge(connection, time, dry_run=dry_run, progress=listener, cancel=cancelled)
    if as_json:
        print_json(unstructure(result))
    else:
        out().print(*report(result), sep="\n", soft_wrap=True)
    raise typer.Exit(FINE if result.status == "Completed" else FAILED)


def _confirmed(kernel: "Kernel", connection: str, before: "datetime") -> bool:
    """Ask on a terminal, where there is something to remove; where nobody can answer, what was typed is meant."""
    from mj_cli.moments import local
    from mj_cli.purging import told
    from mj_cli.terminal import is_attended

    if not is_attended():
        return True
    would = kernel.purge(connection, before, dry_run=True).purged
    loss = f"remove {told(would)}? Runs that began before {local(before)} can no longer be undone"
    return not would.total or typer.confirm(loss, err=True)
