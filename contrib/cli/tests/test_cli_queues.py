"""`mj failed` and `mj conflicts`: what waits for people is listed with its reason, and decided."""

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import typer.main
from mj_cli.commands import GROUPS, app

Run = Callable[..., Any]
BESIDE = Path(__file__).parents[1] / "README.md"
README = BESIDE.read_text(encoding="utf-8") if BESIDE.exists() else str(metadata("mj-cli").get_payload())  # type: ignore[attr-defined]
TOLD = set(re.findall(r"--[a-z-]+", README))
EVERY = 33
"""One record in so many is of a stage that the mapping does not know."""
RECORDS = 1000
FAILING = [str(i) for i in range(EVERY, RECORDS + 1, EVERY)]
FIRMS = """\
      - ExternalObjectName: firms
        Entity: Firms
        ConflictResolution: Manual
        FieldMaps: [{SourceFieldName: name, DestinationFieldName: Name}]
"""


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mj.db", isolation_level=None)) as database:
        return database.execute(sql).fetchall()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- failed records --------------------------------------------------------------------------------


@pytest.fixture
def failing(mj: Run, folder: Path) -> Run:
    """Return `mj` after a sync of 1,000 records, 3 % of which could not be mapped."""
    lines = (f"{i},p{i}@x.org,First{i},Last{i},{'VIP' if i % EVERY == 0 else 'on'},{i}" for i in range(1, RECORDS + 1))
    (folder / "data" / "contacts.csv").write_text("\n".join(["id,email,first,last,stage,revenue", *lines]) + "\n")
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 3
    return mj


def test_the_ledger_holds_exactly_what_failed_with_a_reason(failing: Run, folder: Path) -> None:
    found = failing("failed", "list", "Acme files", "--json").json
    assert sorted(f["ExternalID"] for f in found) == sorted(FAILING)
    assert {(f["Stage"], f["Attempts"], f["ExternalObjectName"], f["Entity"]) for f in found} == {
        ("transform", 1, "contacts", "Contacts")
    }
    assert {f["Message"] for f in found} == {
        "stage → Status: step 'lookup': 'VIP' is not in the map; add it, or a DefaultValue",
    }
    assert query(folder, "SELECT count(*) FROM contacts") == [(RECORDS - len(FAILING),)]


def test_once_the_mapping_is_mended_the_next_sync_clears_the_ledger(failing: Run, folder: Path) -> None:
    assert failing("sync", "Acme files").code in (0, 3)
    assert {f["Attempts"] for f in failing("failed", "list", "Acme files", "--json").json} == {2}
    edit(folder / "crm.yaml", "{NO: Nothing,", "{VIP: Important, NO: Nothing,")
    assert failing("apply", "crm.yaml").code == 0
    assert failing("sync", "Acme files").code == 0
    assert failing("failed", "list", "Acme files").out == "no failed records\n"
    assert query(folder, "SELECT count(*) FROM contacts WHERE Status = 'Important'") == [(len(FAILING),)]
    assert query(folder, "SELECT count(*) FROM contacts") == [(RECORDS,)]


def test_the_list_fits_80_columns_and_says_how_many_more_there_are(failing: Run) -> None:
    ended = failing("failed", "list", "Acme files", "--limit", "4")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["External", "ID", "Stage", "Code", "Attempts", "Last", "failed"]
    assert " ".join(ended.out.split()).count("'VIP' is not in the map; add it, or a DefaultValue") == 4
    assert lines[-1] == f"{len(FAILING) - 4} more; --limit {len(FAILING)} lists all"
    assert "mj failed show 'Acme files' ID" in ended.err


