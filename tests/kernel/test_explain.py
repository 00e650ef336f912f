"""Every cell is explained: raw value, steps by the mapping that wrote it, runs, later changes."""

from pathlib import Path
from typing import Any

import pytest

from mjcore import Kernel
from mjcore.errors import UnknownName

UPPER = {"Type": "text", "Config": {"Operation": "upper"}}
LOWER = {"Type": "text", "Config": {"Operation": "lower"}}


def document(folder: Path, step: dict[str, Any], **entity: Any) -> dict[str, Any]:
    field_maps = [
        {"SourceFieldName": "name", "DestinationFieldName": "Name", "TransformPipeline": [step]},
        {"SourceFieldName": "city", "DestinationFieldName": "City"},
        {"SourceFieldName": "id", "DestinationFieldName": "No"},
    ]
    people = {"ExternalObjectName": "people", "Entity": "People", "FieldMaps": field_maps}
    fields = [{"Name": "Name"}, {"Name": "City"}, {"Name": "No", "Type": "number"}]
    connection = {"Name": "Files", "Company": "Acme", "Provider": "Files", "Configuration": {"Folder": str(folder)}}
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [{"Name": "People", "Table": "people", "Fields": fields, **entity}],
        "Connections": [{**connection, "EntityMaps": [people]}],
    }


def test_a_cell_is_explained_from_its_raw_value_to_its_last_change(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,city\n1,Ada,London\n2,Bob,Rome\n")
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        kernel.apply(document(tmp_path, UPPER))
        first = kernel.sync("Files")
        (tmp_path / "people.csv").write_text("id,name,city\n1,Ada L.,London\n2,Bob,Rome\n")
        second = kernel.sync("Files")
        kernel.apply(document(tmp_path, LOWER))
        change = next(c for c in kernel.store.changes(run_id=second.run_id))
        found = kernel.explain("People", str(change.key[0]), "Name")
        assert found.row == {"Name": "ADA L."}
        (origin,) = found.origins
        assert (origin.connection, origin.external_object_name, origin.link.external_id) == ("Files", "people", "1")
        assert origin.trace is not None
        (traced,) = origin.trace.fields
        assert (traced.raw, [(s.type, s.value) for s in traced.steps], traced.value) == ("Ada L.", [("text", "ADA L.")], "ADA L.")
        assert [(c.kind, c.run_id, c.new["Name"]) for c in found.changes] == [
            ("create", first.run_id, "ADA"),
            ("update", second.run_id, "ADA L."),
        ]
        whole = kernel.explain("People", str(change.key[0]))
        assert whole.row is not None
        assert whole.row["City"] == "London"
        assert origin.trace.fields[0] in (whole.origins[0].trace or origin.trace).fields


def test_a_key_of_several_columns_is_written_with_commas(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,city\n1,Ada,London\n")
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        kernel.apply(document(tmp_path, UPPER, PrimaryKey=["City", "No"], KeyOrigin="mapped"))
        kernel.sync("Files")
        assert kernel.explain("People", "London, 1").key == ("London", 1)
        with pytest.raises(UnknownName, match="key of 2 parts"):
            kernel.explain("People", "London")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,city\n1,Ada,London\n")
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        kernel.apply(document(tmp_path, UPPER))
        with pytest.raises(UnknownName, match="did you mean 'People'"):
            kernel.explain("Peeple", "x")
        with pytest.raises(UnknownName, match="no row of People named 'x'"):
            kernel.explain("People", "x")
        with pytest.raises(UnknownName, match="did you mean 'City'"):
            kernel.explain("People", "x", "Citi")
