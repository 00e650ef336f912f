"""The demo: a simulated account is pulled three times, with the commands that a person would type."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.rule import Rule
from rich.text import Text

from mj_cli.account import account
from mj_cli.documents import read
from mj_cli.output import out, plain, table
from mj_cli.previewing import in_words
from mj_cli.results import told
from mj_cli.scene import CONNECTION, TOKEN, rows, set_up
from mjcore.errors import MJError
from mjcore.models import IntegrationRun, TransformStep
from mjcore.recording import counts_of

EDITS = 10


class DemoFailed(MJError):
    """A pull did not do what the demo promises."""


def demonstrate(folder: Path, contacts: int) -> list[IntegrationRun]:
    """Run the demo in `folder` and print it; return its three runs.

    `ConfigError` when the folder holds files of the same names that are not a demo's; `DemoFailed` when a pull is not right.
    """
    with account(contacts) as source:
        metadata, database = set_up(folder, source.address)
        title(f"A HubSpot account with {contacts:,} contacts: what is in it?")
        with surroundings({"MJ_STORE": f"sqlite:///{database}", TOKEN: source.token}):
            run("test", CONNECTION, "--file", str(metadata))
            run("discover", CONNECTION, "--file", str(metadata))
            title("Which of its fields belong into which columns? Suggested, with reasons")
            run("suggest", CONNECTION, "contacts", "Contacts", "--file", str(metadata))
            title("A person has made this of it; it is applied")
            show_mapping(metadata)
            run("apply", str(metadata))
            title("Two records through the pipeline, step by step; nothing is written")
            run("preview", CONNECTION, "contacts", "--limit", "2")
            title("The first pull")
            run("sync", CONNECTION)
            title("The second pull: nothing has changed, so nothing is written")
            run("sync", CONNECTION)
            title(f"{EDITS} contacts are edited in HubSpot: the third pull updates just those")
            source.edit(EDITS)
            run("sync", CONNECTION)
            title("What was done, and where it is now")
            run("runs")
            show_end(metadata, database)
            return checked(os.environ["MJ_STORE"])


@contextmanager
def surroundings(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while, and show them. Log lines would only repeat what the demo prints."""
    before = dict(os.environ)
    os.environ |= {"MJ_LOG": "error", **before, **variables}
    out().print(
        Text(plain(f"$ export {' '.join(f'{name}={value}' for name, value in variables.items())}"), "cyan"), soft_wrap=True
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def title(text: str) -> None:
    out().print("", Rule(Text(plain(text), "bold"), align="left", style="dim"), sep="\n")


def run(*arguments: str) -> None:
    """Show one command, and run it as `mj` does."""
    from mj_cli.commands import app

    out().print(Text(plain(f"$ mj {shlex.join(arguments)}"), "cyan"), soft_wrap=True)
    code = app(arguments, standalone_mode=False)
    if code:
        raise DemoFailed(f"mj {shlex.join(arguments)} ended with exit code {code}")


def show_mapping(metadata: Path) -> None:
    """Show the field maps of the contacts as the metadata file has them."""
    data: Mapping[str, Any] = read(metadata).data
    contacts = next(m for m in data["Connections"][0]["EntityMaps"] if m["ExternalObjectName"] == "contacts")
    shown = [
        [m["SourceFieldName"], _steps(m.get("TransformPipeline", ())), m["DestinationFieldName"]] for m in contacts["FieldMaps"]
    ]
    out().print(table(["Source field", "Steps", "Column"], shown), "", sep="\n")


def _steps(pipeline: Sequence[Mapping[str, Any]]) -> str:
    return " | ".join(in_words(TransformStep(step["Type"], step["Config"])) for step in pipeline)


def show_end(metadata: Path, database: Path) -> None:
    """Show some rows, and how to go on: with the program's own path where it is not to be found by name."""
    columns = ("FullName", "Email", "Phone", "Status")
    out().print("", table(columns, rows(database, "contacts", columns, 5)), "", sep="\n")
    out().print(f"The database is {database}, for any SQLite client; the mapping is {metadata}. Look around:")
    program = called()
    for command in ("runs", "export"):
        out().print(Text(plain(f"  {program} {command} --store sqlite:///{database}"), "cyan"), soft_wrap=True)
    out().print("The account ended with the demo. Another one, and then your own:")
    for command in ("sandbox hubspot", "--help"):
        out().print(Text(plain(f"  {program} {command}"), "cyan"), soft_wrap=True)


def called() -> str:
    """Return how to call `mj` from here."""
    if shutil.which("mj"):
        return "mj"
    return "python -m mj_cli" if Path(sys.argv[0]).name == "__main__.py" else shlex.quote(sys.argv[0])


def checked(store: str) -> list[IntegrationRun]:
    """Return the three runs, oldest first; `DemoFailed` when one did not do what its title says."""
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        runs = list(reversed(kernel.runs()))
    first, second, third = map(counts_of, runs)
    if first.created != first.processed or second.unchanged != second.processed or third.updated != EDITS:
        raise DemoFailed(f"the three pulls should not have done this: {told(first)}; {told(second)}; {told(third)}")
    return runs
