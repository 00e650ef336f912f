"""`mj failed`: records that could not be written, each with its reason."""

from typing import TYPE_CHECKING, Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Store, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable

Map = Annotated[str | None, typer.Option("--map", metavar="MAP", help="Only of this external object, or entity.")]

failed = typer.Typer(help="Look after records that failed.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@failed.command("list")
def list_(
    connection: ConnectionName,
    entity_map: Map = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many to list; all with --json, else 100.")] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """List failed records: where and why, how often, when last."""
    from mj_cli.failing import explained
    from mj_cli.listing import first, print_json_list, print_rows
    from mj_cli.output import err, out, plain
    from mj_cli.queued import failed_columns, failed_json, failed_rows, map_names
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel, explained(kernel):
        several = len(map_names(kernel, connection)) > 1 and entity_map is None
        found, rest = first(kernel.queues.failed(connection, entity_map), limit or (None if as_json else 100))
        if as_json:
            print_json_list(map(failed_json, found))
            return
        listed = print_rows(out(), failed_columns(several=several), failed_rows(found, several=several), numbers=["Attempts"])
        if not listed:
            out().print("no failed records")
            return
        if more := sum(1 for _ in rest):
            out().print(f"{more:,} more; --limit {listed + more} lists all", style="bold")
    err().print(plain(f"a sync tries them again; `mj failed show {connection!r} ID` shows one as it came"), soft_wrap=True)


@failed.command()
def show(
    connection: ConnectionName,
    name: Annotated[str, typer.Argument(metavar="ID", help="The record's external id, or its own.")],
    entity_map: Map = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Show a failed record as it came, and all that is known of it."""
    from mj_cli.failing import explained
    from mj_cli.listing import print_json_list
    from mj_cli.output import out
    from mj_cli.queued import failed_details, failed_json, named
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel, explained(kernel):
        found = named("failed record", name, kernel.queues.failed(connection, entity_map))
    if as_json:
        print_json_list(map(failed_json, found))
        return
    for number, record in enumerate(found):
        out().print(*([""] if number else []), *failed_details(record), sep="\n")


@failed.command()
def retry(
    connection: ConnectionName,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="MAP", help="Only this external object; repeatable.")] = None,
    wait: Wait = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Try failed records again, without asking for changes."""
    from mj_cli.running import print_run, run_one
    from mjcore.kernel import Kernel
    from mjcore.models import RunRequest

    with Kernel(store) as kernel:
        result = run_one(kernel, RunRequest(connection, tuple(maps or ()), mode="retry"), wait=wait)
    raise typer.Exit(print_run(result, as_json=as_json))


@failed.command()
def discard(
    connection: ConnectionName,
    names: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="External ids, or own ones.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    entity_map: Map = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Forget failed records, until the source changes them."""
    from mj_cli.failing import explained
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel
    from mjcore.wording import counted

    if bool(names) is everything:
        raise typer.BadParameter("name records, or use --all")
    with Kernel(store) as kernel, explained(kernel):
        waiting = kernel.queues.failed(connection, entity_map)
        if everything and not yes and not _confirmed(waiting):
            raise typer.Exit(1)
        removed = kernel.queues.discard(connection, names or None, entity_map)
    if as_json:
        print_json({"Connection": connection, "Discarded": removed})
    else:
        out().print(f"{counted(removed, 'failed record')} discarded")


def _confirmed(waiting: "Iterable[object]") -> bool:
    """Ask on a terminal; where nobody can answer, what was typed is meant."""
    from mj_cli.terminal import is_attended
    from mjcore.wording import counted

    if not is_attended():
        return True
    count = sum(1 for _ in waiting)
    return not count or typer.confirm(f"discard {counted(count, 'failed record')}?", err=True)
