"""`mj plan`: what a sync would do."""

from pathlib import Path
from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store


def plan(
    connection: ConnectionName,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="MAP", help="Only this external object; repeatable.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew and find what is gone.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Keep the plan for `mj sync --plan FILE`.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many changes to list.")] = 100,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Tell what a sync would do, field by field; writes nothing."""
    from mj_cli.failing import exit_code_of, explained
    from mj_cli.interrupt import cancel_on_interrupt
    from mj_cli.output import err, out, plain
    from mj_cli.planning import ChangesJSON, First, as_run, report
    from mj_cli.watching import watching
    from mjcore.kernel import Kernel

    first, printed = First(limit), ChangesJSON(connection)
    with Kernel(store) as kernel, explained(kernel):
        told = printed if as_json else first
        with cancel_on_interrupt(err()) as cancelled, watching(err(), several=False) as listener:
            result = kernel.plan(
                connection, maps=maps or (), full=full, path=output, listener=told, progress=listener, cancel=cancelled
            )
    if as_json:
        printed.end(result)
    else:
        out().print(*report(result, first), sep="\n")
    if output and result.status == "Completed":
        err().print(plain(f"`mj sync {connection!r} --plan {output}` does exactly this"), soft_wrap=True)
    raise typer.Exit(exit_code_of([as_run(result)]))
