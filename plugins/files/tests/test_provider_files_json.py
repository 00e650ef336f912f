"""JSON Lines and JSON arrays."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mj_provider_files import json_text, stream
from mj_provider_files.json_reader import DECODER, row_type

from mjcore.errors import NotSupported

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3), max_leaves=6)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "ä"]), VALUES), max_size=10)


def write(form: str, records: list[dict[str, Any]], *, is_ascii: bool) -> str:
    """Return the text of a file: JSON Lines, an array, one with line ends, or values one after another."""
    if form == "array":
        return json.dumps(records, ensure_ascii=is_ascii)
    if form == "indented":
        return "\ufeff" + json.dumps(records, ensure_ascii=is_ascii, indent=2) + "\r\n"
    return ("\r\n" if form == "lines" else " ").join(json.dumps(record, ensure_ascii=is_ascii) for record in records)


@settings(max_examples=120, deadline=None)
@given(
    records=RECORDS,
    form=st.sampled_from(["lines", "array", "indented", "sequence"]),
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    block=st.integers(1, 40),
    modes=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_what_was_written_is_read_once_each_with_any_pages(
    folder_at: Callable[..., Any],
    records: list[dict[str, Any]],
    form: str,
    limits: list[int],
    block: int,
    modes: tuple[bool, bool, bool],
) -> None:
    is_ascii, compressed, reopen = modes
    numbered = [{"id": number, **record} for number, record in enumerate(records)]
    content = write(form, numbered, is_ascii=is_ascii).encode()
    with TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        patch.setattr(json_text, "PIECE", block)
        name = ("things.jsonl" if form == "lines" else "things.json") + (".gz" if compressed else "")
        (Path(path) / name).write_bytes(gzip.compress(content, 1) if compressed else content)
        drained = folder_at(Path(path)).drain("things", ["id", "a", "b", "ä"], limits=limits, reopen=reopen)
    assert not drained.errors
    expected = json.loads(json.dumps(numbered), parse_float=Decimal)
    assert drained.rows == expected  # a missing member is absent, null is null
    in_order = [{name: row[name] for name in ("id", "a", "b", "ä") if name in row} for row in expected]
    assert repr(drained.rows) == repr(in_order)  # 1 is no True, and 1.0 no 1


@settings(max_examples=1000, deadline=None)
@given(
    st.dictionaries(TEXTS | st.sampled_from(["a", "ä"]), VALUES, max_size=4).map(json.dumps)
    | st.from_regex(r'\{"a": ?-?[0-9]{0,25}\.?[0-9]{0,3}([eE][+-]?[0-9]{0,3})?\}', fullmatch=True)
    | st.from_regex(r'\{"a":"(\\u[dD][89abcdef][0-9a-f]{2}|\\["nqu/]|[ -\x80]){0,4}"\}', fullmatch=True),
    st.integers(0, 40),
    st.sampled_from(["", *'{}[]",:0e-.\\\t']),
    st.sampled_from([None, ("a",), ("a", "ä"), ()]),
)
def test_what_is_read_many_lines_at_once_is_what_each_line_says(line: str, at: int, noise: str, names: Any) -> None:
    text = line[:at] + noise + line[at:]
    try:
        found = msgspec.json.Decoder(row_type(names), float_hook=Decimal).decode(text)
    except msgspec.MsgspecError:
        return
    expected = DECODER.decode(text)
    if names is not None:
        found, expected = ({name: row[name] for name in names if name in row} for row in (found, expected))
    assert repr(found) == repr(expected)


def test_whole_numbers_are_exact_and_others_decimal(folder: Any) -> None:
    (folder.path / "things.jsonl").write_text('{"id": 9007199254740993, "n": 9223372036854775807, "d": 0.10, "e": 1E400}\n')
    drained = folder.drain("things")
    assert drained.ids == ["9007199254740993"]
    assert drained.rows == [{"id": 9007199254740993, "n": 2**63 - 1, "d": Decimal("0.10"), "e": Decimal("1E400")}]


def test_bad_lines_are_told_with_their_number_and_the_others_go_on(folder: Any) -> None:
    lines = [
        b'{"id": 1}',
        b"",
        b'{"id": 2',
        b"[3]",
        b'{"id": "caf\xe9"}',
        b'{"x": 4}',
        b'{"id": NaN}',
        b'{"id": {}}',
        b'{"id": 9}',
    ]
    deep = b'{"id": ' + b"[" * 100_000
    (folder.path / "things.jsonl").write_bytes(b"\n".join([*lines, deep, b'{"id": 11}']))
    drained = folder.drain("things", ["id"])
    assert drained.ids == ["1", "9", "11"]
    assert sorted((error.message.split(":")[0], error.code) for error in drained.errors) == [
        ("things.jsonl line 10", "malformed_row"),
        ("things.jsonl line 3", "malformed_row"),
        ("things.jsonl line 4", "malformed_row"),
        ("things.jsonl line 5", "bad_encoding"),
        ("things.jsonl line 6", "missing_key"),
        ("things.jsonl line 7", "malformed_row"),
        ("things.jsonl line 8", "invalid_key"),
    ]
    assert all(error.raw is None or len(str(error.raw)) < 3000 for error in drained.errors)
    resumed = folder.drain("things", ["id"], limits=[1], reopen=True)
    assert resumed.records == drained.records
    assert sorted(map(repr, resumed.errors)) == sorted(map(repr, drained.errors))


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_elements_that_are_no_objects_are_told(folder: Any, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "PIECE", piece)
    (folder.path / "things.json").write_text('[{"id": 1}, 12345, {"id": 3}]')
    drained = folder.drain("things")
    assert drained.ids == ["1", "3"]
    assert [error.message for error in drained.errors] == ["things.json row 2: not a JSON object"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": 1}, {"id": 2}', "row 3 is no JSON .the file ends inside the array"),
        ('[{"id": 1} {"id": 2}]', "row 2 is no JSON .',' or '\\]' expected"),
        ('[{"id": 1}, {"id": }]', "row 2 is no JSON"),
        ('[{"id": 1},]', "row 2 is no JSON"),
        ('[{"id": 1}] x', "text behind the end"),
        ("<html>", "row 1 is no JSON"),
    ],
)
def test_a_broken_array_is_named_and_what_was_before_it_delivered(folder: Any, content: str, message: str) -> None:
    (folder.path / "things.json").write_text(content)
    folder.configuration = {"Objects": {"things": {"Path": "things.json", "KeyFields": ["id"]}}}
    with pytest.raises(NotSupported, match=message):
        folder.drain("things", ["id"])


@pytest.mark.parametrize("row", [1, 50_000])
def test_an_array_of_another_encoding_is_named(folder: Any, row: int) -> None:
    (folder.path / "things.json").write_bytes(b"[" + b'{"id": 1},' * row + b'{"id": "caf\xe9"}]')
    with pytest.raises(NotSupported, match=r"things\.json: .*set Encoding to the file's own"):
        folder.drain("things", ["id"])


def test_utf16_is_found_by_its_mark(folder: Any) -> None:
    (folder.path / "things.json").write_bytes('[{"id": "ä"}, {"id": "€"}]'.encode("utf-16"))
    assert folder.drain("things", limits=[1], reopen=True).ids == ["ä", "€"]


def test_types_are_those_of_json(folder: Any) -> None:
    rows = [
        {"id": 1, "ok": True, "day": "2026-01-31", "at": "2026-01-31T10:00:00Z", "mail": "a@b.org", "tags": ["x"], "code": "12"},
        {"id": 2, "ok": None, "extra": 1.5, "home": "https://example.org/"},
    ]
    (folder.path / "things.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert {found.name: found.type for found in folder.open().fields("things")} == {
        "id": "number",
        "ok": "boolean",
        "day": "date",
        "at": "datetime",
        "mail": "email",
        "tags": "json",
        "code": "string",
        "extra": "number",
        "home": "url",
    }
