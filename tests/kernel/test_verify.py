"""The rows are compared with the source, record by record, and repaired."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mjcore import Kernel
from mjcore.progress import Progress
from mjcore.verify import Difference

PEOPLE = {
    "ExternalObjectName": "people",
    "Entity": "People",
    "ConflictResolution": "DestWins",
    "DeleteBehavior": "HardDelete",
    "FieldMaps": [
        {"SourceFieldName": "name", "DestinationFieldName": "Name"},
        {"SourceFieldName": "age", "DestinationFieldName": "Age"},
    ],
}
DOCUMENT: dict[str, Any] = {
    "Companies": [{"Name": "Acme"}],
    "Entities": [{"Name": "People", "Table": "people", "Fields": [{"Name": "Name"}, {"Name": "Age", "Type": "number"}]}],
    "Connections": [{"Name": "Files", "Company": "Acme", "Provider": "Files", "EntityMaps": [PEOPLE]}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [f"{i},Person {i},{i}" for i in range(1, 3001)]
    (tmp_path / "people.csv").write_text("\n".join(["id,name,age", *lines]) + "\n")
    return tmp_path


@pytest.fixture
def kernel(folder: Path) -> Iterator[Kernel]:
    connection = {**DOCUMENT["Connections"][0], "Configuration": {"Folder": str(folder)}}
    with Kernel(f"sqlite:///{folder}/t.db") as kernel:
        kernel.apply({**DOCUMENT, "Connections": [connection]})
        assert kernel.sync("Files").counts.created == 3000
        yield kernel


def edit(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "t.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_equal_rows_are_counted(kernel: Kernel) -> None:
    (found,) = kernel.verify("Files")
    assert found.is_equal
    assert (found.records, found.equal) == (3000, 3000)


def test_each_kind_of_difference_is_told_and_nothing_is_written(kernel: Kernel, folder: Path) -> None:
    edit(folder, "UPDATE people SET Name = 'Edited' WHERE Age = 7", "DELETE FROM people WHERE Age = 8")
    text = (folder / "people.csv").read_text()
    (folder / "people.csv").write_text(
        text.replace("9,Person 9,9\n", "", 1).replace("10,Person 10,10", "10,Person 10,ten") + "3001,New,1\n"
    )
    before = kernel.runs()
    told: list[Difference] = []
    (found,) = kernel.verify("Files", listener=told.append)
    assert {(d.kind, d.external_id) for d in told} == {
        ("different", "7"),
        ("missing", "8"),
        ("extra", "9"),
        ("failed", "10"),
        ("missing", "3001"),
    }
    assert {d.external_object_name for d in told} == {"people"}
    assert next(d for d in told if d.external_id == "7").fields == (("Name", "Person 7", "Edited"),)
    assert found.counts == {"missing": 2, "different": 1, "extra": 1, "failed": 1}
    assert found.equal == 2996
    assert kernel.runs() == before


def test_a_repair_re_asserts_the_source_whatever_the_policy(kernel: Kernel, folder: Path) -> None:
    edit(folder, "UPDATE people SET Name = 'Edited' WHERE Age <= 500", "DELETE FROM people WHERE Age > 2900")
    assert kernel.sync("Files", full=True).counts.updated == 0, "the rows' own values win, and nothing has changed"
    result = kernel.repair("Files")
    assert (result.error, result.counts.updated, result.counts.created, result.counts.unchanged) == (None, 500, 100, 2400)
    (found,) = kernel.verify("Files")
    assert found.is_equal
    assert kernel.connections("Files")[0].entity_maps[0].conflict_resolution == "DestWins"


def test_a_comparison_and_a_repair_tell_how_far_they_are(kernel: Kernel) -> None:
    told: list[Progress] = []
    kernel.verify("Files", progress=told.append)
    assert [p.counts.processed for p in told] == sorted({p.counts.processed for p in told})
    assert (told[-1].counts.processed, told[-1].external_object_name, told[-1].entity) == (3000, "people", "People")
    told.clear()
    kernel.repair("Files", progress=told.append)
    assert told[-1].counts.processed == 3000


def test_a_comparison_stops_between_two_pages_with_what_was_found_so_far(kernel: Kernel, folder: Path) -> None:
    edit(folder, "UPDATE people SET Name = 'Edited' WHERE Age = 7", "DELETE FROM people WHERE Age = 2999")
    whole: list[Progress] = []
    kernel.verify("Files", progress=whole.append)
    told, found = list[Progress](), list[Difference]()
    (stopped,) = kernel.verify("Files", listener=found.append, progress=told.append, cancel=lambda: bool(told))
    assert not stopped.is_whole
    assert len(told) == 1 < len(whole)
    assert stopped.records == told[0].counts.processed
    assert [d.external_id for d in found] == [d.external_id for d in stopped.first] == ["7"]
    assert stopped.counts["extra"] == 0, "what was not read is not called gone"
    (at_once,) = kernel.verify("Files", cancel=lambda: True)
    assert (at_once.is_whole, at_once.records) == (False, 0)
    (again,) = kernel.verify("Files")
    assert again.is_whole


def test_a_repair_that_is_cancelled_is_gone_on_with(kernel: Kernel, folder: Path) -> None:
    edit(folder, "UPDATE people SET Name = 'Edited'")
    told: list[Progress] = []
    result = kernel.repair("Files", progress=told.append, cancel=lambda: bool(told))
    assert result.status == "Cancelled"
    assert kernel.repair("Files").status == "Completed"
    (found,) = kernel.verify("Files")
    assert found.is_equal
