"""Which objects there are, what identifies their records, and what is told where something is wrong."""

import gzip
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from mj_provider_files import Files

from mjcore.errors import ConfigError, NotSupported
from mjcore.wire import structure

ROWS = "id,name\n1,Ada\n"


def write(folder: Any, *names: str, content: bytes = ROWS.encode()) -> None:
    for name in names:
        path = folder.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def test_objects_are_files_by_stem_where_that_is_unique(folder: Any) -> None:
    write(folder, "a.csv", "b.csv.gz", "c.csv", "c.tsv", "d.txt", ".e.csv", "sub/f.csv", "g.CSV", "taken.csv", "orders.csv")
    folder.configuration = {
        "Objects": {"all": {"Path": "sub/*.csv"}, "mine": {"Path": "taken.csv"}, "orders": {"Path": "sub/f.csv"}}
    }
    assert [found.name for found in folder.open().objects()] == [
        "a", "all", "b", "c.csv", "c.tsv", "g", "mine", "orders", "orders.csv",
    ]  # fmt: skip
    assert {found.deletes for found in folder.open().objects()} == {"sweep"}


def test_a_map_may_name_a_path_or_a_pattern(folder: Any) -> None:
    write(folder, "sub/a.csv", "sub/deep/b.csv", "x[1].csv")
    assert folder.drain("sub/a.csv").ids == ["1"]
    assert folder.drain("**/*.csv").ids == ["1", "1", "1"]
    assert folder.drain("x[1].csv").ids == ["1"]
    assert folder.drain("x[1]").ids == ["1"]


@pytest.mark.parametrize(
    "name", ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", "C:\\secret.csv", "..\\secret.csv", "", "a\0b"]
)
def test_nothing_outside_the_folder_can_be_named(folder: Any, name: str) -> None:
    inside = folder.path / "inside"
    write(folder, "secret.csv", "inside/a.csv")
    folder.path = inside
    with pytest.raises(NotSupported):
        folder.drain(name)
    with pytest.raises(ConfigError) as error:
        structure(Files, {"Folder": ".", "Objects": {"x": {"Path": name}}})
    assert "must be a path or pattern inside the folder" in str(error.value)


def test_links_do_not_lead_out_of_the_folder(folder: Any) -> None:
    write(folder, "secret.csv", "inside/a.csv")
    folder.path = folder.path / "inside"
    (folder.path / "secret.csv").symlink_to(folder.path.parent / "secret.csv")
    (folder.path / "same.csv").symlink_to(folder.path / "a.csv")
    (folder.path / "up").symlink_to(folder.path.parent)
    assert folder.drain("same").ids == ["1"]
    for name in ("secret", "secret.csv", "up/secret.csv", "up/*.csv"):
        with pytest.raises(NotSupported, match="a link that leads out of"):
            folder.drain(name)


def test_the_key_is_id_or_named_after_the_object(folder: Any) -> None:
    write(folder, "orders.csv", content=b"name,Order_ID\na,7\n")
    write(folder, "people.csv", content=b"ID,people_id\n8,9\n")
    assert folder.drain("orders").ids == ["7"]
    assert folder.drain("people").ids == ["8"]
    assert {found.name: (found.is_unique, found.is_required) for found in folder.open().fields("orders")} == {
        "name": (False, False),
        "Order_ID": (True, True),
    }


def test_without_a_key_the_columns_are_named(folder: Any) -> None:
    write(folder, "people.csv", content=b"mail,name\na@b.org,a\n")
    expected = r"Configuration\.Objects\.people\.KeyFields \(columns: mail, name\)"
    with pytest.raises(NotSupported, match=expected):
        folder.drain("people")
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "KeyFields": ["Mail"]}}}
    with pytest.raises(NotSupported, match="people: no column 'Mail', did you mean 'mail'"):
        folder.drain("people")
    assert [found.name for found in folder.open().fields("people")] == ["mail", "name"]


def test_several_key_fields_make_one_id_and_no_two_are_alike(folder: Any) -> None:
    write(folder, "people.csv", content=b'a,b\n1,2\n"1|2",3\n1,"2|3"\n"x\\",y\nx,"\\y"\n,5\n6, \n')
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "KeyFields": ["a", "b"]}}}
    drained = folder.drain("people")
    assert drained.ids == ["1|2", "1\\|2|3", "1|2\\|3", "x\\\\|y", "x|\\\\y"]
    assert [error.code for error in drained.errors] == ["missing_key", "missing_key"]
    assert not any(found.is_unique for found in folder.open().fields("people"))


def test_types_are_inferred_only_where_every_sampled_value_fits(folder: Any) -> None:
    columns = {
        "id": ["1", "2"], "price": ["12.50", "-3"], "zip": ["01067", "10115"], "ok": ["true", "false"], "flag": ["1", "0"],
        "day": ["2026-01-31", ""], "at": ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+02:00"], "naive": ["2026-01-31 10:00", ""],
        "mail": ["a@b.org", "c@d.org"], "web": ["https://a.org/x", "http://b.org"], "mixed": ["1", "x"], "none": ["", ""],
        "big": ["123456789012345678901234567890", "1"],
    }  # fmt: skip
    rows = [",".join(columns), *map(",".join, zip(*columns.values(), strict=True))]
    write(folder, "people.csv", content="\n".join(rows).encode())
    assert {found.name: found.type for found in folder.open().fields("people")} == {
        "id": "number", "price": "number", "zip": "string", "ok": "boolean", "flag": "number", "day": "date", "at": "datetime",
        "naive": "string", "mail": "email", "web": "url", "mixed": "string", "none": "string", "big": "string",
    }  # fmt: skip


