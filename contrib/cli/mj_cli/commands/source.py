"""`mj test`, `mj discover`, `mj suggest` and `mj preview`: looks at the source; nothing is written."""

from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, ConnectionName, Files, Store


def check(connection: ConnectionName, file: Files = None, store: Store = STORE, as_json: AsJSON = False) -> None:
    """Check a connection's credentials and that the system answers."""
    from mj_cli.finding import find
    from mj_cli.output import out, plain, print_json

    with find(store, connection, file) as found:
        facts = found.kernel.test(found.connection)
    if as_json:
        print_json({"Connection": connection, "Status": "OK", "Facts": dict(facts)})
        return
    out().print(plain(f"{connection} answers"), style="green", soft_wrap=True)
    for name, fact in facts.items():
        out().print(plain(f"{name}: {fact}"), soft_wrap=True)


def discover(
    connection: ConnectionName,
    object_name: Annotated[str | None, typer.Argument(metavar="OBJECT", help="Show the fields of this object.")] = None,
    file: Files = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """List the objects of an account, or one object's fields."""
    from mj_cli.discovery import fields_table, objects_table
    from mj_cli.finding import find
    from mj_cli.output import out, print_json
    from mjcore.wire import unstructure

    with find(store, connection, file) as found:
        if object_name is None:
            objects = found.kernel.discover_objects(found.connection)
            shown, drawn = unstructure(objects), objects_table(objects)
        else:
            fields = found.kernel.discover_fields(found.connection, object_name)
            shown, drawn = unstructure(fields), fields_table(fields)
    if as_json:
        print_json(shown)
    else:
        out().print(drawn)


def suggest(  # noqa: PLR0913, PLR0917 - the options of one command
    connection: ConnectionName,
    object_name: Annotated[str, typer.Argument(metavar="OBJECT", help="External object.")],
    entity: Annotated[str | None, typer.Argument(metavar="ENTITY", help="Entity to fill.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Propose a new entity too.")] = False,
    everything: Annotated[bool, typer.Option("--every-field", help="With --create: a column for every field.")] = False,
    file: Files = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Suggest field maps with reasons, as YAML ready for `mj apply`."""
    from mj_cli.finding import find
    from mj_cli.output import err, plain, print_json
    from mj_cli.suggesting import suggestions

    if (entity is None) is not create:
        raise typer.BadParameter("name an ENTITY, or let --create propose one")
    with find(store, connection, file) as found:
        made = suggestions(found, object_name, entity, everything=everything)
    if as_json:
        print_json(made.as_json())
    else:
        typer.echo(made.as_yaml(), nl=False)
    if made.left_over:
        err().print(plain(f"no suggestion for {', '.join(made.left_over)}"), soft_wrap=True)
    if not made.has_key:
        err().print(plain(f"no field here is unique in {object_name}: without a MatchStrategy each record gets a row of its own"))


def preview(
    connection: ConnectionName,
    entity_map: Annotated[str, typer.Argument(metavar="MAP", help="The map's external object.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many records.")] = 3,
    file: Files = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Show sample records step by step through a map; writes nothing."""
    from mj_cli.finding import find
    from mj_cli.output import out, print_json
    from mj_cli.previewing import pipelines_of, preview_tables
    from mjcore.wire import unstructure

    with find(store, connection, file) as found:
        shown = found.kernel.preview(found.connection, entity_map, limit)
    if as_json:
        print_json(unstructure(shown))
    else:
        out().print(*preview_tables(shown, pipelines_of(found.connection, shown)), sep="\n")
