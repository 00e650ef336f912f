"""Metadata files: what YAML means here, and where its faults are."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_cli.documents import parse, read, read_all
from mj_cli.writing import commented, write

from mjcore.errors import ConfigError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "NO",
        "on",
        "01",
        "1_000",
        "0x1F",
        "1.0",
        "true",
        "True",
        "null",
        "Null",
        "~",
        "",
        "<<",
        "=",
        "2024-01-01",
        "1e5",
        ".inf",
        "- a",
        "a: b",
        "?0",
        ",0",
    ]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "crm.yaml")
    return [str(problem) for problem in caught.value.problems]


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read_as_the_same_data(data: dict[str, Any]) -> None:
    assert parse(write(data), "x").data == data


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_json_is_read_as_json_reads_it(data: dict[str, Any]) -> None:
    assert parse(json.dumps(data), "x.json").data == data


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=4), TEXTS)
def test_comments_change_nothing(lines: list[dict[str, Any]], comment: str) -> None:
    assert parse(write({"FieldMaps": commented([(line, comment) for line in lines], 2)}), "x").data == {"FieldMaps": lines}


def test_keys_are_text_as_written() -> None:
    data = parse("Map: {NO: Norway, on: Active, 01: First, 1.50: x, null: y, true: z, 2024-01-01: d, ~: t}", "x").data
    assert data["Map"] == {
        "NO": "Norway",
        "on": "Active",
        "01": "First",
        "1.50": "x",
        "null": "y",
        "true": "z",
        "2024-01-01": "d",
        "~": "t",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[
            ("true", True),
            ("false", False),
            ("null", None),
            ("~", None),
            ("", None),
            ("12", 12),
            ("-3", -3),
            ("1.5", 1.5),
            ("1e3", 1000.0),
        ],
        *[
            (word, word)
            for word in ["yes", "no", "on", "off", "True", "FALSE", "Null", "01", "0x1F", "1_000", "1:30", ".5", "2024-01-01"]
        ],
        *[("'true'", "true"), ('"12"', "12"), ("!!str 12", "12")],
    ],
)
def test_only_jsons_scalars_are_more_than_text(text: str, value: object) -> None:
    found = parse(f"Value: {text}\n", "x").data["Value"]
    assert found == value
    assert type(found) is type(value)


def test_on_error_null_needs_no_quotes() -> None:
    assert parse("{Type: direct, OnError: Null}", "x").data["OnError"] == "Null"


def test_every_key_that_is_there_twice_is_named_with_its_line() -> None:
    assert faults("Companies: []\nEntities:\n  - {Name: A, Name: B}\nCompanies: []\n") == [
        "crm.yaml:3: the key 'Name' is there twice",
        "crm.yaml:4: the key 'Companies' is there twice",
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("Connections:\n  - [Name: A\n", 3, "expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", 2, "cannot start any token"),
        ("a: 1\nb: !python/object:os.system x\n", 2, "the tag"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ("a:\n  b: &x {c: *x}\n", 2, "alias inside"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("- a\n", 1, "a mapping expected"),
        ("a: 1\n? [x]\n: 2\n", 2, "a key must be text"),
        ("a:\n  <<: 5\n", 2, "takes a mapping"),
    ],
)
def test_a_fault_is_named_with_file_and_line(text: str, line: int, message: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"crm.yaml:{line}: ")
    assert message in fault


def test_aliases_and_merges_bring_in_what_they_name() -> None:
    data = parse(
        "Base: &b {Type: text, OnError: Skip}\nUse: {<<: *b, OnError: Fail}\nBoth: {<<: [{a: 1}, {a: 2, b: 3}]}\n", "x"
    ).data
    assert data["Use"] == {"Type": "text", "OnError": "Fail"}
    assert data["Both"] == {"a": 1, "b": 3}


def test_many_aliases_of_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert len(parse("\n".join(lines), "x").data) == 40


FILE = """\
Connections:
  - Name: Acme
    EntityMaps:
      - ExternalObjectName: contacts
        FieldMaps:
          - {SourceFieldName: email}
          - SourceFieldName: stage
            Config:
              Map:
                a.b: {c: 1}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Connections[0].Name", 2),
        ("Connections[0].EntityMaps[0].FieldMaps[0].SourceFieldName", 6),
        ("Connections[0].EntityMaps[0].FieldMaps[1].Config.Map.a.b.c", 10),
        ("Connections[0].EntityMaps[0].Priority", 4),
        ("Connections[7].Name", 1),
        ("Entities", None),
        ("", None),
    ],
)
def test_a_path_leads_to_its_line_or_to_the_nearest_one(path: str, line: int | None) -> None:
    assert parse(FILE, "x").line(path) == line


def test_an_empty_file_holds_nothing() -> None:
    assert parse("# only a comment\n", "x").data == {}


def test_faults_of_several_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\na: 2\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError) as caught:
        read_all([tmp_path / "a.yaml", tmp_path / "none.yaml", tmp_path / "b.yaml"])
    assert [p.path.rpartition("/")[2] for p in caught.value.problems] == ["a.yaml:2", "none.yaml", "b.yaml"]


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("\ufeffCompanies: []\n".encode())
    assert list(read(tmp_path / "a.yaml").data) == ["Companies"]
