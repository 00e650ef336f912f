"""CSV and TSV as people export them."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mj_provider_files import lines as file_lines
from mj_provider_files import stream

from mjcore.errors import NotSupported

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = TEXTS.filter(str.strip)
WIDE = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-8",
    "utf-16-le": "utf-16-le",
    "utf-32": "utf-32",
    "gb18030": "gb18030",
}
"""How files are written, and the setting that reads them."""
GOOD = ["1,a", '2,"b\nc"', '7,"h\r\n"', "8,ok"]
CONTACTS = "id,email,revenue\n1,ada@example.org,12.50\n2,bob@example.org,\n"


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    keys = draw(st.lists(KEYS, unique=True, max_size=12))
    return [[key, draw(TEXTS), draw(TEXTS)] for key in keys]


def test_a_file_is_an_object_and_its_id_column_the_external_id(folder: Any) -> None:
    (folder.path / "contacts.csv").write_text(CONTACTS)
    assert [found.name for found in folder.open().objects()] == ["contacts"]
    drained = folder.drain("contacts", ["email", "revenue"])
    assert drained.ids == ["1", "2"]
    assert drained.rows == [
        {"email": "ada@example.org", "revenue": "12.50"},
        {"email": "bob@example.org", "revenue": None},
    ]
    assert not drained.errors


@settings(max_examples=100, deadline=None)
@given(
    table=tables(),
    limits=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    dialect=st.tuples(st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"])),
    encoding=st.sampled_from(sorted(WIDE)),
    block=st.integers(1, 40),
    modes=st.tuples(st.booleans(), st.booleans()),
)
def test_what_was_written_is_read_once_each_with_any_pages(
    folder_at: Callable[..., Any],
    table: list[list[str]],
    limits: list[int],
    dialect: tuple[str, str],
    encoding: str,
    block: int,
    modes: tuple[bool, bool],
) -> None:
    compressed, reopen = modes
    text = io.StringIO()
    has_returns = any("\r" in cell for row in table for cell in row)  # which the writer does not quote by itself
    quoting: Any = csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=dialect[0], lineterminator=dialect[1], quoting=quoting)
    writer.writerows([["id", "name", "note"], *table])
    content = text.getvalue().encode(encoding)
    with TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)  # so that blocks end anywhere
        name = "people.csv.gz" if compressed else "people.csv"
        (Path(path) / name).write_bytes(gzip.compress(content, 1) if compressed else content)
        people = {"Path": name, "Encoding": WIDE[encoding], "Delimiter": dialect[0]}
        drained = folder_at(Path(path), {"Objects": {"people": people}}).drain(
            "people", ["id", "name", "note"], limits=limits, reopen=reopen
        )
    assert not drained.errors
    assert drained.ids == [row[0] for row in table]
    assert [[row["id"], row["name"] or "", row["note"] or ""] for row in drained.rows] == table


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.sampled_from([*GOOD, "3", "4,d,e", '"5"x,f', "6,\udce4", "", ",g"]), max_size=25),
    limits=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    block=st.integers(1, 40),
)  # fmt: skip
def test_pages_do_not_change_what_is_found(
    folder_at: Callable[..., Any], lines: list[str], limits: list[int], block: int
) -> None:
    content = "\n".join(["id,name", *lines, ""]).encode(errors="surrogateescape")
    with TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        (Path(path) / "people.csv").write_bytes(content)
        people = folder_at(Path(path), {"Objects": {"people": {"Path": "people.csv", "Delimiter": ","}}})
        whole = people.drain("people", ["id", "name"], limits=[10_000])
        patch.setattr(stream, "BLOCK", block)
        paged = people.drain("people", ["id", "name"], limits=limits)
        resumed = people.drain("people", ["id", "name"], limits=limits, reopen=True)
    assert resumed.pages == paged.pages
    assert resumed.records == whole.records
    assert sorted(map(repr, resumed.errors)) == sorted(map(repr, whole.errors))
    readable = [line for line in lines if line in ("1,a", '2,"b\nc"', '7,"h\r\n"', "8,ok")]
    assert resumed.ids == [line[0] for line in readable]
    assert len(resumed.errors) == len([line for line in lines if line]) - len(readable)


def test_bad_rows_are_told_with_their_line_and_the_others_go_on(folder: Any) -> None:
    content = 'id,name\n1,"two\nlines"\n2\n\n3,ok\n,nobody\n4,"x"y\n5,caf\xe9\n6,a,b\n7,last'
    (folder.path / "people.csv").write_bytes(content.encode("latin-1"))
    drained = folder.drain("people", ["name"])
    assert drained.ids == ["1", "3", "7"]
    assert {(error.code, error.message.split(":")[0]) for error in drained.errors} == {
        ("ragged_row", "people.csv line 4"),
        ("missing_key", "people.csv line 7"),
        ("malformed_row", "people.csv line 8"),
        ("bad_encoding", "people.csv line 9"),
        ("ragged_row", "people.csv line 10"),
    }
    assert [error.raw for error in drained.errors if error.code == "malformed_row"] == [{"text": '4,"x"y'}]
    assert folder.drain("people", ["name"], limits=[1], reopen=True).records == drained.records


def test_a_quote_that_does_not_end_is_one_fault(folder: Any) -> None:
    (folder.path / "people.csv").write_text('id,name\n1,a\n2,"b\n3,c\n')
    drained = folder.drain("people", ["name"])
    assert drained.ids == ["1"]
    assert [error.code for error in drained.errors] == ["malformed_row"]


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("id;name;price", ["id", "name", "price"]),
        ("id\tname\tfirst, last", ["id", "name", "first, last"]),
        ('"id, of it"|id', ["id, of it", "id"]),
        ("id,na;me,x", ["id", "na;me", "x"]),
        ("id", ["id"]),
        ("id,name,name,name_2,", ["id", "name", "name_3", "name_2"]),
        (" id , name ", ["id", "name"]),
    ],
)
def test_delimiter_and_columns_are_found(folder: Any, head: str, columns: list[str]) -> None:
    (folder.path / "people.csv").write_text(head + "\n")
    assert [found.name for found in folder.open().fields("people")] == columns


def test_commas_do_not_hide_a_semicolon(folder: Any) -> None:
    (folder.path / "people.csv").write_text("id;price, tax, all\n1;1,5\n2;2\n")
    assert folder.drain("people").rows == [{"id": "1", "price, tax, all": "1,5"}, {"id": "2", "price, tax, all": "2"}]


def test_settings_of_a_file(folder: Any) -> None:
    (folder.path / "a.txt").write_bytes("1~Zoë~NULL\n2~~-\n".encode("cp1252"))
    folder.configuration = {
        "Objects": {
            "people": {
                "Path": "a.txt", "Format": "csv", "Delimiter": "~", "Encoding": "cp1252", "Header": False,
                "Columns": ["id", "name", "note"], "NullTexts": ["NULL", "-"],
            }
        }
    }  # fmt: skip
    assert folder.drain("people").rows == [{"id": "1", "name": "Zoë", "note": None}, {"id": "2", "name": "", "note": None}]


def test_without_header_columns_have_numbers(folder: Any) -> None:
    (folder.path / "a.csv").write_text("7,x\n8,y\n")
    folder.configuration = {"Objects": {"people": {"Path": "a.csv", "Header": False, "KeyFields": ["column_1"]}}}
    assert folder.drain("people", ["column_2"], limits=[1], reopen=True).ids == ["7", "8"]


def test_tabs_divide_tsv(folder: Any) -> None:
    (folder.path / "people.tsv").write_text("id\tname\n1\ta,b;c,d\n")
    assert folder.drain("people").rows == [{"id": "1", "name": "a,b;c,d"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,name\r1,a\r2,b\r", "lines that end in"),
        (b"id,na\xefme\n", "header is not in utf-8; set Encoding"),
        (b'id,"na"me\n', "first row cannot be read"),
    ],
)
def test_a_head_that_cannot_be_read_is_no_crash(folder: Any, content: bytes, message: str) -> None:
    (folder.path / "people.csv").write_bytes(content)
    with pytest.raises(NotSupported, match=message):
        folder.drain("people")


def test_columns_must_be_as_many_as_there_are(folder: Any) -> None:
    (folder.path / "people.csv").write_text(CONTACTS)
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "Columns": ["id", "x"]}}}
    with pytest.raises(NotSupported, match="Columns names 2 columns, but the first row has 3"):
        folder.drain("people")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lines, "LONGEST", 2**20)
    (folder.path / "people.csv").write_bytes(b"id,name\n1," + b"x" * 2**21)
    with pytest.raises(NotSupported, match="a line is longer than 1 MiB"):
        folder.drain("people")


def test_an_empty_file_has_no_records(folder: Any) -> None:
    (folder.path / "people.csv").write_text("")
    (folder.path / "heads.csv").write_text("id,name\n")
    assert folder.drain("people").records == folder.drain("heads").records == []
