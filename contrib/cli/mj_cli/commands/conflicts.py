"""`mj conflicts`: records that changed on both sides, where a person is to decide."""

from enum import StrEnum
from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store, Wait

Map = Annotated[str | None, typer.Option("--map", metavar="MAP", help="Only of this external object, or entity.")]


class Side(StrEnum):
    """Whose values count."""

    SOURCE = "source"
    CURRENT = "current"


conflicts = typer.Typer(
    help="Decide where both sides changed.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@conflicts.command("list")
def list_(
    connection: ConnectionName,
    entity_map: Map = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many to list; all with --json, else 100.")] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """List conflicts, and which fields they are about."""
    from mj_cli.failing import explained
    from mj_cli.listing import first, print_json_list, print_rows
    from mj_cli.output import err, out, plain
    from mj_cli.queued import conflict_columns, conflict_json, conflict_rows, map_names
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel, explained(kernel):
        several = len(map_names(kernel, connection)) > 1 and entity_map is None
        found, rest = first(kernel.queues.conflicts(connection, entity_map), limit or (None if as_json else 100))
        if as_json:
            print_json_list(map(conflict_json, found))
            return
        listed = print_rows(out(), conflict_columns(several=several), conflict_rows(found, several=several), room=20)
        if not listed:
            out().print("no conflicts")
            return
        if more := sum(1 for _ in rest):
            out().print(f"{more:,} more; --limit {listed + more} lists all", style="bold")
    err().print(plain(f"`mj conflicts show {connection!r} ID` shows both sides; `… resolve` decides"), soft_wrap=True)


@conflicts.command()
def show(
    connection: ConnectionName,
    name: Annotated[str, typer.Argument(metavar="ID", help="The record's external id.")],
    entity_map: Map = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Show what was synced last, what the source says and what the row holds."""
    from mj_cli.failing import explained
    from mj_cli.listing import print_json_list
    from mj_cli.output import out
    from mj_cli.queued import conflict_details, conflict_json, named
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel, explained(kernel):
        found = named("conflict", name, kernel.queues.conflicts(connection, entity_map))
    if as_json:
        print_json_list(map(conflict_json, found))
        return
    for number, conflict in enumerate(found):
        out().print(*([""] if number else []), *conflict_details(conflict), sep="\n")


@conflicts.command()
def resolve(  # noqa: PLR0913, PLR0917 - the options of one command
    connection: ConnectionName,
    accept: Annotated[Side, typer.Option(help="The source's values, or what the rows hold now.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="External ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    entity_map: Map = None,
    now: Annotated[bool, typer.Option("--now", help="Act on it at once, in a run of its own.")] = False,
    wait: Wait = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Answer conflicts; the next run acts on it."""
    from mj_cli.failing import exit_code_of, explained
    from mj_cli.output import out, plain, print_json
    from mj_cli.results import as_json as shape
    from mj_cli.results import summary
    from mj_cli.running import run_one
    from mjcore.kernel import Kernel
    from mjcore.models import RunRequest
    from mjcore.wording import counted

    if bool(names) is (everything or (entity_map is not None and not names)):
        raise typer.BadParameter("name records, or use --map or --all")
    with Kernel(store) as kernel:
        with explained(kernel):
            answered = kernel.queues.resolve(connection, accept.value, names or None, entity_map)
        maps = (entity_map,) if entity_map else ()
        result = run_one(kernel, RunRequest(connection, maps, mode="retry"), wait=wait) if now and answered else None
    if as_json:
        print_json({"Connection": connection, "Accepted": accept, "Answered": answered, "Run": result and shape(result)})
    else:
        said = f"{counted(answered, 'conflict')} answered"
        next_run = f"; the next `mj sync {connection!r}` acts on it, or `--now`" if answered and not result else ""
        out().print(plain(f"{said}{next_run}" if answered else "no conflicts"), soft_wrap=True)
        out().print(*(summary(result) if result else ()), sep="\n", end="\n" if result else "")
    raise typer.Exit(exit_code_of([result] if result else []))
