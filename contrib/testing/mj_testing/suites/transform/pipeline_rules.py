"""Rules of a step inside a pipeline: nulls, errors, fields of the record, the end of a run, the way back."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import pytest
from hypothesis import strategies as st

from mj_testing.proof import VOID, broken, raised
from mj_testing.rules import rule
from mj_testing.strategies import field_maps, records
from mj_testing.suites.transform.steps import Column, Results, Steps, is_refusal, same, tried
from mjcore.capabilities import Step
from mjcore.errors import ConfigError
from mjcore.kernel import Kernel
from mjcore.mapping import MappingPlan, compile_mapping
from mjcore.models import Entity, EntityField, EntityMap, FieldMap, OnError, TransformStep
from mjcore.records import ABSENT, ExternalRecord, Fields, MappedBatch, Value
from mjcore.wire import structure, unstructure

FIELDS = ("name", "email", "amount")


class PipelineRules(Steps):
    """What a step has to keep beside others."""

    @rule(
        "a step bears what it says that it sees: nulls, and ABSENT where it sees that",
        remedy="handle None (and ABSENT) in `apply`, or declare sees='values': then the kernel lets both pass by",
    )
    def test_null_and_absent_are_borne(self) -> None:
        if self.type.sees == "values":
            pytest.skip(f"{self.type.name!r} declares that it sees values alone")
        seen: list[Value] = [None, ABSENT] if self.type.sees == "absent" else [None]
        self.proof.holds(self.columns(st.sampled_from(seen)), self._bears_nothing, most=self.examples)

    def _bears_nothing(self, column: Column) -> None:
        with self.step(column.config) as step:
            for pair in column.pairs():
                found = tried(step, *([part] for part in pair))
                if isinstance(found, Exception) and not is_refusal(found):
                    broken(cause=found, example=column.only([pair]), record=pair[1], seen=f"raised {raised(found)}")

    @rule(
        "a value that fails harms no other: OnError decides about it, and the rest of its batch is mapped",
        remedy="leave the step as it was when it raises: the kernel calls the same step again, with one value at a time",
    )
    def test_a_value_that_fails_harms_no_other(self) -> None:
        policies: st.SearchStrategy[OnError] = st.sampled_from(["Fail", "Null", "Skip"])
        drawn = st.tuples(self.columns(st.none() | self.values(), least=2), policies)
        self.proof.holds(drawn, self._fails_alone, most=self.examples)

    def _fails_alone(self, drawn: tuple[Column, OnError]) -> object:
        column, on_error = drawn
        if all(self.passes(column.config, *pair) for pair in column.pairs() if pair[0] is not None):
            return VOID
        batch = [ExternalRecord(str(i), {**record, "it": value}) for i, (value, record) in enumerate(column.pairs())]
        maps = (FieldMap("it", "Value", (TransformStep(self.type.name, column.config, on_error),)),)
        together = self.rows(maps, batch)
        for record in batch:
            alone, id_ = self.rows(maps, [record]), record.external_id
            if not same(alone.get(id_), together.get(id_)):
                seen = f"{record.fields['it']!r} alone gives {_row(alone, id_)}, in this batch {_row(together, id_)}"
                broken(example=column, on_error=on_error, seen=seen)
        return None

    def rows(self, maps: tuple[FieldMap, ...], batch: Sequence[ExternalRecord]) -> Mapping[str, Fields]:
        """Return what the kernel maps records to, by id; failed ones are not there."""
        plan = self.plan(maps)
        try:
            return {record.source.external_id: dict(record.values) for record in plan(batch).records}
        finally:
            plan.close()

    @cached_property
    def kernel(self) -> Kernel:
        """A kernel that has nothing but the plugin."""
        return Kernel(plugins={"plugin": self.plugin}, discover=False)

    def plan(self, maps: tuple[FieldMap, ...]) -> MappingPlan:
        """Return field maps as the kernel compiles them."""
        fields = tuple(EntityField(each.destination_field_name, "unknown") for each in maps)
        return compile_mapping(EntityMap("things", Entity("Things", "things", fields=fields), maps), self.kernel.transform_types)

    @rule(
        "closing a step leaves every other step alone",
        remedy="keep what `close` ends in the step itself, or count who uses it: other maps go on while one has ended",
    )
    def test_closing_a_step_leaves_others_alone(self) -> None:
        batch = st.lists(records(FIELDS, self.values()), min_size=1, max_size=3)
        drawn = st.tuples(field_maps({self.type.name: self.configs}, FIELDS), batch)
        self.proof.holds(drawn, self._closes_alone, most=max(1, self.examples // 4))

    def _closes_alone(self, drawn: tuple[tuple[FieldMap, ...], list[ExternalRecord]]) -> None:
        maps, batch = drawn
        plan, other = self.plan(maps), self.plan(maps)
        try:
            first = plan(batch)
        finally:
            plan.close()
        try:
            second = other(batch)
        finally:
            other.close()
        if not same(*(results := [_results(first), _results(second)])):
            example = [dict(record.fields) for record in batch]
            broken(example=example, maps=unstructure(maps, omit_defaults=True), seen=f"{results[1]} instead of {results[0]}")

    @rule(
        "a step that reads fields of the record names them in `reads`",
        remedy="give the compiled step an attribute `reads: tuple[str, ...]` with the names: what nobody names is not fetched",
    )
    def test_fields_that_are_read_are_named(self) -> None:
        self.proof.holds(self.columns(most=1), self._names_what_it_reads, most=self.examples)

    def _names_what_it_reads(self, column: Column) -> None:
        with self.step(column.config) as step:
            named = {part for name in getattr(step, "reads", ()) for part in (name, name.partition(".")[0])}
            watched = Watched(column.records[0])
            tried(step, column.values, [watched])
        if missing := watched.read - named:
            told = ", ".join(map(repr, sorted(missing)))
            broken(example=column, seen=f"it reads {told}; `reads` names {', '.join(map(repr, sorted(named))) or 'nothing'}")

    @rule(
        "the way back leads to a value that the way there turns into the same again",
        remedy="raise ConfigError in `inverse` for a configuration without a way back, TransformError for such a value",
    )
    def test_the_way_back_leads_back(self) -> None:
        if self.type.inverse is None:
            pytest.skip(f"{self.type.name!r} declares no inverse")
        inverse = self.type.inverse
        self.proof.holds(self.columns(most=1), lambda column: self._leads_back(inverse, column), most=self.examples)

    def _leads_back(self, inverse: Callable[[Any], Step], column: Column) -> object:
        try:
            back = inverse(structure(self.type.config, column.config))
        except ConfigError:
            return VOID
        with self.step(column.config) as there:
            there_ = tried(there, column.values, column.records)
            if not isinstance(there_, Results) or there_.values[0] is None:
                return VOID
            back_ = tried(back, there_.values, column.records)
            if isinstance(back_, Exception):
                if not is_refusal(back_):
                    broken(cause=back_, example=column, seen=f"there: {there_.values[0]!r}; back: raised {raised(back_)}")
                return VOID
            again = tried(there, back_.values, column.records)
        if not isinstance(again, Results) or not _equal(again.values[0], there_.values[0]):
            seen = raised(again) if isinstance(again, Exception) else repr(again.values[0])
            broken(example=column, seen=f"there: {there_.values[0]!r}; back: {back_.values[0]!r}; there again: {seen}")
        return None


class Watched(dict[str, Value]):
    """A record that notes which of its fields are looked up by name."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Value:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Value = None) -> Value:
        self.read.add(name)
        return super().get(name, default)


def _equal(one: Value, other: Value) -> bool:
    """Return whether two values are equal, as those that are not equal to themselves are, too."""
    return same(one, other) or bool(one == other)


def _row(found: Mapping[str, Fields], id_: str) -> str:
    return repr(found[id_]) if id_ in found else "no row"


def _results(batch: MappedBatch) -> list[object]:
    return [*(dict(record.values) for record in batch.records), *(f"{error.code}: {error.message}" for error in batch.errors)]
