from collections.abc import Iterator, Mapping, Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from mj_match_composite import Composite, compile_composite

from mjcore.errors import ConfigError
from mjcore.models import Entity, EntityField, EntityMap, FieldMap
from mjcore.records import ABSENT, ExternalRecord, MappedRecord, RowKey, Value

ENTITY = Entity("Contacts", "contacts", fields=(EntityField("Email"), EntityField("Code"), EntityField("Extra", "json")))
MAPS = (FieldMap("email", "Email", is_key_field=True), FieldMap("code", "Code"), FieldMap("x", "Extra"))
CONTACTS = EntityMap("contacts", ENTITY, MAPS)


class Table:
    """Rows in memory, equal as Python is."""

    def __init__(self, rows: Mapping[RowKey, Mapping[str, Value]]) -> None:
        self.rows, self.finds = rows, 0

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        self.finds += 1
        found: dict[tuple[Value, ...], list[RowKey]] = {key: [] for key in keys}
        for row, values in self.scan(fields):
            if values in found:
                found[values].append(row)
        return found

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        for row in sorted(self.rows):
            yield row, tuple(self.rows[row].get(name) for name in fields)


def records(*values: Mapping[str, Value]) -> list[MappedRecord]:
    return [MappedRecord(ExternalRecord(str(i), {}), v) for i, v in enumerate(values)]


BLANKS = st.sampled_from([None, ABSENT, "", " ", "\t\n", "\u00a0"])
VALUES = st.one_of(BLANKS, st.sampled_from(["a", "b", "A", " a"]), st.integers(0, 2))
RECORDS = st.lists(st.dictionaries(st.sampled_from(["Email", "Code"]), VALUES), max_size=8).map(lambda vs: records(*vs))
TABLES = st.dictionaries(
    st.integers(0, 20).map(lambda i: (i,)), st.fixed_dictionaries({"Email": VALUES, "Code": VALUES}), max_size=12
).map(Table)


def test_rows_that_equal_the_record_in_every_field_are_candidates() -> None:
    table = Table({(1,): {"Email": "a", "Code": 1}, (2,): {"Email": "a", "Code": 2}, (3,): {"Email": "b", "Code": 1}})
    batch = records({"Email": "a", "Code": 1}, {"Email": "b", "Code": 2})
    found = compile_composite(Composite(("Email", "Code")), CONTACTS).candidates(batch, table)
    assert [list(f) for f in found] == [[(1,)], []]


def test_values_are_neither_trimmed_nor_folded() -> None:
    table = Table({(1,): {"Email": "a", "Code": "x"}})
    batch = records({"Email": "A", "Code": "x"}, {"Email": "a ", "Code": "x"})
    found = compile_composite(Composite(("Email", "Code")), CONTACTS).candidates(batch, table)
    assert [list(f) for f in found] == [[], []]


@given(RECORDS, TABLES)
def test_a_batch_finds_what_its_records_find_alone(batch: list[MappedRecord], table: Table) -> None:
    matcher = compile_composite(Composite(("Email", "Code")), CONTACTS)
    together = [list(found) for found in matcher.candidates(batch, table)]
    assert together == [list(matcher.candidates([record], table)[0]) for record in batch]
    assert together == [list(found) for found in matcher.candidates(batch, table)]


@given(RECORDS, TABLES)
def test_a_batch_asks_at_most_once(batch: list[MappedRecord], table: Table) -> None:
    compile_composite(Composite(("Email", "Code")), CONTACTS).candidates(batch, table)
    assert table.finds <= 1


@given(BLANKS, VALUES, st.booleans(), TABLES)
def test_a_key_with_a_blank_part_matches_nothing(blank: Value, other: Value, first: bool, table: Table) -> None:
    names = ("Email", "Code") if first else ("Code", "Email")
    matcher = compile_composite(Composite(("Email", "Code")), CONTACTS)
    batch = records(dict(zip(names, (blank, other), strict=True)), {names[1]: other})
    assert [list(found) for found in matcher.candidates(batch, table)] == [[], []]


def test_fields_default_to_the_marked_field_maps() -> None:
    marked = evolve(CONTACTS, field_maps=tuple(evolve(m, is_key_field=m.destination_field_name != "Extra") for m in MAPS))
    assert compile_composite(Composite(), marked).fields == ("Email", "Code")


@pytest.mark.parametrize("names", [(), ("Email",), ("Email", "Email")])
def test_fewer_than_two_fields_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="at least two fields are needed, there is 'Email'"):
        compile_composite(Composite(names), CONTACTS)


def test_every_field_that_cannot_be_matched_on_is_named() -> None:
    unfilled = evolve(CONTACTS, field_maps=MAPS[1:])
    with pytest.raises(ConfigError) as error:
        compile_composite(Composite(("Emial", "Extra", "Email")), unfilled)
    assert [p.path for p in error.value.problems] == ["KeyFields[0]", "KeyFields[1]", "KeyFields[2]"]
    assert "did you mean 'Email'?" in error.value.problems[0].message
    assert "JSON" in error.value.problems[1].message
    assert "no field map fills" in error.value.problems[2].message


def test_the_primary_key_can_be_part_of_it() -> None:
    keyed = EntityMap("contacts", ENTITY, (FieldMap("id", "id"), FieldMap("code", "Code")))
    assert compile_composite(Composite(("id", "Code")), keyed).fields == ("id", "Code")


def test_fields_of_an_unknown_table_are_taken_as_they_are() -> None:
    assert compile_composite(Composite(("Any", "Thing")), EntityMap("x", Entity("X", "x"))).fields == ("Any", "Thing")
