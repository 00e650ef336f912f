"""`mj explain`, `mj verify` and `mj cancel`: why a row is as it is, whether it still is, and how a run is stopped."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mj_sandbox
import pytest
from mj_cli.scene import CONNECTION, TOKEN, set_up

Run = Callable[..., Any]
FIRMS = """\
      - ExternalObjectName: firms
        Entity: Firms
        Priority: 9
        FieldMaps: [{SourceFieldName: name, DestinationFieldName: Name}]
"""


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mj.db", isolation_level=None)) as database:
        return database.execute(sql).fetchall()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def squeezed(text: str) -> list[str]:
    assert max(map(len, text.splitlines())) <= 80
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def pulled(mj: Run) -> Run:
    """Return `mj` after a first sync."""
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    return mj


def key(folder: Path, email: str) -> str:
    return str(query(folder, f"SELECT id FROM contacts WHERE lower(Email) = '{email}'")[0][0])


# --- explain ---------------------------------------------------------------------------------------


def test_a_field_is_told_from_its_raw_value_to_its_last_change(pulled: Run, folder: Path) -> None:
    edit(folder / "data" / "contacts.csv", "Lovelace", "Byron")
    assert pulled("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    second, first = [run["ID"][-8:] for run in pulled("runs", "--json").json]
    ended = pulled("explain", "Contacts", key(folder, "ada@example.org"), "FullName")
    assert (ended.code, ended.err) == (0, "")
    lines = squeezed(ended.out)
    assert lines[1] == 'FullName "Lady"'
    assert "From Acme files: contacts 1" in lines
    assert "Match no row was found: the record made this one" in lines
    assert any(line.startswith(f"Run {first}, ") for line in lines)
    assert lines[lines.index('first → FullName "Ada"') :][:3] == [
        'first → FullName "Ada"',
        'combine "Ada Byron"',
        'FullName "Ada Byron"',
    ]
    written = [line.split()[2:] for line in lines if " run " in line]
    assert written == [f"{how} Acme files, contacts 1".split() for how in (f"created run {first}", f"updated run {second}")]
    assert 'FullName "Ada Lovelace" → "Ada Byron"' in lines
    assert lines[-2:] == ["since then changed by something else than a run", 'FullName "Ada Byron" → "Lady"']
    assert "Email" not in ended.out


def test_a_row_that_was_there_names_the_rule_that_found_it(mj: Run, folder: Path) -> None:
    assert mj("apply", "crm.yaml").code == 0
    query(folder, "INSERT INTO contacts (id, Email) VALUES ('k1', 'ada@example.org')")
    assert mj("sync", "Acme files").code == 0
    lines = squeezed(mj("explain", "Contacts", "k1").out)
    assert "Match the row was found by KeyFields" in lines
    assert "Acme files, contacts 1, found by KeyFields" in " ".join(lines)
    assert not any("since then" in line for line in lines)


def test_a_row_that_is_gone_keeps_its_story(pulled: Run, folder: Path) -> None:
    gone = key(folder, "bob@example.org")
    query(folder, f"DELETE FROM contacts WHERE id = '{gone}'")
    lines = squeezed(pulled("explain", "Contacts", gone).out)
    assert "the row is gone" in lines
    assert lines[-1] == "since then deleted by something else than a run"


def test_the_mapping_that_wrote_the_row_is_shown_after_a_change(pulled: Run, folder: Path) -> None:
    edit(folder / "crm.yaml", "Operation: lower", "Operation: upper")
    assert pulled("apply", "crm.yaml").code == 0
    lines = squeezed(pulled("explain", "Contacts", key(folder, "ada@example.org"), "Email").out)
    assert "Mapped by version 1 of the mapping, since changed" in lines
    assert 'text lower "ada@example.org"' in lines


def test_the_explanation_as_json(pulled: Run, folder: Path) -> None:
    told = pulled("explain", "Contacts", key(folder, "ada@example.org"), "Email", "--json").json
    assert told["Row"] == {"Email": "ada@example.org"}
    (origin,) = told["Origins"]
    assert origin["Link"]["SourceValues"]["email"] == "Ada@Example.org"
    assert origin["Trace"]["Fields"][0]["Steps"][0]["Value"] == "ada@example.org"
    assert len(bytes.fromhex(origin["Link"]["ContentHash"])) == 16
    assert told["Changes"][0]["Kind"] == "create"


def test_what_cannot_be_explained_is_named(pulled: Run, folder: Path) -> None:
    for arguments, said in [
        (("Contact", "x"), "did you mean 'Contacts'?"),
        (("Contacts", "x"), "no row of Contacts named 'x'"),
        (("Contacts", key(folder, "ada@example.org"), "Emial"), "did you mean 'Email'?"),
    ]:
        ended = pulled("explain", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err


# --- verify ----------------------------------------------------------------------------------------


def differ(folder: Path) -> None:
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    query(folder, "DELETE FROM contacts WHERE Email = 'bob@example.org'")
    edit(folder / "data" / "contacts.csv", "3,cy@example.org,Cy,Twombly,01,7\n", "4,dee@example.org,Dee,Dee,unheard of,1\n")


def test_rows_that_equal_the_source_end_with_0(pulled: Run) -> None:
    ended = pulled("verify", "Acme files")
    assert ended.code == 0
    assert ended.out.startswith("contacts → Contacts: 3 of 3 records present and equal as of 20")
    assert ended.out.count("\n") == 1
    assert "Acme files: contacts → Contacts: 3" in ended.err
    told = pulled("verify", "Acme files", "--json").json
    assert (told["Status"], told["Differences"], told["EntityMaps"][0]["Equal"]) == ("Equal", [], 3)


def test_differences_are_listed_and_end_with_3(pulled: Run, folder: Path) -> None:
    differ(folder)
    ended = pulled("verify", "Acme files", "--map", "contacts")
    assert ended.code == 3
    lines = squeezed(ended.out)
    said = " ".join(lines)
    assert "0 of 3 records present and equal as of" in said
    assert "1 missing, 1 different, 1 extra, 1 failed" in said
    assert '1 differs FullName "Ada Lovelace" "Lady"' in lines
    assert "2 no row" in lines
    assert "3 gone from the source" in lines
    assert "'unheard of' is not in the map" in said
    assert len(pulled("runs", "--json").json) == 1, "nothing was written"


def test_all_differences_are_one_json_object(pulled: Run, folder: Path) -> None:
    differ(folder)
    ended = pulled("verify", "Acme files", "--json")
    assert ended.code == 3
    found = {d["ExternalID"]: d for d in ended.json["Differences"]}
    assert {id_: d["Kind"] for id_, d in found.items()} == {"1": "different", "2": "missing", "3": "extra", "4": "failed"}
    assert found["1"]["Fields"] == [{"Name": "FullName", "Source": "Ada Lovelace", "Row": "Lady"}]
    assert {d["ExternalObjectName"] for d in found.values()} == {"contacts"}
    (entity_map,) = ended.json["EntityMaps"]
    assert [entity_map[kind] for kind in ("Missing", "Different", "Extra", "Failed")] == [1, 1, 1, 1]
    assert len(ended.out.splitlines()) == 6


def test_more_than_a_hundred_differences_are_counted(mj: Run, folder: Path) -> None:
    lines = (f"{i},p{i}@x.org,F,L,on,{i}" for i in range(1, 251))
    (folder / "data" / "contacts.csv").write_text("\n".join(["id,email,first,last,stage,revenue", *lines]) + "\n")
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Edited'")
    assert mj("verify", "Acme files").out.splitlines()[-1] == "150 more differences; --json lists all"
    assert len(mj("verify", "Acme files", "--json").json["Differences"]) == 250


def test_a_repair_is_a_run_after_which_all_is_equal(pulled: Run, folder: Path) -> None:
    query(folder, "UPDATE contacts SET FullName = 'Lady' WHERE Email = 'ada@example.org'")
    query(folder, "DELETE FROM contacts WHERE Email = 'bob@example.org'")
    ended = pulled("verify", "Acme files", "--repair", "--json")
    assert (ended.code, ended.json["TotalRecordsUpdated"], ended.json["TotalRecordsCreated"]) == (0, 1, 1)
    assert pulled("verify", "Acme files").code == 0
    assert "Acme files Completed" in pulled("verify", "Acme files", "--repair").out


def test_a_comparison_that_cannot_be_made_is_told(pulled: Run, folder: Path) -> None:
    for arguments in (["nix"], ["Acme files", "--map", "nix"], ["Acme files", "--wait"], ["Acme files", "--allow-deletes"]):
        ended = pulled("verify", *arguments, "--json")
        assert (ended.code, ended.out) == (2, "")
    (folder / "data" / "contacts.csv").unlink()
    ended = pulled("verify", "Acme files")
    assert (ended.code, ended.out) == (2, "")
    assert "contacts" in ended.err


def test_a_comparison_that_breaks_off_ends_its_json(mj: Run, folder: Path) -> None:
    edit(folder / "crm.yaml", "Connections:\n", "  - {Name: Firms, Table: firms, Fields: [{Name: Name}]}\nConnections:\n")
    (folder / "crm.yaml").write_text((folder / "crm.yaml").read_text() + FIRMS)
    (folder / "data" / "firms.csv").write_text("id,name\n1,Acme\n")
    assert mj("apply", "crm.yaml").code == 0
    assert mj("sync", "Acme files").code == 0
    query(folder, "UPDATE contacts SET FullName = 'Edited'")
    (folder / "data" / "firms.csv").unlink()
    ended = mj("verify", "Acme files", "--json")
    assert (ended.code, ended.json["Status"], len(ended.json["Differences"])) == (2, "Failed", 3)
    assert "firms" in ended.json["ErrorMessage"]


def test_ctrl_c_ends_a_comparison_between_two_pages_with_what_was_found(
    mj: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mj_sandbox.serve(contacts=2000, latency_ms=100) as handle:
        metadata, _ = set_up(folder / "demo", handle.address)
        monkeypatch.setenv(TOKEN, handle.token)
        assert mj("apply", str(metadata)).code == 0
        command = [sys.executable, "-m", "mj_cli", "verify", CONNECTION, "--map", "contacts", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as verifying:
            assert verifying.stderr is not None
            try:
                assert "contacts → " in verifying.stderr.readline(), "the first page is compared"
                verifying.send_signal(signal.SIGINT)
                printed, said = verifying.communicate(timeout=60)
            finally:
                verifying.kill()
    assert (verifying.returncode, "stopping after this batch" in said) == (1, True)
    told = json.loads(printed)
    assert told["Status"] == "Cancelled"
    assert 0 < told["EntityMaps"][0]["Missing"] == len(told["Differences"]) < 2000
    assert {d["ExternalObjectName"] for d in told["Differences"]} == {"contacts"}


# --- cancel ----------------------------------------------------------------------------------------


def test_a_run_is_stopped_from_elsewhere(mj: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mj_sandbox.serve(contacts=2000, latency_ms=300) as handle:
        metadata, _ = set_up(folder / "demo", handle.address)
        monkeypatch.setenv(TOKEN, handle.token)
        assert mj("apply", str(metadata)).code == 0
        command = [sys.executable, "-m", "mj_cli", "sync", CONNECTION, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as syncing:
            try:
                ends = time.monotonic() + 60
                while not (running := [run for run in mj("runs", "--json").json if run["Status"] == "Running"]):
                    assert time.monotonic() < ends
                    time.sleep(0.1)
                ended = mj("cancel", running[0]["ID"][-8:], "--json")
                assert ended.json == {"RunID": running[0]["ID"], "Status": "Cancelling"}
                printed, _ = syncing.communicate(timeout=60)
            finally:
                syncing.kill()
        assert syncing.returncode == 1
        assert json.loads(printed)["Status"] == "Cancelled"
        again = mj("cancel", running[0]["ID"])
        assert again.code == 2
        assert "is Cancelled already" in again.err
    assert mj("cancel", "nonsense").code == 2


def test_a_run_whose_process_is_gone_is_closed(pulled: Run, folder: Path) -> None:
    query(folder, "UPDATE mj_integration_run SET status = 'Running', completed_at = NULL")
    (run,) = pulled("runs", "--json").json
    assert pulled("cancel", run["ID"][-8:]).out == f"run {run['ID'][-8:]} is closed: nobody was running it any more\n"
    assert pulled("runs", "--json").json[0]["Status"] == "Cancelled"
