"""`mj sync` and `mj runs`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from mj_cli.options import STORE, AsJSON, Store, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mjcore.kernel import Kernel
    from mjcore.models import ConnectionMetadata, Trigger


def sync(  # noqa: PLR0913, PLR0917 - the options of one command
    connections: Annotated[list[str] | None, typer.Argument(metavar="CONNECTION...", help="Names of connections.")] = None,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="MAP", help="Only this external object; repeatable.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew and find what is gone.")] = False,
    remap: Annotated[bool, typer.Option("--remap", help="Map what is linked anew; the source is not asked.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Re-read from here; the watermark stays.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="… up to here (exclusive).")] = None,
    template: Annotated[str | None, typer.Option(metavar="NAME", help="Every active connection of this template.")] = None,
    company: Annotated[str | None, typer.Option(metavar="NAME", help="Every active connection of this company.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every active connection.")] = False,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Do exactly what `mj plan -o FILE` told.")] = None,
    allow_deletes: Annotated[bool, typer.Option("--allow-deletes", help="Delete more than the guard lets pass.")] = False,
    manual: Annotated[bool, typer.Option("--manual", help="A person asks for it, though there is no terminal.")] = False,
    wait: Wait = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Pull the changes of one or more connections."""
    from attrs import evolve

    from mj_cli.failing import exit_code_of, explained
    from mj_cli.output import err, out, print_json
    from mj_cli.results import as_json as shape
    from mj_cli.results import summary
    from mj_cli.running import print_run, run_plan
    from mj_cli.syncing import instant, run_all
    from mj_cli.terminal import is_attended
    from mjcore.kernel import Kernel
    from mjcore.models import RunRequest

    trigger: Trigger = "Manual" if manual or is_attended() else "Scheduled"
    if plan:
        if len(connections or ()) != 1 or maps or full or remap or since or until or template or company or everything:
            raise typer.BadParameter("--plan takes one connection, --allow-deletes, --manual and --wait")
        (name,) = connections or [""]
        with Kernel(store) as kernel:
            result = run_plan(kernel, name, plan, allow_deletes=allow_deletes, trigger=trigger, wait=wait)
        raise typer.Exit(print_run(result, as_json=as_json))
    begin, end = instant("--since", since), instant("--until", until)
    if until and not since:
        raise typer.BadParameter("--until needs --since")
    if full and since:
        raise typer.BadParameter("--full reads everything: leave out --since")
    if remap and (full or since):
        raise typer.BadParameter("--remap does not ask the source: leave out --full and --since")
    mode: Literal["remap", "sync"] = "remap" if remap else "sync"
    which, allowed = tuple(maps or ()), allow_deletes
    asked = RunRequest("", which, full=full, since=begin, until=end, mode=mode, trigger=trigger, allow_deletes=allowed)
    with Kernel(store) as kernel:
        with explained(kernel):
            chosen = _chosen(kernel, connections or (), template, company, everything=everything)
        requests = [evolve(asked, connection=c.name) for c in chosen]
        results = run_all(kernel, requests, err(), wait=wait)
    if as_json:
        shaped = [shape(result) for result in results]
        one = connections and len(connections) == 1 and not (template or company or everything)
        print_json(shaped[0] if one else shaped)
    else:
        for number, result in enumerate(results):
            out().print(*([""] if number else []), *summary(result), sep="\n")
    raise typer.Exit(exit_code_of(results))


def _chosen(
    kernel: "Kernel", names: "Sequence[str]", template: str | None, company: str | None, *, everything: bool
) -> "list[ConnectionMetadata]":
    """Return the named connections, or the active ones of a template, a company or the store."""
    if not (names or template or company or everything):
        raise typer.BadParameter("name a connection, or use --template, --company or --all")
    if names and everything:
        raise typer.BadParameter("--all takes no names")
    found = kernel.connections(*names, template=template, company=company)
    chosen = found if names else [c for c in found if c.connection.status == "Active"]
    if left_out := [c.name for c in found if c not in chosen]:
        from mj_cli.output import err, plain

        err().print(plain(f"left out, as they are Inactive: {', '.join(map(repr, left_out))}"), soft_wrap=True)
    return chosen


def runs(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id, or its end, for its details.")] = None,
    connection: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this connection.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many runs to list.")] = 20,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """List runs, or show what one run did."""
    from mj_cli.history import details_table, find_run, runs_table
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel
    from mjcore.wire import unstructure

    with Kernel(store) as kernel:
        if run is None:
            found = kernel.runs(connection, limit)
            if as_json:
                print_json(unstructure(found))
            elif found:
                out().print(runs_table(kernel, found))
            else:
                out().print("no runs yet")
            return
        one = find_run(kernel, run)
        details = kernel.run_details(one.id)
        if as_json:
            print_json({**cast("Mapping[str, Any]", unstructure(one)), "Details": unstructure(details)})
        else:
            out().print(*details_table(kernel, one, details), sep="\n")