def test_a_connection_can_be_tested(folder: Any) -> None:
    write(folder, "a.csv", "b.tsv", "c.csv.gz")
    assert folder.open().test() == {
        "folder": str(folder.path.resolve()), "objects": "3", "files": "3", "formats": "csv 2, tsv 1",
    }  # fmt: skip


def test_a_missing_folder_is_named(folder: Any) -> None:
    folder.path = folder.path / "nowhere"
    with pytest.raises(ConfigError, match=r"Folder: there is no folder '.*nowhere' \(working directory "):
        folder.open()


def test_a_folder_that_vanishes_is_named(folder: Any) -> None:
    folder.path = folder.path / "inside"
    folder.path.mkdir()
    source = folder.open()
    folder.path.rmdir()
    with pytest.raises(NotSupported, match="inside: No such file or directory"):
        list(source.objects())


def test_a_missing_file_is_no_empty_object(folder: Any) -> None:
    write(folder, "contacts.csv")
    folder.configuration = {"Objects": {"gone": {"Path": "gone.csv"}, "drops": {"Path": "drops/*.csv"}}}
    with pytest.raises(NotSupported, match=r"gone: no file matches 'gone\.csv' in "):
        folder.drain("gone")
    with pytest.raises(NotSupported, match=r"drops: no file matches 'drops/\*\.csv' in "):
        folder.drain("drops")
    with pytest.raises(NotSupported, match="gone: no file matches"):
        folder.open().test()
    with pytest.raises(
        NotSupported, match=r"no file for object 'contact' in .*, did you mean 'contacts'\? \(objects: gone, drops"
    ):
        folder.drain("contact")
    with pytest.raises(NotSupported, match=r"a/b\.csv: no file matches"):
        folder.drain("a/b.csv")


def test_a_format_that_cannot_be_told_is_asked_for(folder: Any) -> None:
    write(folder, "people.txt")
    folder.configuration = {"Objects": {"people": {"Path": "people.txt"}}}
    with pytest.raises(NotSupported, match="set Format to one of csv, tsv, jsonl, json, parquet"):
        folder.drain("people")


@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", gzip.compress(ROWS.encode() * 999)[:-20], gzip.compress(b"id\n1\n")[:-8] + b"12345678"],
    ids=["no gzip at all", "torn", "changed"],
)
def test_a_damaged_gzip_file_is_named(folder: Any, content: bytes) -> None:
    (folder.path / "people.csv.gz").write_bytes(content)
    with pytest.raises(NotSupported, match=r"people\.csv\.gz: damaged or incomplete gzip file"):
        folder.drain("people", ["id"])


READ = """
import os, sys
from datetime import UTC, datetime
from mj_provider_files import Files, NoAuth, open_files, source
from mjcore.capabilities import Connection
os.geteuid() or os.seteuid(int(sys.argv[2]))
try:
    opened = open_files(Connection("x", Files(sys.argv[1]), NoAuth(), lambda: None, print, bool, lambda: datetime.now(UTC)))
    print(opened.high_watermark("people"))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("closed", "message"),
    [
        ("files/people.csv", "NotSupported people.csv: Permission denied; is it there, and may this user read it?"),
        ("files", "Permission denied; is it there, and may this user read it?"),
        (".", "ConfigError Folder: "),
    ],
)
def test_what_may_not_be_read_is_named(closed: str, message: str) -> None:
    with TemporaryDirectory() as path:
        place = Path(path)
        (place / "files").mkdir()
        (place / "files/people.csv").write_text(ROWS)
        place.chmod(0o755)
        (place / closed).chmod(0)
        command = [sys.executable, "-c", READ, str(place / "files"), "65534"]  # root may read all: then as nobody
        ended = subprocess.run(command, capture_output=True, text=True)
        (place / closed).chmod(0o755)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert message in ended.stdout


def test_every_wrong_setting_is_reported() -> None:
    wrong: Any = {"Path": "a.csv", "Delimiter": ";;", "Encoding": "base64", "Format": "xls"}
    with pytest.raises(ConfigError) as error:
        structure(Files, {"Folder": ".", "Zone": "Mars", "Objects": {"x": wrong, "y": {"Path": "a**b"}}})
    assert {problem.path.rpartition(".")[2] for problem in error.value.problems} >= {"Delimiter", "Encoding", "Format", "Zone"}
    assert "Europe/Berlin" in str(error.value)


def test_loading_the_plugin_and_reading_text_import_no_pyarrow(folder: Any) -> None:
    write(folder, "people.csv")
    code = READ + "\nsys.exit('pyarrow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code, str(folder.path), "0"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout[:10]) == (0, "Watermark(")
