"""Rules of what a step makes of values."""

from copy import deepcopy

import pytest
from hypothesis import strategies as st

from mj_testing.proof import VOID, broken, raised
from mj_testing.rules import rule
from mj_testing.suites.transform.steps import Column, Results, Steps, is_refusal, same, tried
from mjcore.records import ABSENT

LONGEST_MESSAGE = 1000
"""Characters: messages are stored by the thousand."""


class ValueRules(Steps):
    """What results have to keep."""

    @rule(
        "the same input gives the same output, whatever ran before",
        remedy="keep nothing between calls of `apply`; compute from config, value and record alone: no clock, no chance",
    )
    def test_the_same_input_gives_the_same_output(self) -> None:
        self.proof.holds(self.columns(least=3), self._is_deterministic, most=self.examples)

    def _is_deterministic(self, column: Column) -> object:
        pairs = self.good(column).pairs()
        with self.step(column.config) as step, self.step(column.config) as other:
            first, again = ([tried(step, [value], [record]) for value, record in pairs] for _ in range(2))
            firsts, agains = list(first), list(again)
            backwards = [tried(other, [value], [record]) for value, record in reversed(pairs)][::-1]
        for pair, one, two, three in zip(pairs, firsts, agains, backwards, strict=True):
            for later in (two, three):
                if not same(one, later):
                    broken(example=column.only([pair]), seen=f"{_told(one)}, and another time {_told(later)}")
        return None if pairs else VOID

    @rule(
        "values and records are never changed",
        remedy="make new lists and mappings in `apply`: other fields of the same record are mapped from the very same objects",
    )
    def test_inputs_are_never_changed(self) -> None:
        self.proof.holds(self.columns(), self._leaves_inputs, most=self.examples)

    def _leaves_inputs(self, column: Column) -> None:
        before = deepcopy((column.values, column.records))
        with self.step(column.config) as step:
            tried(step, column.values, column.records)
            for value, record in column.pairs():
                tried(step, [value], [record])
        for what, then, now in zip(("values", "records"), before, (column.values, column.records), strict=True):
            if not same(then, now):
                broken(example=Column(column.config, *before), seen=f"the {what} are {now!r} afterwards")

    @rule(
        "a batch gives what its values give one by one, in order",
        remedy="return one result per value, in order, each made of its own value and record; raise when one value is bad, and "
        "the kernel calls again with one value at a time",
    )
    def test_a_batch_is_its_values_one_by_one(self) -> None:
        self.proof.holds(self.columns(least=3), self._is_one_by_one, most=self.examples)

    def _is_one_by_one(self, column: Column) -> object:
        good, alone = self.good(column), []
        for value, record in good.pairs():
            with self.step(column.config) as step:
                alone.append(tried(step, [value], [record]))
        with self.step(column.config) as step:
            together = tried(step, good.values, good.records) if good.values else Results([])
        if isinstance(together, Exception):
            broken(cause=together, example=good, seen=f"each value passes alone; together they raise {raised(together)}")
        if len(together.values) != len(alone):
            broken(example=good, seen=f"{len(alone)} values gave {len(together.values)} results: {list(together.values)!r}")
        for one, result in zip(alone, together.values, strict=True):
            if not same(one, Results([result])):
                broken(example=good, seen=f"alone {[_told(each) for each in alone]}, together {together.values!r}")
        return None if alone else VOID

    @rule(
        "a value is transformed, or refused with a TransformError",
        remedy="look at the type of the value first (mjcore.scalars.text_of does, for text), and raise TransformError for what "
        "cannot be transformed",
    )
    def test_nothing_is_raised_but_transform_errors(self) -> None:
        self.proof.holds(self.columns(most=1), self._raises_only_transform_errors, most=2 * self.examples)

    def _raises_only_transform_errors(self, column: Column) -> None:
        with self.step(column.config) as step:
            found = tried(step, column.values, column.records)
        if isinstance(found, Exception) and not is_refusal(found):
            broken(cause=found, example=column, seen=f"raised {raised(found)}")

    @rule(
        "a TransformError says why in a line, however long the value",
        remedy=f"say what was expected, and cut the value: f'{{value!r:.60}}'; at most {LONGEST_MESSAGE} characters",
    )
    def test_messages_are_short_and_say_something(self) -> None:
        long = st.sampled_from(["x" * 20_000, "1" * 20_000, "a,b;" * 5_000, ["x" * 20_000], {"x" * 20_000: 1}])
        self.proof.holds(self.columns(self.values() | long, most=1), self._is_brief, most=self.examples)

    def _is_brief(self, column: Column) -> object:
        with self.step(column.config) as step:
            found = tried(step, column.values, column.records)
        if not (isinstance(found, Exception) and is_refusal(found)):
            return VOID
        if not str(found).strip():
            broken(example=column, seen="a TransformError without a text")
        if len(str(found)) > LONGEST_MESSAGE:
            broken(example=column, seen=f"a message of {len(str(found))} characters: {found!s:.100}…")
        return None

    @rule(
        "only a step that sees absent values makes one",
        remedy="return None for null: ABSENT leaves the destination alone, and a step that wants that declares sees='absent'",
    )
    def test_no_value_becomes_absent(self) -> None:
        if self.type.sees == "absent":
            pytest.skip(f"{self.type.name!r} declares that it sees absent values")
        nulls = st.none() if self.type.sees == "nulls" else st.nothing()
        self.proof.holds(self.columns(self.values() | nulls, most=1), self._keeps_values, most=self.examples)

    def _keeps_values(self, column: Column) -> None:
        with self.step(column.config) as step:
            found = tried(step, column.values, column.records)
        if isinstance(found, Results) and any(value is ABSENT for value in found.values):
            broken(example=column, seen="ABSENT")


def _told(found: Results | Exception) -> str:
    return raised(found) if isinstance(found, Exception) else ", ".join(map(repr, found.values))
