"""Field maps applied by column: null, absent, errors, order, and one bad record among good ones."""

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.mapping import MappingPlan, compile_mapping
from mjcore.models import Entity, EntityField, EntityMap, FieldMap, TransformStep
from mjcore.records import ABSENT, ExternalRecord, Fields, MappedBatch, Value


@frozen
class NoConfig:
    pass


@frozen
class By:
    factor: int = 2


@frozen
class Each:
    """A step from a function of one value."""

    function: Callable[[Value, Fields], Value]
    reads: tuple[str, ...] = ()

    def apply(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        return [self.function(value, record) for value, record in zip(values, records, strict=True)]


def refuse(value: Value, _: Fields) -> Value:
    if value == "bad":
        raise TransformError("bad value")
    return value


def crash(value: Value, _: Fields) -> Value:
    return 1 // len(value)


def bad_config(_: By) -> Each:
    raise ConfigError(Problem("Factor", "must not be round"))


@hookimpl
def mj_transform_types() -> Iterable[TransformType[Any]]:
    return [
        TransformType("upper", NoConfig, lambda _: Each(lambda value, _: value.upper())),
        TransformType("times", By, lambda config: Each(lambda value, _: value * config.factor)),
        TransformType("refuse", NoConfig, lambda _: Each(refuse)),
        TransformType("crash", NoConfig, lambda _: Each(crash)),
        TransformType("odd", By, bad_config),
        TransformType("nulls", NoConfig, lambda _: Each(lambda value, _: "null" if value is None else value), sees="nulls"),
        TransformType(
            "whole", NoConfig, lambda _: Each(lambda _, record: record.get("other", "none"), ("other",)), sees="absent"
        ),
    ]


TYPES = Kernel(plugins={"mine": SimpleNamespace(mj_transform_types=mj_transform_types)}, discover=False).transform_types
ENTITY = Entity(
    "People",
    "people",
    fields=(*map(EntityField, "ABC"), EntityField("N", "number"), EntityField("Must", is_required=True)),
)


def steps(*names: str, on_error: Any = "Fail", **config: Any) -> tuple[TransformStep, ...]:
    return tuple(TransformStep(name, config, on_error) for name in names)


def plan(*field_maps: FieldMap) -> MappingPlan:
    return compile_mapping(EntityMap("people", ENTITY, field_maps), TYPES)


def mapped(plan: MappingPlan, *records: dict[str, Any]) -> MappedBatch:
    return plan([ExternalRecord(str(i), fields) for i, fields in enumerate(records)])


def values(batch: MappedBatch) -> list[Fields]:
    return [record.values for record in batch.records]


def test_fields_are_mapped_and_steps_run_in_order() -> None:
    batch = mapped(plan(FieldMap("a", "A", steps("upper") + steps("times", Factor=3))), {"a": "x"}, {"a": "y"})
    assert values(batch) == [{"A": "XXX"}, {"A": "YYY"}]


def test_absent_is_not_null() -> None:
    assert values(mapped(plan(FieldMap("a", "A", steps("upper"))), {"a": None}, {})) == [{"A": None}, {}]


def test_a_step_sees_what_it_declares() -> None:
    batch = mapped(plan(FieldMap("a", "A", steps("nulls")), FieldMap("a", "B", steps("whole"))), {"a": None}, {"other": "o"})
    assert values(batch) == [{"A": "null", "B": "none"}, {"B": "o"}]


def test_what_steps_read_is_asked_of_the_source_and_dotted_names_by_their_first_part_too() -> None:
    assert plan(FieldMap("a.b", "A", steps("whole")), FieldMap("c", "B")).source_fields == ("a.b", "a", "other", "c")


def test_dotted_paths_reach_into_nested_values_unless_the_name_is_a_field_itself() -> None:
    batch = mapped(plan(FieldMap("a.b", "A")), {"a": {"b": "deep"}}, {"a.b": "flat", "a": {"b": "deep"}}, {"a": None}, {"a": 1})
    assert values(batch) == [{"A": "deep"}, {"A": "flat"}, {"A": None}, {}]


def test_one_bad_value_fails_its_record_only_and_says_where() -> None:
    batch = mapped(
        plan(FieldMap("a", "A", steps("refuse")), FieldMap("b", "B")), {"a": "x", "b": "1"}, {"a": "bad", "b": "2"}, {"a": "y"}
    )
    assert values(batch) == [{"A": "x", "B": "1"}, {"A": "y"}]
    (error,) = batch.errors
    assert (error.external_id, error.stage, error.code) == ("1", "transform", "transform_failed")
    assert error.message == "a → A: step 'refuse': bad value"
    assert error.raw == {"a": "bad", "b": "2"}


def test_null_on_error_ends_the_pipeline_with_null() -> None:
    batch = mapped(plan(FieldMap("a", "A", (*steps("refuse", on_error="Null"), *steps("nulls")))), {"a": "bad"}, {"a": "x"})
    assert values(batch) == [{"A": None}, {"A": "x"}]


def test_skip_on_error_leaves_the_field_untouched() -> None:
    batch = mapped(plan(FieldMap("a", "A", (*steps("refuse", on_error="Skip"), *steps("whole")))), {"a": "bad"}, {"a": "x"})
    assert values(batch) == [{}, {"A": "none"}]


def test_a_bug_in_a_step_is_the_records_failure_too() -> None:
    batch = mapped(plan(FieldMap("a", "A", steps("crash"))), {"a": ""}, {"a": "x"})
    assert values(batch) == [{"A": "1"}]
    assert "ZeroDivisionError" in batch.errors[0].message


def test_the_default_fills_null_but_not_absent() -> None:
    assert values(mapped(plan(FieldMap("a", "A", default_value="d")), {"a": None}, {})) == [{"A": "d"}, {}]


def test_a_required_field_without_a_value_rejects_the_record() -> None:
    batch = mapped(
        plan(FieldMap("a", "A", is_required=True), FieldMap("m", "Must")),
        {"a": None, "m": "x"},
        {"a": "x", "m": None},
        {"a": "x", "m": "x"},
    )
    assert values(batch) == [{"A": "x", "Must": "x"}]
    assert [error.code for error in batch.errors] == ["required", "required"]


def test_a_value_that_does_not_fit_its_column_names_it() -> None:
    (error,) = mapped(plan(FieldMap("a", "N")), {"a": "many"}).errors
    assert (error.code, error.message.partition(":")[0]) == ("does_not_fit", "N")


def test_of_two_maps_into_one_field_the_higher_priority_number_wins_where_it_has_a_value() -> None:
    both = plan(FieldMap("b", "A", priority=2), FieldMap("a", "A", priority=1))
    assert values(mapped(both, {"a": "first", "b": "second"}, {"a": "first"})) == [{"A": "second"}, {"A": "first"}]


def test_direction_and_status_are_honoured() -> None:
    some = plan(FieldMap("a", "A"), FieldMap("b", "B", direction="DestToSource"), FieldMap("c", "C", status="Inactive"))
    assert values(mapped(some, {"a": "1", "b": "2", "c": "3"})) == [{"A": "1"}]


def test_every_fault_of_a_map_is_told_with_its_path() -> None:
    with pytest.raises(ConfigError) as error:
        plan(
            FieldMap("a", "A", steps("uper")),
            FieldMap("b", "B", steps("times", Facter=1)),
            FieldMap("c", "C", steps("odd")),
            FieldMap("d", "N", default_value="many"),
        )
    problems = [str(problem) for problem in error.value.problems]
    assert len(problems) == 4
    assert problems[0].startswith("FieldMaps[0].TransformPipeline[0].Type: no transform type named 'uper', did you mean 'upper'?")
    assert problems[1].startswith("FieldMaps[1].TransformPipeline[0].Config.Facter: unknown, did you mean ")
    assert problems[2] == "FieldMaps[2].TransformPipeline[0].Config.Factor: must not be round"
    assert problems[3].startswith("FieldMaps[3].DefaultValue: ")


fields = st.dictionaries(st.sampled_from(["a", "other"]), st.none() | st.sampled_from(["", "bad", "good", "x"]))
pipelines = st.lists(
    st.tuples(
        st.sampled_from(["upper", "times", "refuse", "crash", "nulls", "whole"]), st.sampled_from(["Fail", "Null", "Skip"])
    ),
    max_size=4,
)


@given(pipelines, st.lists(fields, max_size=8))
def test_a_batch_gives_what_its_records_give_one_by_one(pipeline: list[tuple[str, Any]], records: list[dict[str, Any]]) -> None:
    compiled = plan(FieldMap("a", "A", tuple(TransformStep(name, {}, on_error) for name, on_error in pipeline)))
    sources = [ExternalRecord(str(i), fields) for i, fields in enumerate(records)]
    together = compiled(sources)
    alone = [compiled([source]) for source in sources]
    assert list(together.records) == [record for batch in alone for record in batch.records]
    assert list(together.errors) == [error for batch in alone for error in batch.errors]


@given(fields, fields)
def test_the_content_hash_differs_exactly_where_mapped_source_fields_differ(one: dict[str, Any], two: dict[str, Any]) -> None:
    compiled = plan(FieldMap("a", "A"))
    first, second = compiled.hashes([ExternalRecord("1", one), ExternalRecord("1", two)])
    assert (first == second) == (one.get("a", ABSENT) == two.get("a", ABSENT))
