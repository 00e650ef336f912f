"""The demo: a simulated account is pulled three times, with the commands that a person would type."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.rule import Rule
from rich.text import Text

from mj_cli.account import account
from mj_cli.documents import read
from mj_cli.output import out, plain, table
from mj_cli.results import told
from mj_cli.scene import CONNECTION, TOKEN, set_up
from mjcore.errors import MJError
from mjcore.models import IntegrationRun
from mjcore.sync import counts_of

EDITS = 10


class DemoFailed(MJError):
    """A pull did not do what the demo promises."""


def demonstrate(folder: Path, contacts: int) -> list[IntegrationRun]:
    """Run the demo in `folder` and print it; return its three runs.

    `ConfigError` when the folder holds files of the same names that are not a demo's; `DemoFailed` when a pull is not right.
    """
    with account(contacts) as source:
        metadata, database = set_up(folder, source.address)
        os.environ[TOKEN], os.environ["MJ_STORE"] = source.token, f"sqlite:///{database}"
        title(f"A HubSpot account with {contacts:,} contacts answers at {source.address}: what is in it?")
        run("test", CONNECTION, "--file", str(metadata))
        run("discover", CONNECTION, "--file", str(metadata))
        title("Which of its fields belong into which columns? A suggestion, with reasons")
        run("suggest", CONNECTION, "contacts", "Contacts", "--file", str(metadata))
        title("This mapping is applied: it cleans the values, too")
        show_mapping(metadata)
        run("apply", str(metadata))
        title("Two records through the pipeline, each step's value shown; nothing is written")
        run("preview", CONNECTION, "contacts", "--limit", "2")
        title("The first pull")
        run("sync", CONNECTION)
        title("The second pull: nothing has changed, so nothing is written")
        run("sync", CONNECTION)
        title(f"{EDITS} contacts get another job title in HubSpot: the third pull updates exactly those")
        source.edit(EDITS)
        run("sync", CONNECTION)
        title("What was done")
        run("runs")
        show_end(metadata, database)
    return checked(os.environ["MJ_STORE"])


def title(text: str) -> None:
    out().print("", Rule(Text(plain(text), "bold"), align="left", style="dim"), sep="\n")


def run(*arguments: str) -> None:
    """Show one command, and run it as `mj` does."""
    from mj_cli.app import app

    out().print(Text(plain(f"$ mj {shlex.join(arguments)}"), "cyan"), soft_wrap=True)
    code = app(arguments, standalone_mode=False)
    if code:
        raise DemoFailed(f"mj {shlex.join(arguments)} ended with exit code {code}")


def show_mapping(metadata: Path) -> None:
    """Show the field maps of the contacts as the metadata file has them."""
    data: Mapping[str, Any] = read(metadata).data
    contacts = next(m for m in data["Connections"][0]["EntityMaps"] if m["ExternalObjectName"] == "contacts")
    rows = [
        [m["SourceFieldName"], _steps(m.get("TransformPipeline", ())), m["DestinationFieldName"]] for m in contacts["FieldMaps"]
    ]
    out().print(table(["Source field", "Steps", "Column"], rows))


def _steps(pipeline: Sequence[Mapping[str, Any]]) -> str:
    return " | ".join(
        " ".join([step["Type"], *(str(v) for v in step["Config"].values() if isinstance(v, str))]) for step in pipeline
    )


def show_end(metadata: Path, database: Path) -> None:
    query = "SELECT FullName, Email, Phone, Status FROM contacts LIMIT 5"
    lines = [
        f"The database is {database}, its mapping {metadata}. Look around:",
        f"  sqlite3 {shlex.quote(str(database))} {shlex.quote(query)}",
        f"  mj runs --store sqlite:///{database}",
        "Then take your own account: `mj --help`.",
    ]
    out().print("", *lines, sep="\n", soft_wrap=True)


def checked(store: str) -> list[IntegrationRun]:
    """Return the three runs, oldest first; `DemoFailed` when one did not do what its title says."""
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        runs = list(reversed(kernel.runs()))
    first, second, third = map(counts_of, runs)
    if first.created != first.processed or second.unchanged != second.processed or third.updated != EDITS:
        raise DemoFailed(f"the three pulls should not have done this: {told(first)}; {told(second)}; {told(third)}")
    return runs
