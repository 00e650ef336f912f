"""The step under test: compiled from wire JSON as the kernel does, and fed with columns of drawn values."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from attrs import frozen
from hypothesis import strategies as st

from mj_testing.strategies import records, scalars, values
from mj_testing.suites.configured import ConfiguredSuite
from mjcore.capabilities import Step, TransformType
from mjcore.errors import TransformError
from mjcore.records import Fields, Value
from mjcore.wire import structure

NESTED = st.sampled_from([{"city": "Bern"}, {"city": None, "zip": 3000}, ["a", {"b": 1}]])


@frozen(repr=False)
class Column:
    """Values of one source field, each with its record; `config` is the step's."""

    config: Mapping[str, Any]
    values: Sequence[Value]
    records: Sequence[Fields]

    def __repr__(self) -> str:
        """Show what a person can type in."""
        given = ", ".join(map(repr, self.values))
        return f"{given} with config {json.dumps(self.config, ensure_ascii=False, default=str)}"

    def pairs(self) -> list[tuple[Value, Fields]]:
        return list(zip(self.values, self.records, strict=True))

    def only(self, pairs: Sequence[tuple[Value, Fields]]) -> "Column":
        return Column(self.config, [value for value, _ in pairs], [record for _, record in pairs])


class Steps(ConfiguredSuite):
    """What the rules of transforms share."""

    transform: ClassVar[str | None] = None
    """The transform's name, where the plugin has several."""

    def values(self) -> st.SearchStrategy[Value]:
        """Return the values to try. Override it to add such as the step is made for: `super().values() | st.sampled_from(…)`."""
        return values()

    @property
    def type(self) -> TransformType[Any]:
        """The declaration under test."""
        declared = {kind.name: kind for kind in self.plugin.mj_transform_types()}
        return declared[self.transform] if self.transform else next(iter(declared.values()))

    @property
    def config_class(self) -> Any:
        return self.type.config

    def built(self, config: Mapping[str, Any]) -> AbstractContextManager[Step]:
        return self.step(config)

    @contextmanager
    def step(self, config: Mapping[str, Any]) -> Iterator[Step]:
        """Give a step that is compiled anew."""
        step = self.type.compile(structure(self.type.config, config))
        try:
            yield step
        finally:
            if close := getattr(step, "close", None):
                close()

    def columns(self, of: st.SearchStrategy[Value] | None = None, *, least: int = 1, most: int = 4) -> st.SearchStrategy[Column]:
        """Return columns of values."""
        fields = records(of=scalars() | NESTED).map(lambda record: record.fields)
        rows = st.lists(st.tuples(self.values() if of is None else of, fields), min_size=least, max_size=most)
        empty = st.sampled_from(list(self.configs)).map(lambda config: Column(config, (), ()))
        return st.builds(Column.only, empty, rows)

    def good(self, column: Column) -> Column:
        """Return what of a column can be transformed, each value tried with a step of its own."""
        return column.only([pair for pair in column.pairs() if self.passes(column.config, *pair)])

    def passes(self, config: Mapping[str, Any], value: Value, record: Fields) -> bool:
        with self.step(config) as step:
            return isinstance(tried(step, [value], [record]), Results)


@frozen
class Results:
    """What a step made of values; `Exception`s are what it raised instead."""

    values: Sequence[Value]


def tried(step: Step, values: Sequence[Value], records: Sequence[Fields]) -> "Results | Exception":
    """Return the results of a step, or what it raised."""
    try:
        return Results(list(step.apply(values, records)))
    except Exception as error:  # noqa: BLE001 - each rule says what it thinks of it
        return error


def is_refusal(found: "Results | Exception") -> bool:
    return isinstance(found, TransformError)


def same(one: object, other: object) -> bool:
    """Return whether two values are the same to the last digit; a NaN is itself."""
    return repr(one) == repr(other)
