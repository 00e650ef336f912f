"""`mj demo`: a whole pull, step by step."""

from pathlib import Path
from typing import Annotated

import typer

from mj_cli.options import AsJSON


def demo(
    folder: Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Where the database goes.")] = Path("demo"),
    contacts: Annotated[int, typer.Option(min=20, metavar="N", help="How many contacts the account has.")] = 20_000,
    as_json: AsJSON = False,
) -> None:
    """Pull a simulated HubSpot account into SQLite, step by step."""
    from contextlib import nullcontext, redirect_stdout
    from io import StringIO

    from mj_cli.demonstration import demonstrate
    from mj_cli.output import print_json
    from mjcore.wire import unstructure

    with redirect_stdout(StringIO()) if as_json else nullcontext():
        runs = demonstrate(folder, contacts)
    if as_json:
        print_json(unstructure(runs))
