"""`mj explain`: why a row, or one field of it, is as it is."""

from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, Store


def explain(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="Name of the entity.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The row's key; parts of a composite one with commas between.")],
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="Only this field.")] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Tell where a value comes from: source, steps, runs, later changes."""
    from mj_cli.explaining import explanation_json, story
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        found = kernel.explain(entity, key, field)
        if as_json:
            print_json(explanation_json(found))
            return
        for part in story(kernel, found, field):
            out().print(part)
