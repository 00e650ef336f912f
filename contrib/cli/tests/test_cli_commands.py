"""The commands on real files and a real database."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mj_cli.documents import parse

Run = Callable[..., Any]
SHARED = """\
Companies: [{Name: Beta}]
Entities:
  - {Name: Staff, Table: people, Fields: [{Name: Name}]}
Templates:
  - Name: People
    Provider: Files
    EntityMaps:
      - {ExternalObjectName: people, Entity: Staff, FieldMaps: [{SourceFieldName: name, DestinationFieldName: Name}]}
Connections:
  - {Name: One, Company: Acme, Provider: Files, Template: People, Configuration: {Folder: data}}
  - {Name: Two, Company: Beta, Provider: Files, Template: People, Configuration: {Folder: more}}
"""


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "mj.db") as database:
        found = database.execute(query).fetchall()
    database.close()
    return found


@pytest.fixture
def applied(mj: Run) -> Run:
    """Return `mj` after the metadata file was applied."""
    assert mj("apply", "crm.yaml").code == 0
    return mj


# --- metadata ------------------------------------------------------------------------------------


def test_init_makes_the_database(mj: Run, folder: Path) -> None:
    ended = mj("init", "--json")
    assert (ended.code, ended.json) == (0, {"Store": "sqlite:///mj.db", "Status": "Ready"})
    assert rows(folder, "SELECT count(*) FROM mj_integration_run") == [(0,)]


def test_plugins_lists_what_each_distribution_adds(mj: Run) -> None:
    plugins = {p["Name"]: p for p in mj("plugins", "--json").json}
    assert plugins["transform-text"]["Capabilities"] == [{"Kind": "transform type", "Name": "text"}]
    assert plugins["provider-files"]["Status"] == "Loaded"
    assert "provider Files" in mj("plugins").out


def test_a_dry_run_writes_nothing(mj: Run, folder: Path) -> None:
    ended = mj("apply", "crm.yaml", "--dry-run")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert "+ connection Acme files created" in lines
    assert "CREATE INDEX" in ended.out
    assert any(line.split() == ['"Email"', "VARCHAR(320),"] for line in lines)
    assert lines[-1].endswith("nothing was written")
    assert not (folder / "mj.db").exists()
    assert mj("init").code == 0
    assert mj("apply", "crm.yaml", "--dry-run").out == ended.out
    assert rows(folder, "SELECT count(*) FROM mj_company_integration") == [(0,)]


def test_apply_tells_what_differs_and_a_second_time_that_nothing_does(applied: Run, folder: Path) -> None:
    assert applied("apply", "crm.yaml").out == "nothing to change: all is as the files say\n"
    assert applied("sync", "Acme files").code == 0
    text = (folder / "crm.yaml").read_text()
    (folder / "crm.yaml").write_text(
        text.replace("Operation: lower", "Operation: upper").replace("Folder: data", "Folder: ./data")
    )
    dry, done = applied("apply", "crm.yaml", "--dry-run"), applied("apply", "crm.yaml")
    assert "~ connection Acme files changed" in done.out.splitlines()
    assert "3 linked records are mapped anew" in done.out
    assert dry.out.splitlines()[:-1] == done.out.splitlines()[:-1]
    ended = applied("sync", "Acme files", "--full", "--json").json
    assert ended["TotalRecordsUpdated"] == 3
    assert rows(folder, "SELECT Email FROM contacts ORDER BY Email")[0] == ("ADA@EXAMPLE.ORG",)


def test_what_is_exported_can_be_applied_again_and_changes_nothing(applied: Run, folder: Path) -> None:
    exported = applied("export")
    assert parse(exported.out, "x").data == applied("export", "--json").json
    assert applied("export", "-o", "again.yaml").code == 0
    assert (folder / "again.yaml").read_text() == exported.out
    assert applied("apply", "again.yaml").code == 0
    assert applied("export").out == exported.out


def test_every_problem_is_named_with_file_line_and_path(mj: Run, folder: Path) -> None:
    text = (folder / "crm.yaml").read_text()
    bad = text.replace("Type: lookup", "Type: lokup").replace("IsKeyField: true", "IsKey: true")
    (folder / "bad.yaml").write_text(bad)
    at_step, at_key = (bad[: bad.index(word)].count("\n") + 1 for word in ("lokup", "IsKey"))
    ended = mj("apply", "bad.yaml")
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    (step,) = [line for line in lines if "lokup" in line]
    assert step.startswith(f"bad.yaml:{at_step}: Connections[0].EntityMaps[0].FieldMaps[2].TransformPipeline[0].Type: ")
    assert "did you mean 'lookup'?" in step
    (key,) = [line for line in lines if "IsKey" in line]
    assert key.startswith(f"bad.yaml:{at_key}: Connections[0].EntityMaps[0].FieldMaps[0]")
    assert lines[-1] == "2 problems"
    assert "Traceback" not in ended.err
    assert rows(folder, "SELECT count(*) FROM mj_company_integration") == [(0,)]


def test_a_syntax_fault_is_named_before_anything_is_opened(mj: Run, folder: Path) -> None:
    (folder / "bad.yaml").write_text("Companies: []\nCompanies: []\n")
    ended = mj("apply", "bad.yaml")
    assert (ended.code, ended.err) == (2, "bad.yaml:2: the key 'Companies' is there twice\n")
    assert not (folder / "mj.db").exists()


# --- looks at the source ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("test",), ("discover",), ("discover", "contacts"), ("preview", "contacts")],
)
def test_a_file_can_be_looked_at_before_it_is_applied(mj: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    command, *rest = arguments
    ended = mj(command, "Acme files", *rest, "--file", "crm.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert max(len(line) for line in ended.out.replace(str(folder), "FOLDER").splitlines()) <= 80
    stored = mj("apply", "crm.yaml") and mj(command, "Acme files", *rest)
    assert stored.out == ended.out


def test_test_tells_what_is_wrong(mj: Run, folder: Path) -> None:
    (folder / "data").rename(folder / "elsewhere")
    ended = mj("test", "Acme files", "--file", "crm.yaml")
    assert ended.code == 2
    assert "there is no folder 'data'" in ended.err


def test_discover_lists_objects_and_fields(mj: Run) -> None:
    assert [o["Name"] for o in mj("discover", "Acme files", "--file", "crm.yaml", "--json").json] == ["contacts"]
    fields = mj("discover", "Acme files", "contacts", "--file", "crm.yaml", "--json").json
    assert [f["Name"] for f in fields] == ["id", "email", "first", "last", "stage", "revenue"]


def test_an_unknown_connection_is_named_with_the_nearest_one(applied: Run) -> None:
    for arguments in (("test", "Acme file"), ("sync", "Acme file"), ("test", "Acme file", "--file", "crm.yaml")):
        ended = applied(*arguments)
        assert ended.code == 2
        assert "did you mean 'Acme files'?" in ended.err


def test_preview_shows_each_steps_value(mj: Run) -> None:
    shown = mj("preview", "Acme files", "contacts", "--file", "crm.yaml", "--limit", "2")
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert lines[:4] == [
        "contacts 1 → Contacts",
        'email → Email "Ada@Example.org"',
        'text lower "ada@example.org"',
        'Email "ada@example.org"',
    ]
    assert "contacts 2 → Contacts" in lines
    assert not any("contacts 3" in line for line in lines)
    record = mj("preview", "Acme files", "contacts", "--file", "crm.yaml", "--json").json["Records"][0]
    assert record["Fields"][0]["Steps"] == [{"Type": "text", "Value": "ada@example.org", "Error": None, "Index": 0}]


def test_suggested_field_maps_can_be_applied_as_they_are(applied: Run, folder: Path) -> None:
    ended = applied("suggest", "Acme files", "contacts", "--create")
    assert ended.code == 0
    (folder / "more.yaml").write_text(ended.out.replace("Name: Contacts\n    Table: contacts", "Name: People\n    Table: people"))
    text = (folder / "more.yaml").read_text().replace("Entity: Contacts", "Entity: People")
    (folder / "more.yaml").write_text(text)
    assert applied("apply", "more.yaml").code == 0
    assert applied("sync", "Acme files").code == 0
    assert rows(folder, "SELECT count(*) FROM people") == [(3,)]


def test_suggestions_name_reason_and_score(mj: Run) -> None:
    ended = mj("suggest", "Acme files", "contacts", "Contacts", "--file", "crm.yaml")
    assert "{SourceFieldName: email, DestinationFieldName: Email" in ended.out
    assert "          # 100: 'email' is the field's name" in ended.out
    assert ended.err == "no suggestion for FullName, Status\n"
    assert mj("suggest", "Acme files", "contacts", "--file", "crm.yaml").code == 2


# --- runs ------------------------------------------------------------------------------------------


def test_a_sync_prints_one_json_object_and_its_counts_add_up(applied: Run, folder: Path) -> None:
    ended = applied("sync", "Acme files", "--json")
    run = ended.json
    assert ended.code == 0
    assert (run["Status"], run["TotalRecordsProcessed"], run["TotalRecordsCreated"]) == ("Completed", 3, 3)
    assert run["EntityMaps"][0]["RecordsCreated"] == 3
    assert rows(folder, "SELECT Email, FullName, Status FROM contacts ORDER BY Email") == [
        ("ada@example.org", "Ada Lovelace", "Nothing"),
        ("bob@example.org", "Bob Ross", "Active"),
        ("cy@example.org", "Cy Twombly", "First"),
    ]
    again = applied("sync", "Acme files", "--full", "--json").json
    counts = {key.removeprefix("TotalRecords"): n for key, n in again.items() if key.startswith("TotalRecords") and n}
    assert counts == {"Processed": 3, "Unchanged": 3}


def test_a_sync_that_leaves_records_behind_ends_with_3(applied: Run, folder: Path) -> None:
    with (folder / "data" / "contacts.csv").open("a") as file:
        file.write("4,dee@example.org,Dee,Dee,unheard of,1\n")
    ended = applied("sync", "Acme files")
    assert ended.code == 3
    assert "4: transform:" in ended.out
    assert "unheard of" in ended.out


def test_a_sync_of_a_broken_source_ends_with_1_and_without_traceback(applied: Run, folder: Path) -> None:
    (folder / "data" / "contacts.csv").write_bytes(b"id,email\n1,\xff\xfe\n")
    ended = applied("sync", "Acme files")
    assert ended.code in (1, 3)
    assert "Traceback" not in ended.out + ended.err


def test_a_connection_that_is_held_ends_with_4(applied: Run) -> None:
    from datetime import timedelta

    from mjcore.kernel import Kernel

    with Kernel("sqlite:///mj.db") as kernel:
        (connection,) = kernel.connections("Acme files")
        lease = kernel.store.acquire(connection.connection, "another machine", timedelta(seconds=60), lambda _: False)
        ended = applied("sync", "Acme files", "--json")
        assert ended.code == 4
        assert "another machine" in ended.json["ErrorMessage"]
        kernel.store.release(lease)
    assert applied("sync", "Acme files", "--wait").code == 0


def test_several_connections_run_at_once_and_the_worst_counts(mj: Run, folder: Path) -> None:
    text = (folder / "crm.yaml").read_text()
    start = text.index("  - Name: Acme files")
    second = text[start:].replace("Acme files", "Beta files").replace("Folder: data", "Folder: nowhere")
    (folder / "two.yaml").write_text(text + second)
    assert mj("apply", "two.yaml").code == 0
    ended = mj("sync", "--all", "--json")
    assert ended.code == 2
    assert {run["Connection"]: run["Status"] for run in ended.json} == {"Acme files": "Completed", "Beta files": "Failed"}
    assert mj("sync", "Acme files", "Beta files", "--map", "contacts").code == 2
    assert mj("sync", "--company", "Acme").code == 2
    assert mj("sync", "--template", "none").code == 2


def test_the_connections_of_a_template_run_together(mj: Run, folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "people.csv").write_text("id,name\n7,Dee\n")
    (folder / "data" / "people.csv").write_text("id,name\n7,Ann\n8,Bo\n")
    (folder / "shared.yaml").write_text(SHARED)
    assert mj("apply", "crm.yaml", "shared.yaml").code == 0
    ended = mj("sync", "--template", "People", "--json")
    assert ended.code == 0
    assert {run["Connection"]: run["TotalRecordsCreated"] for run in ended.json} == {"One": 2, "Two": 1}
    assert rows(folder, "SELECT Name FROM people ORDER BY Name") == [("Ann",), ("Bo",), ("Dee",)]
    assert [len(mj("sync", "--company", "Beta", "--json").json), len(mj("sync", "--all", "--json").json)] == [1, 3]
    shown = mj("sync", "One", "Two").out
    assert "One Completed" in shown
    assert "\n\nTwo Completed" in shown or "\n\nOne Completed" in shown
    assert [run["TotalRecordsProcessed"] for run in mj("runs", "--connection", "Two", "--json").json] == [0, 0, 0, 1]
    suggested = mj("suggest", "One", "people", "Staff")
    (folder / "suggested.yaml").write_text(suggested.out)
    assert mj("apply", "suggested.yaml").out == "nothing to change: all is as the files say\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("Acme files", "--all"), ("Acme files", "--until", "2026-01-01"), ("Acme files", "--full", "--since", "2026-01-01")],
)
def test_wrong_usage_ends_with_2(applied: Run, arguments: tuple[str, ...]) -> None:
    assert applied("sync", *arguments).code == 2


def test_history_shows_runs_and_one_run_by_the_end_of_its_id(applied: Run) -> None:
    assert applied("runs").out == "no runs yet\n"
    run = applied("sync", "Acme files", "--json").json
    (listed,) = applied("runs", "--json").json
    assert listed["ID"] == run["RunID"]
    shown = applied("runs").out
    assert "3 created" in shown
    assert run["RunID"][-8:] in shown
    assert max(map(len, shown.splitlines())) <= 80
    detail = applied("runs", run["RunID"][-8:])
    assert "contacts → Contacts" in detail.out
    assert max(map(len, detail.out.splitlines())) <= 80
    assert applied("runs", run["RunID"], "--json").json["Details"][0]["RecordsCreated"] == 3
    assert applied("runs", "nonsense").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        *[("plugins",), ("export",), ("test", "Acme files"), ("discover", "Acme files"), ("preview", "Acme files", "contacts")],
        *[("suggest", "Acme files", "contacts", "Contacts"), ("sync", "Acme files"), ("runs",), ("apply", "crm.yaml"), ("init",)],
    ],
)
def test_with_json_standard_output_is_json_and_nothing_else(applied: Run, arguments: tuple[str, ...]) -> None:
    ended = applied(*arguments, "--json")
    assert ended.code == 0
    json.loads(ended.out)
