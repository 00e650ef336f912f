"""`mj verify`: the rows compared with the source, and repaired."""

from typing import TYPE_CHECKING, Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence


def verify(
    connection: ConnectionName,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="MAP", help="Only this external object; repeatable.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Let the source win: a run that reads everything.")] = False,
    allow_deletes: Annotated[bool, typer.Option("--allow-deletes", help="Delete more than the guard lets pass.")] = False,
    wait: Wait = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Compare every record of the source with its row. Exit code 3: differences."""
    from mj_cli.running import print_run, run_one
    from mjcore.kernel import Kernel
    from mjcore.models import RunRequest

    if repair:
        with Kernel(store) as kernel:
            request = RunRequest(connection, tuple(maps or ()), full=True, mode="repair", allow_deletes=allow_deletes)
            result = run_one(kernel, request, wait=wait)
        raise typer.Exit(print_run(result, as_json=as_json))
    if allow_deletes or wait:
        raise typer.BadParameter("--allow-deletes and --wait are for --repair")
    raise typer.Exit(_compare(connection, maps or (), store, as_json=as_json))


def _compare(connection: str, maps: "Sequence[str]", store: str, *, as_json: bool) -> int:
    from datetime import UTC, datetime

    from mj_cli.failing import FAILED, FINE, PARTIAL, explained
    from mj_cli.interrupt import cancel_on_interrupt
    from mj_cli.output import err, out
    from mj_cli.verifying import DifferencesJSON, report
    from mj_cli.watching import watching
    from mjcore.errors import MJError
    from mjcore.kernel import Kernel

    began = datetime.now(UTC)
    printed = DifferencesJSON(connection, began) if as_json else None
    told = printed or (lambda _: None)
    with Kernel(store) as kernel, explained(kernel), watching(err(), several=False) as listener:
        try:
            with cancel_on_interrupt(err()) as cancelled:
                verified = kernel.verify(connection, maps=maps, listener=told, progress=listener, cancel=cancelled)
        except MJError as error:
            if printed:
                printed.broke_off(error)
            raise
    if printed:
        printed.end(verified)
    else:
        out().print(*report(verified, began), sep="\n")
    if not all(found.is_whole for found in verified):
        return FAILED
    return FINE if all(found.is_equal for found in verified) else PARTIAL
