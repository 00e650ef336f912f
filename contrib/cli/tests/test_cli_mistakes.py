"""What a user may get wrong: every mistake is told in words and with its exit code."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["init", "--store", "crm.db"], 2, "no store for URL scheme named 'crm.db'"),
        (["init", "--store", "sqlite:////nowhere/at/all/crm.db"], 1, "unable to open database file"),
        (["init", "--store", "sqlite:////proc/crm.db"], 1, "unable to open database file"),
        (["init", "--store", "postgresql://mj:hunter2@127.0.0.1:1/crm"], 1, "connection failed"),
        (["runs", "--store", "sqlite:///junk.db"], 1, "file is not a database"),
        (["runs", "--store", "sqlite:///newer.db"], 1, "newer version"),
        (["apply", "data"], 2, "data: Is a directory"),
        (["apply", "none.yaml"], 2, "none.yaml: No such file or directory"),
        (["apply", "adopts.yaml"], 2, "adopts.yaml:1: Entities[0].Table: the database has no table 'nowhere'"),
        (["export", "-o", "nowhere/crm.yaml"], 2, "nowhere/crm.yaml: No such file or directory"),
        (["export", "-o", "/proc/crm.yaml"], 2, "/proc/crm.yaml: "),
        (["test", "Acme files"], 2, "`mj apply FILE`"),
        (["sync", "Acme files"], 2, "`mj apply FILE`"),
        (["discover", "Acme files", "contact", "--file", "crm.yaml"], 2, "contact"),
        (["suggest", "Acme files", "contact", "Contacts", "--file", "crm.yaml"], 2, "did you mean 'contacts'?"),
        (["suggest", "Acme files", "contacts", "Contact", "--file", "crm.yaml"], 2, "did you mean 'Contacts'?"),
        (["preview", "Acme files", "contact", "--file", "crm.yaml"], 2, "did you mean 'contacts'?"),
        (["runs", "0190"], 2, "no run named '0190'"),
        (["sync", "--all", "--since", "yesterday"], 2, "--since: 'yesterday' is no ISO 8601 time"),
        (["demo", "--folder", "crm.yaml"], 2, "crm.yaml: "),
        (["demo", "--contacts", "3"], 2, "--contacts"),
        (["sandbox", "hubspot", "--contacts", "-1", "--port", "0"], 2, "mj sandbox: "),
        (["nonsense"], 2, "No such command 'nonsense'"),
    ],
)
def test_a_mistake_is_told_in_words(mj: Run, folder: Path, arguments: list[str], code: int, said: str) -> None:
    (folder / "junk.db").write_bytes(b"\x13\x37" * 4000)
    (folder / "adopts.yaml").write_text("Entities: [{Name: People, Table: nowhere}]\n")
    if "sqlite:///newer.db" in arguments:
        assert mj("init", "--store", "sqlite:///newer.db").code == 0
        with closing(sqlite3.connect(folder / "newer.db")) as database:
            database.execute("UPDATE mj_alembic_version SET version_num = '9999'")
            database.commit()
    ended = mj(*arguments)  # which raises what would be a traceback
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "hunter2" not in ended.err
