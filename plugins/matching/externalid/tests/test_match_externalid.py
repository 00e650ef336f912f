from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_match_externalid import ExternalID, column_values, compile_external_id, fitted

from mjcore.errors import ConfigError
from mjcore.fitting import fitter
from mjcore.models import Entity, EntityField, EntityMap
from mjcore.records import ExternalRecord, MappedRecord, RowKey, Value

FIELDS = (EntityField("HubSpotID", max_length=12), EntityField("Number", "number"), EntityField("Name"))
CONTACTS = EntityMap("contacts", Entity("Contacts", "contacts", fields=FIELDS))


class Column:
    """One column in memory, equal as Python is."""

    def __init__(self, values: Sequence[Value]) -> None:
        self.values, self.finds = values, 0

    def find(self, fields: tuple[str, ...], keys: Sequence[tuple[Value, ...]]) -> Mapping[tuple[Value, ...], Sequence[RowKey]]:
        self.finds += 1
        return {key: [row for row, values in self.scan(fields) if values == key] for key in keys}

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        for number, value in enumerate(self.values):
            yield (number,), (value,) * len(fields)


def records(ids: Sequence[str]) -> list[MappedRecord]:
    return [MappedRecord(ExternalRecord(i, {}), {}) for i in ids]


def candidates(field: str, ids: Sequence[str], column: Column) -> list[list[RowKey]]:
    matcher = compile_external_id(ExternalID(field), CONTACTS)
    assert matcher.fields == (field,)
    return [list(found) for found in matcher.candidates(records(ids), column)]


def test_rows_that_hold_the_id_are_candidates() -> None:
    assert candidates("HubSpotID", ["a", "c", "b"], Column(["a", "b", "a", None])) == [[(0,), (2,)], [], [(1,)]]


def test_a_column_of_numbers_holds_ids_as_numbers() -> None:
    assert candidates("Number", ["42", "7"], Column([7, 42])) == [[(1,)], [(0,)]]


@pytest.mark.parametrize("other", ["007", "7.0", "+7", "7e0", "seven", "1" * 400])
def test_an_id_that_a_number_cannot_hold_exactly_matches_nothing(other: str) -> None:
    assert candidates("Number", [other], Column([7])) == [[]]


def test_an_id_that_is_too_long_for_the_column_matches_nothing() -> None:
    column = Column(["a"])
    assert candidates("HubSpotID", ["a" * 13], column) == [[]]
    assert column.finds == 0


@given(st.sampled_from(["", " ", "\t", "\u00a0"]), st.lists(st.sampled_from(["", " ", "\t", None, "a"])))
def test_a_blank_id_matches_nothing(blank: str, values: list[Value]) -> None:
    assert candidates("HubSpotID", [blank], Column(values)) == [[]]


IDS = st.sampled_from(["1", "2", "01", " ", "a", "A", "a "])


@given(st.lists(IDS), st.lists(IDS), st.sampled_from(["HubSpotID", "Number"]))
def test_a_batch_finds_in_one_look_up_what_its_records_find_alone(ids: list[str], values: list[str], field: str) -> None:
    column = Column([int(v) if field == "Number" and v.isdigit() else v for v in values])
    together = candidates(field, ids, column)
    assert column.finds <= 1
    assert together == [candidates(field, [i], column)[0] for i in ids]
    assert together == candidates(field, ids, column)


@pytest.mark.parametrize(("field", "near"), [("HubspotId", "did you mean 'HubSpotID'"), ("", "has no field ''")])
def test_an_unknown_field_is_refused(field: str, near: str) -> None:
    with pytest.raises(ConfigError, match=near) as error:
        compile_external_id(ExternalID(field), CONTACTS)
    assert error.value.problems[0].path == "ExternalIDField"


def test_fields_of_an_unknown_table_are_taken_as_they_are() -> None:
    matcher = compile_external_id(ExternalID("Anything"), EntityMap("x", Entity("X", "x")))
    assert list(matcher.candidates(records(["7"]), Column(["7"]))[0]) == [(0,)]


@given(st.lists(st.sampled_from(["a", "a" * 13, "7", "007", " ", "b\x00", "é"]) | st.text(max_size=3)), st.sampled_from(FIELDS))
def test_ids_are_fitted_together_as_they_are_one_by_one(ids: list[str], column: EntityField) -> None:
    assert list(column_values(ids, column)) == [fitted(i, fitter(column)) for i in ids]
