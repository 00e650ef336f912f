"""A plan with metadata that is not applied yet: what a sync would do once it is, without applying it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve

from mjcore import Kernel
from mjcore.errors import ConfigError, UnknownName
from mjcore.plan import PlannedChange

FIELDS = {"name": "Name", "age": "Age"}


def document(folder: Path) -> dict[str, Any]:
    people = {
        "ExternalObjectName": "people",
        "Entity": "People",
        "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Name"]},
        "FieldMaps": [{"SourceFieldName": s, "DestinationFieldName": d} for s, d in FIELDS.items()],
    }
    connection = {"Name": "Files", "Company": "Acme", "Provider": "Files", "Configuration": {"Folder": str(folder)}}
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [{"Name": "People", "Table": "people", "Fields": [{"Name": "Name"}, {"Name": "Age", "Type": "number"}]}],
        "Connections": [{**connection, "EntityMaps": [people]}],
    }


def upper(told: dict[str, Any]) -> None:
    """Let a step change every name."""
    field_map = told["Connections"][0]["EntityMaps"][0]["FieldMaps"][0]
    field_map["TransformPipeline"] = [{"Type": "text", "Config": {"Operation": "upper"}}]


def column(told: dict[str, Any]) -> None:
    """Fill a column that is not there yet, and match by it."""
    told["Entities"][0]["Fields"].append({"Name": "City"})
    entity_map = told["Connections"][0]["EntityMaps"][0]
    entity_map["FieldMaps"].append({"SourceFieldName": "city", "DestinationFieldName": "City"})
    entity_map["MatchStrategy"]["KeyFields"] = ["City"]


def table(told: dict[str, Any]) -> None:
    """Fill a table that is not there yet."""
    told["Entities"].append({"Name": "Firms", "Table": "firms", "Fields": [{"Name": "Title"}]})
    field_maps = [{"SourceFieldName": "title", "DestinationFieldName": "Title"}]
    firms = {"ExternalObjectName": "firms", "Entity": "Firms", "FieldMaps": field_maps}
    told["Connections"][0]["EntityMaps"].append({**firms, "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Title"]}})


@define
class Place:
    folder: Path
    kernel: Kernel

    def changed(self, change: Any) -> dict[str, Any]:
        told = deepcopy(document(self.folder))
        change(told)
        return told

    def plan(self, *documents: Any, **options: Any) -> list[PlannedChange]:
        told: list[PlannedChange] = []
        result = self.kernel.plan("Files", *documents, full=True, listener=told.append, **options)
        assert (result.status, result.error) == ("Completed", None)
        return [evolve(c, key=(), new={n: v for n, v in c.new.items() if n != "id"}) if c.kind == "create" else c for c in told]

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self.folder / "t.db")) as database:
            return list(database.iterdump())

    def rows(self) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "t.db")) as database:
            return database.execute("SELECT Name, Age FROM people ORDER BY Name").fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "here"
    folder.mkdir()
    lines = [f"{i},Person {i},{i},City {i}" for i in range(1, 30)]
    (folder / "people.csv").write_text("\n".join(["id,name,age,city", *lines]) + "\n")
    (folder / "firms.csv").write_text("id,title\n1,Acme\n2,Globex\n")
    with Kernel(f"sqlite:///{folder}/t.db") as kernel:
        kernel.apply(document(folder))
        assert kernel.sync("Files").counts.created == 29
        (folder / "people.csv").write_text("\n".join(["id,name,age,city", *lines, "30,Person 30,30,City 30"]) + "\n")
        yield Place(folder, kernel)


@pytest.mark.parametrize("change", [upper, column, table])
def test_it_tells_what_a_plan_tells_once_it_is_applied_and_writes_nothing(place: Place, tmp_path: Path, change: Any) -> None:
    before, without = place.dump(), place.plan()
    changed = place.changed(change)
    told = place.plan(changed)
    assert told != without
    assert place.dump() == before
    shutil.copytree(place.folder, tmp_path / "copy")
    with Kernel(f"sqlite:///{tmp_path}/copy/t.db") as kernel:
        kernel.apply(changed)
        assert Place(tmp_path / "copy", kernel).plan() == told


def test_without_anything_stored_all_is_told_as_created(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,age\n1,Ada,1\n")
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        place = Place(tmp_path, kernel)
        (change,) = place.plan(document(tmp_path))
        assert (change.kind, dict(change.new)["Name"]) == ("create", "Ada")
        assert kernel.connections() == []
        with pytest.raises(UnknownName):
            kernel.plan("Other", document(tmp_path))


def test_its_file_is_applied_after_the_metadata_and_not_before(place: Place, tmp_path: Path) -> None:
    changed, path, rows = place.changed(upper), tmp_path / "plan", place.rows()
    place.plan(changed, path=path)
    with pytest.raises(ConfigError, match=r"people: planned with a mapping that is not applied; apply its file first"):
        place.kernel.sync("Files", plan=path)
    assert place.rows() == rows
    place.kernel.apply(changed)
    assert place.kernel.sync("Files", plan=path).counts.updated == 29
    assert [name for name, _ in place.rows()] == sorted(f"PERSON {i}" for i in range(1, 31))


def test_a_file_that_was_planned_with_another_mapping_is_refused(place: Place, tmp_path: Path) -> None:
    path, rows = tmp_path / "plan", place.rows()
    place.plan(place.changed(upper), path=path)
    place.kernel.apply(place.changed(column))
    with pytest.raises(ConfigError, match="people: its mapping has changed since the plan was made"):
        place.kernel.sync("Files", plan=path)
    assert place.rows() == rows


def test_maps_that_have_no_identity_yet_are_planned_again(place: Place, tmp_path: Path) -> None:
    changed, path = place.changed(table), tmp_path / "plan"
    place.plan(changed, path=path)
    place.kernel.apply(changed)
    with pytest.raises(ConfigError, match="make it anew"):
        place.kernel.sync("Files", plan=path)


def test_every_problem_of_the_metadata_is_told(place: Place) -> None:
    wrong = place.changed(upper)
    wrong["Connections"][0]["EntityMaps"][0]["Entity"] = "Peopel"
    with pytest.raises(ConfigError, match="Peopel"):
        place.kernel.plan("Files", wrong)
