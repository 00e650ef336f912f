"""What a command loads: `mj` starts so often, by hand and by cron, that what it does not need must not cost anything."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UNUSED = {
    # the schema is up to date, and in SQLite
    *("alembic", "psycopg", "sqlalchemy.orm", "sqlalchemy.ext", "sqlalchemy.dialects.postgresql"),
    # no document, no name to guess, no log, no terminal
    *("ruamel", "rapidfuzz", "pydantic", "structlog", "rich.progress"),
    # one kind of source, and no record
    *("httpcore", "pyarrow", "babel", "phonenumbers", "regex", "quickjs", "mj_sandbox"),
    # no other command
    *("mj_cli.commands.metadata", "mj_cli.commands.plan", "mj_cli.commands.failed", "mjcore.preview", "mjcore.metadata"),
}
LISTING = """
import atexit, sys
from mj_cli.app import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["runs"], {"cattrs", "mjcore.sync", "mjcore.mapping", "mj_provider_files.source", "mj_execution_local.threads"}),
        (["sync", "--all"], set[str]()),
    ],
)
def test_a_command_loads_what_it_needs(mj: Callable[..., Any], folder: Path, arguments: list[str], also: set[str]) -> None:
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "--all").code == 0
    ended = subprocess.run(
        [sys.executable, "-c", LISTING, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MJ_LOG": "off"},
    )
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert {"mj_cli.app", "sqlalchemy", "mj_storage_sql.store"} <= loaded, "it is the list of modules, after the command"
    assert not loaded & (UNUSED | also)


COLLECTING = """
import atexit, gc, sys
from mj_cli.app import main
begun = []
gc.callbacks.append(lambda phase, info: begun.append(info["generation"]) if phase == "start" else None)
atexit.register(lambda: print(len(begun), len(gc.get_objects()), file=sys.stderr))
main()
"""


def test_nobody_looks_for_garbage_while_a_command_loads_or_ends(mj: Callable[..., Any], folder: Path) -> None:
    assert mj("apply", "crm.yaml").code == 0
    ended = subprocess.run([sys.executable, "-c", COLLECTING, "sync", "--all"], capture_output=True, text=True, check=True)
    collections, left = map(int, ended.stderr.splitlines()[-1].split())
    assert collections == 0
    assert left < 1000, "what the interpreter looks through at its end"