def test_a_wide_list_has_a_line_per_record(failing: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = failing("failed", "list", "Acme files").out.splitlines()
    assert len(lines) == 1 + len(FAILING)
    assert all(line.endswith("add it, or a DefaultValue") for line in lines[1:])


def test_one_record_is_shown_as_it_came(failing: Run) -> None:
    ended = failing("failed", "show", "Acme files", "66")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    shown = [" ".join(line.split()) for line in ended.out.splitlines()]
    for line in ("External ID 66", "Entity map contacts → Contacts", "Attempts 1", 'stage "VIP"', 'first "First66"'):
        assert line in shown
    (found,) = failing("failed", "show", "Acme files", "66", "--json").json
    assert found["Raw"]["stage"] == "VIP"
    missing = failing("failed", "show", "Acme files", "67")
    assert (missing.code, missing.out) == (2, "")
    assert "no failed record named '67'" in missing.err


def test_a_retry_is_a_run_with_the_exit_code_of_a_sync(failing: Run, folder: Path) -> None:
    edit(folder / "crm.yaml", "{NO: Nothing,", "{VIP: Important, NO: Nothing,")
    assert failing("apply", "crm.yaml").code == 0
    ended = failing("failed", "retry", "Acme files", "--map", "contacts", "--json")
    assert (ended.code, ended.json["Status"]) == (0, "Completed")
    assert f"{len(FAILING)} failed records of earlier runs tried again: {len(FAILING)} succeeded" in str(ended.json)
    assert failing("failed", "list", "Acme files", "--json").json == []
    assert len(failing("runs", "--json").json) == 2
    assert "Acme files Completed" in failing("failed", "retry", "Acme files").out


def test_records_are_discarded_by_name_or_all(failing: Run) -> None:
    assert failing("failed", "discard", "Acme files", "33", "66").out == "2 failed records discarded\n"
    assert failing("failed", "discard", "Acme files", "33").code == 2
    assert failing("failed", "discard", "Acme files").code == 2
    assert failing("failed", "discard", "Acme files", "99", "--all").code == 2
    assert failing("failed", "discard", "Acme files", "--all", "--json").json == {
        "Connection": "Acme files",
        "Discarded": len(FAILING) - 2,
    }
    assert failing("failed", "list", "Acme files", "--json").json == []


@pytest.mark.parametrize(("typed", "options", "left"), [("n", [], 30), ("y", [], 0), ("", ["--yes"], 0)])
def test_on_a_terminal_discarding_all_is_asked_for(failing: Run, typed: str, options: list[str], left: int) -> None:
    leader, follower = pty.openpty()
    os.write(leader, f"{typed}\n".encode())
    command = [sys.executable, "-m", "mj_cli", "failed", "discard", "Acme files", "--all", *options]
    ended = subprocess.run(command, stdin=follower, capture_output=True, text=True, timeout=60)
    os.close(leader)
    os.close(follower)
    assert ("discard 30 failed records?" in ended.stderr) is not bool(options)
    assert ended.returncode == (1 if left else 0)
    assert len(failing("failed", "list", "Acme files", "--json").json) == left


# --- conflicts -------------------------------------------------------------------------------------


@pytest.fixture
def conflicting(mj: Run, folder: Path) -> Run:
    """Return `mj` after contacts 1 and 2 and firm 1 have changed on both sides."""
    edit(folder / "crm.yaml", "        FieldMaps:\n", "        ConflictResolution: Manual\n        FieldMaps:\n")
    edit(folder / "crm.yaml", "Connections:\n", "  - {Name: Firms, Table: firms, Fields: [{Name: Name}]}\nConnections:\n")
    (folder / "crm.yaml").write_text((folder / "crm.yaml").read_text() + FIRMS)
    (folder / "data" / "firms.csv").write_text("id,name\n1,Acme\n2,Globex\n")
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email IN ('ada@example.org', 'bob@example.org')")
    query(folder, "DELETE FROM firms WHERE Name = 'Acme'")
    edit(folder / "data" / "contacts.csv", "Lovelace", "Byron")
    edit(folder / "data" / "contacts.csv", "Ross", "Dylan")
    edit(folder / "data" / "firms.csv", "Acme", "Acme Inc")
    assert mj("sync", "Acme files", "--json").json["TotalRecordsConflicted"] == 3
    return mj


def names(folder: Path) -> list[str]:
    return [name for (name,) in query(folder, "SELECT FullName FROM contacts ORDER BY Email")]


def test_conflicts_are_listed_with_their_fields(conflicting: Run) -> None:
    ended = conflicting("conflicts", "list", "Acme files")
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines == [
        "External ID Map Answer Fields",
        "1 contacts waits for an answer FullName",
        "2 contacts waits for an answer FullName",
        "1 firms waits for an answer the row is gone",
    ]
    (first, second) = conflicting("conflicts", "list", "Acme files", "--map", "contacts", "--json").json
    assert conflicting("conflicts", "list", "Acme files", "--map", "Contacts", "--json").json == [first, second], "by entity"
    assert (first["Base"], first["Source"], first["Current"]) == (
        {"FullName": "Ada Lovelace"},
        {"FullName": "Ada Byron"},
        {"FullName": "Lady"},
    )
    assert (second["ExternalID"], second["Answer"]) == ("2", None)
    assert "2 more; --limit 3 lists all" in conflicting("conflicts", "list", "Acme files", "--limit", "1").out


def test_a_conflict_is_shown_field_by_field(conflicting: Run) -> None:
    ended = conflicting("conflicts", "show", "Acme files", "1")
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert "Field Last synced Source now Row now" in lines
    assert 'FullName "Ada Lovelace" "Ada Byron" "Lady"' in lines
    assert "the row was deleted here; the source still has the record" in lines
    assert max(map(len, ended.out.splitlines())) <= 80
    assert len(conflicting("conflicts", "show", "Acme files", "1", "--map", "firms", "--json").json) == 1
    assert conflicting("conflicts", "show", "Acme files", "9").code == 2


def test_a_source_delete_of_an_edited_row_waits_for_an_answer(mj: Run, folder: Path) -> None:
    edit(
        folder / "crm.yaml",
        "        FieldMaps:\n",
        "        ConflictResolution: Manual\n        DeleteBehavior: HardDelete\n        FieldMaps:\n",
    )
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    (key,) = (id_ for (id_,) in query(folder, "SELECT id FROM contacts WHERE FullName = 'Lady'"))
    contacts = folder / "data" / "contacts.csv"
    edit(contacts, next(row for row in contacts.read_text().splitlines(keepends=True) if "Lovelace" in row), "")
    planned = " ".join(mj("plan", "Acme files").out.split())
    assert "! contacts 1 → Contacts conflict: the source deleted the record, which was edited here" in planned
    assert mj("sync", "Acme files").code == 0
    assert "1 waits for an answer the source deleted the record" in " ".join(mj("conflicts", "list", "Acme files").out.split())
    shown = " ".join(mj("conflicts", "show", "Acme files", "1").out.split())
    assert "the source has deleted the record; the row was edited here" in shown
    assert 'FullName "Ada Lovelace" – "Lady"' in shown
    assert "Conflict (the source deleted the record): waits for an answer" in mj("explain", "Contacts", key).out
    assert mj("conflicts", "resolve", "Acme files", "--accept", "source", "1", "--now").code == 0
    assert "Lady" not in names(folder)


def test_an_answer_waits_for_the_next_run(conflicting: Run, folder: Path) -> None:
    ended = conflicting("conflicts", "resolve", "Acme files", "--accept", "source", "1", "--map", "contacts")
    assert ended.out == "1 conflict answered; the next `mj sync 'Acme files'` acts on it, or `--now`\n"
    assert names(folder)[:2] == ["Lady", "Lady"]
    assert "1 contacts accepted: source FullName" in " ".join(conflicting("conflicts", "list", "Acme files").out.split())
    assert conflicting("sync", "Acme files").code == 0
    assert names(folder)[:2] == ["Ada Byron", "Lady"]
    assert len(conflicting("conflicts", "list", "Acme files", "--json").json) == 2


def test_an_answer_can_be_acted_on_at_once(conflicting: Run, folder: Path) -> None:
    ended = conflicting("conflicts", "resolve", "Acme files", "--accept", "source", "--map", "firms", "--now")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "1 conflict answered"
    assert "Acme files Completed" in ended.out
    assert query(folder, "SELECT Name FROM firms ORDER BY Name") == [("Acme Inc",), ("Globex",)]
    ended = conflicting("conflicts", "resolve", "Acme files", "--accept", "current", "--all", "--now", "--json")
    assert (ended.code, ended.json["Answered"], ended.json["Run"]["Status"]) == (0, 2, "Completed")
    assert names(folder)[:2] == ["Lady", "Lady"]
    assert conflicting("conflicts", "list", "Acme files").out == "no conflicts\n"
    assert conflicting("conflicts", "resolve", "Acme files", "--accept", "current", "--all").out == "no conflicts\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["failed", "list", "Acme file"], "did you mean 'Acme files'?"),
        (["failed", "list", "Acme files", "--map", "contact"], "did you mean 'contacts'?"),
        (["failed", "retry", "Acme file"], "did you mean 'Acme files'?"),
        (["failed", "discard", "Acme files", "--all", "--map", "contact"], "did you mean 'contacts'?"),
        (["conflicts", "list", "Acme file"], "did you mean 'Acme files'?"),
        (["conflicts", "resolve", "Acme files", "--accept", "row", "--all"], "'row'"),
        (["conflicts", "resolve", "Acme files", "--accept", "source"], "name records, or use --map or --all"),
        (["conflicts", "resolve", "Acme files", "--accept", "source", "9"], "no conflict named '9'"),
        (["sync", "Acme files", "--remap", "--full"], "--remap"),
        (["sync", "Acme files", "--remap", "--since", "2026-01-01"], "--remap"),
    ],
)
def test_what_is_wrong_is_named(mj: Run, arguments: list[str], said: str) -> None:
    assert mj("apply", "crm.yaml").code == 0
    ended = mj(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_before_anything_is_stored_apply_is_named(mj: Run) -> None:
    ended = mj("failed", "list", "Acme files", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "`mj apply FILE`" in ended.err


@pytest.mark.parametrize("name", GROUPS)
def test_every_command_of_a_group_is_told_in_the_readme(name: str) -> None:
    group = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    for command, itself in group.commands.items():
        assert f"`mj {name} {command} CONNECTION" in README
        assert {o for each in itself.params for o in each.opts if o.startswith("--")} - {"--help"} <= TOLD


# --- sync --remap ----------------------------------------------------------------------------------


def test_a_remap_does_not_ask_the_source(mj: Run, folder: Path) -> None:
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    edit(folder / "crm.yaml", "Operation: lower", "Operation: upper")
    edit(folder / "data" / "contacts.csv", "Lovelace", "Byron")
    assert mj("apply", "crm.yaml").code == 0
    ended = mj("sync", "Acme files", "--remap", "--json")
    assert (ended.code, ended.json["TotalRecordsUpdated"]) == (0, 3)
    assert query(folder, "SELECT Email, FullName FROM contacts ORDER BY Email")[0] == ("ADA@EXAMPLE.ORG", "Ada Lovelace")
    assert json.loads(query(folder, "SELECT configuration FROM mj_integration_run ORDER BY id DESC")[0][0])["Mode"] == "remap"


def test_with_an_unknown_id_nothing_is_done_and_all_unknown_ones_are_named(failing: Run) -> None:
    ended = failing("failed", "discard", "Acme files", "33", "x", "6666", "99")
    assert (ended.code, ended.out) == (2, "")
    assert "no failed record named '6666', did you mean '66'?" in ended.err
    assert "no failed record named 'x'" in ended.err
    assert len(failing("failed", "list", "Acme files", "--json").json) == len(FAILING)


def test_a_count_of_one_is_told_as_such(conflicting: Run, folder: Path) -> None:
    assert conflicting("conflicts", "resolve", "Acme files", "--accept", "source", "2").out.startswith("1 conflict answered")
    lines = (folder / "data" / "contacts.csv").read_text().splitlines()
    (folder / "data" / "contacts.csv").write_text("\n".join(line for line in lines if not line.startswith("3,")) + "\n")
    told = " ".join(conflicting("sync", "Acme files", "--full", "--allow-deletes").out.split())
    assert "1 conflict was answered: 1 for the source" in told
    assert "1 record that the source no longer has was dealt with" in told
