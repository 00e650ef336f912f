"""Where the demo plays: its folder, its metadata file and its account."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from mjcore.errors import ConfigError, Problem

ADDRESS = "http://127.0.0.1:8765"
"""Of the account, as the packaged metadata file has it."""
TOKEN = "MJ_DEMO_TOKEN"  # noqa: S105 - the name of an environment variable
CONNECTION = "Acme HubSpot"


def set_up(folder: Path, address: str) -> tuple[Path, Path]:
    """Write the metadata file for an account at `address`; return its path and that of the database, which is not there yet.

    What an earlier demo left is removed. `ConfigError` when files of these names are not a demo's.
    """
    packaged = files("mj_cli").joinpath("demo.yaml").read_text(encoding="utf-8")
    metadata, database = folder / "demo.yaml", folder / "crm.db"
    left = [
        path for path in (metadata, *(database.with_name(database.name + end) for end in ("", "-wal", "-shm"))) if path.exists()
    ]
    first_line = packaged.partition("\n")[0]
    if left and not (metadata.is_file() and metadata.read_text(encoding="utf-8", errors="replace").startswith(first_line)):
        raise ConfigError(Problem(str(left[0]), "not written by `mj demo`: move it away, or choose another place with --folder"))
    for path in left:
        path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    metadata.write_text(packaged.replace(ADDRESS, address), encoding="utf-8")
    return metadata, database


def rows(database: Path, name: str, columns: Sequence[str], limit: int) -> list[Sequence[object]]:
    """Return the first rows of a table that have an e-mail address, read as any other program would read them."""
    listed = ", ".join(f'"{column}"' for column in columns)
    with closing(sqlite3.connect(database)) as connection:
        query = f'SELECT {listed} FROM "{name}" WHERE "Email" IS NOT NULL ORDER BY "Email" LIMIT ?'  # noqa: S608 - names are the demo's own
        return connection.execute(query, (limit,)).fetchall()
