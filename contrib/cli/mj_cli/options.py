"""Options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

STORE = "sqlite:///mj.db"

Store = Annotated[str, typer.Option("--store", envvar="MJ_STORE", metavar="URL", help="The database.", show_default=True)]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, and nothing else there.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="Take the connection from this metadata file; nothing need be applied."),
]
ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait while another run holds the connection.")]
