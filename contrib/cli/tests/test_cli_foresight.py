"""`mj plan`, `mj sync --plan` and `mj undo`: what a sync would do, exactly that, and back again."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mj.db", isolation_level=None)) as database:
        return database.execute(sql).fetchall()


def contacts(folder: Path) -> list[tuple[Any, ...]]:
    return query(folder, "SELECT Email, FullName, Status, Revenue FROM contacts ORDER BY Email")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def changed(mj: Run, folder: Path) -> Run:
    """Return `mj` after a first sync, when one contact has changed and one is new."""
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    edit(folder / "data" / "contacts.csv", "Lovelace", "Byron")
    with (folder / "data" / "contacts.csv").open("a") as file:
        file.write("4,dee@example.org,Dee,Dee,on,1\n")
    return mj


# --- plan ------------------------------------------------------------------------------------------


def test_a_plan_tells_each_change_and_writes_nothing(changed: Run, folder: Path) -> None:
    before = contacts(folder)
    ended = changed("plan", "Acme files")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    lines = [line.strip() for line in ended.out.splitlines()]
    at = lines.index("~ contacts 1 → Contacts")
    assert lines[at + 1] == 'FullName: "Ada Lovelace" → "Ada Byron"'
    at = lines.index("+ contacts 4 → Contacts")
    assert lines[at + 1 : at + 3] == ['Email: "dee@example.org"', 'FullName: "Dee Dee"']
    assert "contacts: reads everything" in lines
    assert "a sync of 'Acme files' would do this; nothing was written" in lines
    assert contacts(folder) == before
    assert len(changed("runs", "--json").json) == 1


def test_all_changes_of_a_plan_are_one_json_object(changed: Run) -> None:
    told = changed("plan", "Acme files", "--json").json
    assert [(c["Kind"], c["ExternalID"]) for c in sorted(told["Changes"], key=lambda c: c["ExternalID"])] == [
        ("update", "1"),
        ("create", "4"),
    ]
    assert (told["Status"], told["TotalRecordsCreated"], told["TotalRecordsUpdated"]) == ("Completed", 1, 1)
    assert told["Windows"]["contacts"]["IsFull"] is True


def test_more_changes_are_counted(changed: Run) -> None:
    lines = changed("plan", "Acme files", "--limit", "1").out.splitlines()
    assert "1 more changes; --limit 2 lists all" in lines
    assert sum(line[0] in "+~" for line in lines if line) == 1


def test_a_plan_is_applied_as_it_was_told(changed: Run, folder: Path) -> None:
    planned = changed("plan", "Acme files", "-o", "acme.plan")
    assert "`mj sync 'Acme files' --plan acme.plan` does exactly this" in planned.err
    edit(folder / "data" / "contacts.csv", "Byron", "King")
    ended = changed("sync", "Acme files", "--plan", "acme.plan", "--json")
    assert (ended.code, ended.json["TotalRecordsCreated"], ended.json["TotalRecordsUpdated"]) == (0, 1, 1)
    assert [name for _, name, *_ in contacts(folder)] == ["Ada Byron", "Bob Ross", "Cy Twombly", "Dee Dee"]
    again = changed("sync", "Acme files", "--plan", "acme.plan")
    assert again.code in (1, 2)
    assert "make it anew" in again.out + again.err


def test_a_plan_says_which_records_would_fail(changed: Run, folder: Path) -> None:
    edit(folder / "data" / "contacts.csv", "Dee,Dee,on", "Dee,Dee,unheard of")
    ended = changed("plan", "Acme files")
    assert ended.code == 3
    assert "'unheard of' is not in the map" in " ".join(ended.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "Acme file"], "did you mean 'Acme files'?"),
        (["plan", "Acme files", "--map", "contact"], "did you mean 'contacts'?"),
        (["plan", "Acme files", "-o", "nowhere/p"], "plan nowhere/p: "),
        (["sync", "Acme files", "--plan", "nowhere"], "plan nowhere: "),
        (["sync", "Acme files", "--plan", "crm.yaml"], "not a plan"),
        (["sync", "--all", "--plan", "crm.yaml"], "--plan takes one connection"),
        (["plan", "Acme files", "--remap", "--full"], "leave out --full"),
        (["sync", "Acme files", "--full", "--plan", "crm.yaml"], "--plan takes one connection"),
        (["undo", "nonsense"], "no run named 'nonsense'"),
        (["undo"], "name a run"),
        (["undo", "--since", "2026-01-01"], "name a run"),
        (["undo", "x", "--map", "contacts"], "name a run"),
        (["undo", "--since", "x", "--map", "contacts", "--connection", "Acme files"], "--since: 'x' is no ISO 8601 time"),
        (["undo", "--since", "2026-01-01", "--map", "contact", "--connection", "Acme files"], "did you mean 'contacts'?"),
    ],
)
def test_what_is_wrong_is_named(changed: Run, arguments: list[str], said: str) -> None:
    ended = changed(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_map_is_planned_before_it_is_applied(changed: Run, folder: Path) -> None:
    assert changed("sync", "Acme files").code == 0
    edit(folder / "crm.yaml", "on: Active", "on: Open")
    before, runs = contacts(folder), changed("runs", "--json").json
    planned = changed("plan", "Acme files", "--full", "--file", "crm.yaml", "-o", "plan.jsonl", "--json")
    assert (planned.code, planned.json["TotalRecordsUpdated"]) == (0, 2)
    assert [change["New"]["Status"] for change in planned.json["Changes"]] == ["Open", "Open"]
    assert "`mj apply crm.yaml` first, then `mj sync 'Acme files' --plan plan.jsonl` does exactly this" in planned.err
    assert (contacts(folder), changed("runs", "--json").json) == (before, runs)
    refused = changed("sync", "Acme files", "--plan", "plan.jsonl")
    assert (refused.code, contacts(folder)) == (2, before)
    assert "planned with a mapping that is not applied; apply its file first" in refused.err
    assert changed("apply", "crm.yaml").code == 0
    assert changed("sync", "Acme files", "--plan", "plan.jsonl").code == 0
    assert [row[2] for row in contacts(folder)].count("Open") == 2


def test_a_mistake_in_a_map_that_is_planned_has_its_line(changed: Run, folder: Path) -> None:
    edit(folder / "crm.yaml", "DestinationFieldName: Email", "DestinationFieldName: Emial")
    ended = changed("plan", "Acme files", "--file", "crm.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert "crm.yaml:" in ended.err
    assert "did you mean 'Email'?" in ended.err


def test_a_window_is_planned_again(changed: Run, folder: Path) -> None:
    assert changed("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    assert changed("plan", "Acme files", "--since", "2020-01-01", "--json").json["TotalRecordsProcessed"] == 4
    assert changed("plan", "Acme files", "--since", "2020-01-01", "--full").code == 2
    assert "--since: 'x' is no ISO 8601 time" in changed("plan", "Acme files", "--since", "x").err


# --- undo ------------------------------------------------------------------------------------------


def test_a_run_is_undone_after_a_look(changed: Run, folder: Path) -> None:
    before = contacts(folder)
    run = changed("sync", "Acme files", "--json").json["RunID"]
    after = contacts(folder)
    dry = changed("undo", run[-8:], "--dry-run")
    assert dry.code == 0
    assert dry.out.splitlines()[:2] == [
        f"run {run[-8:]} would be undone; nothing was written",
        "1 created row removed, 1 update taken back",
    ]
    assert contacts(folder) == after
    ended = changed("undo", run[-8:])
    assert (ended.code, ended.out.splitlines()[1]) == (0, "1 created row removed, 1 update taken back")
    assert "`mj sync 'Acme files' --manual` ends that" in ended.out
    assert contacts(folder) == before
    refused = changed("sync", "Acme files")
    assert (refused.code, contacts(folder)) == (2, before)
    assert "a manual sync runs it: mj sync 'Acme files' --manual" in " ".join(refused.out.split())
    assert changed("sync", "Acme files", "--manual").code == 0
    assert contacts(folder) == after


def test_a_plan_ends_a_pause_as_a_sync_does(changed: Run, folder: Path) -> None:
    run = changed("sync", "Acme files", "--json").json["RunID"]
    after = contacts(folder)
    assert changed("undo", run).code == 0
    assert changed("plan", "Acme files", "-o", "plan.jsonl").code == 0
    assert changed("sync", "Acme files", "--plan", "plan.jsonl").code == 2
    assert changed("sync", "Acme files", "--plan", "plan.jsonl", "--manual").code == 0
    assert contacts(folder) == after


def test_what_was_changed_since_stays_and_is_listed(changed: Run, folder: Path) -> None:
    run = changed("sync", "Acme files", "--json").json["RunID"]
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    ended = changed("undo", run)
    assert ended.code == 3
    said = " ".join(ended.out.split())
    assert "1 created row removed, 1 skipped" in said
    assert "changed since: FullName" in said
    assert ("ada@example.org", "Lady", "Nothing", 12.5) in contacts(folder)
    again = changed("undo", run, "--dry-run", "--json")
    assert (again.code, again.json["Skips"][0]["ExternalID"]) == (3, "1")


def test_all_runs_since_a_time_are_undone(changed: Run, folder: Path) -> None:
    assert changed("sync", "Acme files").code == 0
    narrowed = ["--since", "2020-01-01", "--connection", "Acme files", "--map", "contacts"]
    assert len(changed("undo", *narrowed, "--dry-run", "--json").json) == 2
    assert changed("undo", *narrowed).code == 0
    assert contacts(folder) == []
    future = ["--since", "2999-01-01", "--connection", "Acme files", "--map", "contacts"]
    assert changed("undo", *future).out == "nothing to undo: no run since then\n"
