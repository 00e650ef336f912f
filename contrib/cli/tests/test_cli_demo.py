"""The demo, as a person starts it."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mj_cli.account import account

Run = Callable[..., Any]
HEADINGS = [
    "A HubSpot account with 200 contacts: what is in it?",
    "Which of its fields belong into which columns? Suggested, with reasons",
    "A person has made this of it; it is applied",
    "Two records through the pipeline, step by step; nothing is written",
    "The first pull",
    "The second pull: nothing has changed, so nothing is written",
    "10 contacts are edited in HubSpot: the third pull updates just those",
    "What was done, and where it is now",
]


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mj_cli", "demo", "--contacts", "200", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MJ_")} | {"COLUMNS": "80"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder)


def test_the_demo_tells_its_story(done: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, ended = done
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.rstrip(" ─") for line in lines if line.endswith("─") and not line.startswith("─")] == HEADINGS
    assert "Traceback" not in ended.stderr
    assert '{"' not in ended.stderr, "log lines would only repeat the demo"
    commands = [line for line in lines if line.startswith("$ mj ")]
    assert [line.split()[2] for line in commands] == [
        *("test", "discover", "suggest", "apply", "preview", "sync", "sync", "sync", "runs")
    ]
    assert max(len(line) for line in lines if not line.startswith("$")) <= 80


def test_the_demos_pulls_did_what_they_say(done: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = done
    with closing(sqlite3.connect(folder / "demo" / "crm.db")) as database:
        counts = database.execute(
            "SELECT total_records_processed, total_records_created, total_records_updated FROM mj_integration_run ORDER BY id"
        ).fetchall()
        edits = database.execute("SELECT old, new FROM mj_record_change WHERE kind = 'update'").fetchall()
        assert database.execute("SELECT count(*) FROM contacts").fetchall() == [(200,)]
        assert database.execute("SELECT count(*) FROM contacts WHERE CompanyID IN (SELECT id FROM companies)").fetchone()[0] > 150
    assert counts == [(240, 240, 0), (0, 0, 0), (10, 0, 10)]
    assert len(edits) == 10
    assert all(list(json.loads(old)) == list(json.loads(new)) == ["JobTitle"] for old, new in edits)


def test_the_commands_that_it_ends_with_work(
    done: tuple[Path, subprocess.CompletedProcess[str]], mj: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, ended = done
    monkeypatch.chdir(folder)
    offered = [line.split() for line in ended.stdout.splitlines() if line.startswith("  ") and "--store" in line.split()]
    assert [command[-3] for command in offered] == ["runs", "export"]
    for command in offered:
        assert mj(*command[-3:]).code == 0


def test_the_demo_can_be_repeated_but_spares_the_files_of_others(
    done: tuple[Path, subprocess.CompletedProcess[str]], mj: Run, tmp_path: Path
) -> None:
    folder, _ = done
    again = demo(folder, "--json")
    assert again.returncode == 0, again.stderr
    assert [run["TotalRecordsCreated"] for run in json.loads(again.stdout)] == [240, 0, 0]
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "crm.db").write_text("mine")
    refused = mj("demo")
    assert (refused.code, refused.out) == (2, "")
    assert "not written by `mj demo`" in refused.err
    assert (tmp_path / "demo" / "crm.db").read_text() == "mine"


def test_the_account_ends_with_the_process_that_uses_it_even_when_that_is_killed() -> None:
    program = "from mj_cli.account import account\nwith account(20) as source: print(source.address, flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    process.kill()
    process.communicate()
    ends = time.monotonic() + 10
    while is_open(port):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_an_edit_is_seen_by_the_next_request() -> None:
    with account(50) as source:
        source.edit(10)
        port = int(source.address.rpartition(":")[2])
        assert is_open(port)
    assert not is_open(port)


def is_open(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
