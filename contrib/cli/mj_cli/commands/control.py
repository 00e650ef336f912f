"""`mj cancel` and `mj undo`: runs that are to end, or that should not have been."""

from typing import TYPE_CHECKING, Annotated

import typer

from mj_cli.options import STORE, AsJSON, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mjcore.kernel import Kernel
    from mjcore.undo import UndoResult

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its end as `mj runs` shows it.")]


def cancel(run: RunName, store: Store = STORE, as_json: AsJSON = False) -> None:
    """Stop a run after its batch, wherever it runs."""
    from mj_cli.history import SHORT, find_run
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        found = find_run(kernel, run)
        status = kernel.cancel(found.id)
    if as_json:
        print_json({"RunID": found.id, "Status": status})
        return
    said = {
        "Cancelling": "was asked to stop: it ends after its batch, and the next one goes on from there",
        "Cancelled": "is closed: nobody was running it any more",
    }
    out().print(f"run {found.id[-SHORT:]} {said[status]}", soft_wrap=True)


def undo(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id, or its end as `mj runs` shows it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be reversed; write nothing.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="All runs since then, of one map.")] = None,
    connection: Annotated[str | None, typer.Option(metavar="NAME", help="With --since: of this connection.")] = None,
    entity_map: Annotated[str | None, typer.Option("--map", metavar="MAP", help="With --since: this external object.")] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Reverse a run; what was changed since stays and is listed."""
    from mj_cli.output import out, print_json
    from mj_cli.undoing import exit_code, paused, report
    from mjcore.kernel import Kernel
    from mjcore.wire import unstructure

    narrowed = [option is not None for option in (since, connection, entity_map)]
    if any(narrowed) if run else not all(narrowed):
        raise typer.BadParameter("name a run, or use --since with --connection and --map")
    with Kernel(store) as kernel:
        if run:
            results, name = _undo_run(kernel, run, dry_run=dry_run)
        else:
            results, name = _undo_since(kernel, connection or "", entity_map or "", since, dry_run=dry_run), connection or ""
    if as_json:
        print_json(unstructure(results[0] if run else results))
    else:
        for number, result in enumerate(results):
            out().print(*([""] if number else []), *report(result), sep="\n")
        last = "nothing to undo: no run since then" if not results else paused(name) if not dry_run else ""
        out().print(*([last] if last else ()), soft_wrap=True, end="\n" if last else "")
    raise typer.Exit(exit_code(results))


def _undo_run(kernel: "Kernel", run: str, *, dry_run: bool) -> "tuple[Sequence[UndoResult], str]":
    from mj_cli.history import find_run
    from mj_cli.output import err
    from mj_cli.watching import watching

    found = find_run(kernel, run)
    names = {c.connection.id: c.name for c in kernel.connections()}
    with watching(err(), several=False) as listener:
        return [kernel.undo(found.id, dry_run=dry_run, progress=listener)], names.get(found.company_integration_id, "?")


def _undo_since(
    kernel: "Kernel", connection: str, entity_map: str, since: str | None, *, dry_run: bool
) -> "Sequence[UndoResult]":
    from datetime import datetime

    from mj_cli.failing import explained
    from mj_cli.output import err
    from mj_cli.syncing import instant
    from mj_cli.watching import watching

    begin = datetime.fromisoformat(instant("--since", since) or "")
    with explained(kernel), watching(err(), several=False) as listener:
        return kernel.undo.since(connection, entity_map, begin, dry_run=dry_run, progress=listener)
