"""`mj purge`: what goes is counted, asked for at a terminal, and told."""

import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
COUNTS = {"Changes": 3, "FailedRecords": 1, "Conflicts": 0, "Runs": 1}


@pytest.fixture
def grown(mj: Run, folder: Path) -> Run:
    """Return `mj` after three syncs, of which the first wrote three rows and put one record aside."""
    with (folder / "data" / "contacts.csv").open("a") as file:
        file.write("4,dee@example.org,Dee,Dee,VIP,1\n")
    assert mj("apply", "crm.yaml").code == 0
    for _ in range(3):
        assert mj("sync", "Acme files").code in (0, 3)
    return mj


def changes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "mj.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM mj_record_change").fetchone()
    return int(count)


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_a_dry_run_counts_what_a_purge_then_removes(grown: Run, folder: Path) -> None:
    before = now()
    would = grown("purge", "Acme files", "--before", before, "--dry-run", "--json")
    assert (would.code, would.json["Purged"], would.json["IsDryRun"]) == (0, COUNTS, True)
    assert changes(folder) == 3
    done = grown("purge", "Acme files", "--before", before)
    assert done.code == 0
    assert " ".join(done.out.split()).startswith("Acme files: 3 record changes, 1 failed record, 1 run from before")
    assert changes(folder) == 0
    assert "nothing from before" in grown("purge", "Acme files", "--before", before).out


def test_undo_explain_and_runs_say_what_is_no_longer_known(grown: Run, folder: Path) -> None:
    first = grown("runs", "--json").json[-1]["ID"]
    assert grown("purge", "Acme files", "--before", now()).code == 0
    refused = grown("undo", first)
    assert (refused.code, refused.out) == (2, "")
    assert "was purged" in refused.err
    with closing(sqlite3.connect(folder / "mj.db")) as database:
        (key,) = database.execute("SELECT id FROM contacts LIMIT 1").fetchone()
    assert re.search(r"those before \d{4}-.* were purged", grown("explain", "Contacts", key).out)
    assert "Purged      what it did before" in grown("runs", first).out


@pytest.mark.parametrize(("typed", "options", "left"), [("n", [], 3), ("y", [], 0), ("n", ["--yes"], 0), ("n", ["--dry-run"], 3)])
def test_a_person_at_a_terminal_is_asked_first(grown: Run, folder: Path, typed: str, options: list[str], left: int) -> None:
    leader, follower = pty.openpty()
    os.write(leader, f"{typed}\n".encode())
    command = [sys.executable, "-m", "mj_cli", "purge", "Acme files", "--before", now(), *options]
    ended = subprocess.run(command, stdin=follower, capture_output=True, text=True, timeout=60)
    os.close(leader)
    os.close(follower)
    assert ("remove 3 record changes, 1 failed record, 1 run? Runs that began before" in ended.stderr) is not bool(options)
    assert ended.returncode == (1 if left and not options else 0)
    assert changes(folder) == left


@pytest.mark.parametrize("time", ["yesterday", "2999-01-01"])
def test_a_time_is_one_of_the_past(grown: Run, folder: Path, time: str) -> None:
    ended = grown("purge", "Acme files", "--before", time)
    assert (ended.code, ended.out) == (2, "")
    assert changes(folder) == 3


def test_ctrl_c_ends_it_between_two_transactions(grown: Run, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "mj.db")) as database:
        columns = (
            "entity_id, record_key, kind, old, new, run_id, entity_map_id, map_version, rule, external_id, origin, changed_at"
        )
        for _ in range(15):
            database.execute(f"INSERT INTO mj_record_change ({columns}) SELECT {columns} FROM mj_record_change")
        database.commit()
    program = """
import os, signal
from mj_storage_sql.purge import Purge
run = Purge.run
def stopped(*arguments):
    for step in run(*arguments):
        if step.changes:
            os.kill(os.getpid(), signal.SIGINT)
        yield step
Purge.run = stopped
from mj_cli.app import main
main()
"""
    command = [sys.executable, "-c", program, "purge", "Acme files", "--before", now()]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, ended.stderr
    assert "1,000 record changes" in ended.stdout
    assert "once more goes on from here" in ended.stdout
    assert changes(folder) == 3 * 2**15 - 1000
    assert grown("purge", "Acme files", "--before", now()).code == 0
    assert changes(folder) == 0
