"""What is declared, and what reading costs."""

import csv
import gzip
import json
import tracemalloc
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import mj_provider_files
import pytest
from attrs import evolve, fields
from mj_provider_files import FileObject, Files, NoAuth

from mjcore.capabilities import RecordReader
from mjcore.errors import ConfigError
from mjcore.loader import load_plugins, new_manager
from mjcore.records import FetchRequest
from mjcore.wire import pascal, structure


def test_the_installed_plugin_declares_one_provider() -> None:
    (entry,) = entry_points(group="mj", name="provider-files")
    manager = new_manager()
    (plugin,) = load_plugins(manager, {"provider-files": entry.load()}, (), discover=False)
    assert plugin.error is None
    ((declared,),) = manager.hook.mj_provider_types()
    assert (declared.name, declared.open) == ("Files", mj_provider_files.open_files)
    assert structure(NoAuth, {}) == NoAuth()


def test_a_folder_is_all_that_has_to_be_set() -> None:
    assert structure(Files, {"Folder": "data"}) == Files("data")


def test_a_home_that_nobody_has_is_a_configuration_error(folder_at: Any) -> None:
    with pytest.raises(ConfigError, match=r"Folder: '~nobody-of-this-name/data': .* write the path in full"):
        folder_at(Path("~nobody-of-this-name/data")).open()


def test_records_can_be_read_by_id(folder: Any) -> None:
    assert isinstance(folder.open(), RecordReader)


def write(path: Path, count: int) -> None:
    rows = [{"id": str(i), "name": f"name {i}", "note": "n" * 20} for i in range(count)]
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        with gzip.open(path, "wt", newline="", compresslevel=1) if path.suffix == ".gz" else path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def peak(folder: Any, name: str) -> int:
    """Return the most bytes that reading a file page by page has held at once."""
    source = folder.open()
    request: FetchRequest | None = FetchRequest(
        "people", ("id", "name", "note"), None, source.high_watermark("people"), None, 500
    )
    tracemalloc.start()
    while request is not None:
        page = source.fetch(request)
        request = evolve(request, checkpoint=page.next) if page.next is not None else None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    folder.close()
    return most


@pytest.mark.parametrize("name", ["people.csv", "people.csv.gz", "people.jsonl", "people.json"])
def test_memory_does_not_grow_with_the_file(folder: Any, name: str) -> None:
    write(folder.path / name, 8_000)
    small = peak(folder, name)
    write(folder.path / name, 64_000)
    assert peak(folder, name) < small * 1.2


def test_the_readme_shows_settings_that_are_read() -> None:
    readme = Path(__file__).parents[1] / "README.md"
    _, block, text = readme.read_text().split("```", 2)
    assert block.startswith("yaml")
    for name in {attribute.name for attribute in fields(FileObject)}:
        assert f"| `{pascal(name)}` |" in text
    orders: Any = {"Path": "orders/*.csv.gz", "KeyFields": ["order_no"], "ModifiedField": "updated_at"}
    assert 'orders: {Path: "orders/*.csv.gz", KeyFields: [order_no], ModifiedField: updated_at}' in block
    structure(Files, {"Folder": "data", "Objects": {"orders": orders}})
