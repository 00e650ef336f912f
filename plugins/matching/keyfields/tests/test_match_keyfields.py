from collections.abc import Iterator, Mapping, Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from mj_match_keyfields import KeyFields, compile_key_fields

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


def test_rows_with_equal_key_fields_are_candidates() -> None:
    table = Table({(1,): {"Email": "a"}, (2,): {"Email": "b"}, (3,): {"Email": "a"}})
    found = compile_key_fields(KeyFields(("Email",)), CONTACTS).candidates(records({"Email": "a"}, {"Email": "c"}), table)
    assert [list(f) for f in found] == [[(1,), (3,)], []]


def test_values_are_neither_trimmed_nor_folded() -> None:
    table = Table({(1,): {"Email": "a"}})
    found = compile_key_fields(KeyFields(("Email",)), CONTACTS).candidates(records({"Email": "A"}, {"Email": "a "}), table)
    assert [list(f) for f in found] == [[], []]


@given(RECORDS, TABLES)
def test_a_batch_finds_what_its_records_find_alone(batch: list[MappedRecord], table: Table) -> None:
    matcher = compile_key_fields(KeyFields(("Email", "Code")), CONTACTS)
    together = [list(found) for found in matcher.candidates(batch, table)]
    assert together == [list(matcher.candidates([record], table)[0]) for record in batch]
    assert together == [list(found) for found in matcher.candidates(batch, table)]


@given(RECORDS, TABLES)
def test_a_batch_asks_at_most_once(batch: list[MappedRecord], table: Table) -> None:
    compile_key_fields(KeyFields(("Email",)), CONTACTS).candidates(batch, table)
    assert table.finds <= 1


@given(BLANKS, VALUES, st.booleans(), TABLES)
def test_a_key_with_a_blank_part_matches_nothing(blank: Value, other: Value, first: bool, table: Table) -> None:
    names = ("Email", "Code") if first else ("Code", "Email")
    matcher = compile_key_fields(KeyFields(("Email", "Code")), CONTACTS)
    batch = records(dict(zip(names, (blank, other), strict=True)), {names[1]: other})
    assert [list(found) for found in matcher.candidates(batch, table)] == [[], []]


def test_key_fields_default_to_the_marked_field_maps() -> None:
    inactive = FieldMap("old", "Code", is_key_field=True, status="Inactive")
    assert compile_key_fields(KeyFields(), evolve(CONTACTS, field_maps=(*MAPS, inactive))).fields == ("Email",)


def test_a_map_without_key_fields_is_refused() -> None:
    with pytest.raises(ConfigError, match="IsKeyField"):
        compile_key_fields(KeyFields(), evolve(CONTACTS, field_maps=(FieldMap("code", "Code"),)))


def test_every_field_that_cannot_be_matched_on_is_named() -> None:
    unfilled = evolve(CONTACTS, field_maps=MAPS[1:])
    with pytest.raises(ConfigError) as error:
        compile_key_fields(KeyFields(("Emial", "Extra", "Email")), unfilled)
    assert [p.path for p in error.value.problems] == ["KeyFields[0]", "KeyFields[1]", "KeyFields[2]"]
    assert "did you mean 'Email'?" in error.value.problems[0].message
    assert "JSON" in error.value.problems[1].message
    assert "no field map fills" in error.value.problems[2].message


def test_the_primary_key_can_be_a_key_field() -> None:
    keyed = EntityMap("contacts", ENTITY, (FieldMap("id", "id"),))
    assert compile_key_fields(KeyFields(("id",)), keyed).fields == ("id",)


def test_fields_of_an_unknown_table_are_taken_as_they_are() -> None:
    assert compile_key_fields(KeyFields(("Anything",)), EntityMap("x", Entity("X", "x"))).fields == ("Anything",)
