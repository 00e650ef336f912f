"""`mj plan`: what a sync would do."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store


def plan(  # noqa: PLR0913, PLR0917 - the options of one command
    connection: ConnectionName,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="MAP", help="Only this external object; repeatable.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew and find what is gone.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Re-read from here; the watermark stays.")] = None,
    remap: Annotated[bool, typer.Option("--remap", help="Map what is linked anew; the source is not asked.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Keep the plan for `mj sync --plan FILE`.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many changes to list.")] = 100,
    file: Annotated[
        list[Path] | None, typer.Option("--file", metavar="FILE", help="As if this metadata file were applied; nothing need be.")
    ] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Tell what a sync would do, field by field; writes nothing."""
    from datetime import datetime

    from mj_cli.documents import read_all
    from mj_cli.failing import exit_code_of, explained, located
    from mj_cli.finding import for_a_look
    from mj_cli.interrupt import cancel_on_interrupt
    from mj_cli.output import err, out, plain
    from mj_cli.planning import ChangesJSON, First, as_run, report
    from mj_cli.syncing import instant
    from mj_cli.watching import watching
    from mjcore.kernel import Kernel

    if full and since:
        raise typer.BadParameter("--full reads everything: leave out --since")
    if remap and (full or since):
        raise typer.BadParameter("--remap does not ask the source: leave out --full and --since")
    begin, documents = instant("--since", since), read_all(file or ())
    moment = datetime.fromisoformat(begin) if begin else None
    options: dict[str, Any] = {"maps": maps or (), "full": full, "since": moment, "remap": remap}
    first, printed = First(limit), ChangesJSON(connection)
    with Kernel(for_a_look(store) if documents else store) as kernel, explained(kernel), located(documents):
        told = printed if as_json else first
        with cancel_on_interrupt(err()) as cancelled, watching(err(), several=False) as listener:
            options |= {"path": output, "listener": told, "progress": listener, "cancel": cancelled}
            result = kernel.plan(connection, *(document.data for document in documents), **options)
    if as_json:
        printed.end(result)
    else:
        out().print(*report(result, first), sep="\n")
    if output and result.status == "Completed":
        first_of_all = f"`mj apply {' '.join(map(str, file))}` first, then " if file else ""
        err().print(plain(f"{first_of_all}`mj sync {connection!r} --plan {output}` does exactly this"), soft_wrap=True)
    raise typer.Exit(exit_code_of([as_run(result)]))
