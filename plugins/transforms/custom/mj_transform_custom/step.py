"""The compiled step."""

from collections.abc import Sequence
from weakref import WeakSet

from attrs import define, field, frozen

from mj_transform_custom.evaluation import WORKER, check, evaluate
from mj_transform_custom.fields import fields_read
from mj_transform_custom.values import decode, encode
from mjcore.capabilities import Step
from mjcore.errors import TransformError
from mjcore.records import ABSENT, Fields, Value


@frozen
class Failed:
    """A column that failed. It is applied again value by value: then nothing has to be evaluated twice."""

    values: Sequence[Value] = ()
    records: Sequence[Fields] = ()
    outcomes: Sequence[Value] = ()
    places: dict[tuple[int, int], int] = field(init=False)
    """By the identities of value and record, which stay theirs while both are held here."""

    @places.default
    def _places(self) -> dict[tuple[int, int], int]:
        return {(id(value), id(record)): i for i, (value, record) in enumerate(zip(self.values, self.records, strict=True))}

    def outcome(self, value: Value, record: Fields) -> Sequence[Value]:
        """Return the outcome in a list; nothing when it is not known."""
        place = self.places.get((id(value), id(record)))
        return [] if place is None else [self.outcomes[place]]


@define(eq=False)
class Custom:
    """One expression."""

    expression: str
    reads: tuple[str, ...]
    reads_others: bool
    failed: Failed = field(init=False, factory=Failed)

    def apply(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        known = self.failed.outcome(values[0], records[0]) if len(values) == 1 else []
        outcomes = known or self.evaluated(values, records)
        failure = next((outcome for outcome in outcomes if isinstance(outcome, TransformError)), None)
        if failure is None:
            return outcomes
        if not known:
            self.failed = Failed(list(values), list(records), outcomes)
        raise failure

    def evaluated(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        """Return the results, and errors in the place of results."""
        _in_use.add(self)
        outcomes: list[Value] = [None] * len(values)
        items: dict[int, str] = {}
        for i, (value, record) in enumerate(zip(values, records, strict=True)):
            try:
                items[i] = encode(value, self.part(record))
            except TransformError as error:
                outcomes[i] = error
        for i, outcome in zip(items, decode(evaluate(self.expression, list(items.values()))), strict=True):
            outcomes[i] = outcome
        return outcomes

    def part(self, record: Fields) -> Fields:
        """Return what the expression may read of a record."""
        if self.reads_others:
            return {name: field for name, field in record.items() if field is not ABSENT}
        return {name: record[name] for name in self.reads if record.get(name, ABSENT) is not ABSENT}

    def close(self) -> None:
        """The last step that is in use ends the child process."""
        self.failed = Failed()
        _in_use.discard(self)
        if not _in_use:
            WORKER.stop()


_in_use: WeakSet[Custom] = WeakSet()


def compiled(expression: str) -> Step:
    """Raises `ConfigError` for a syntax error."""
    check(expression)
    return Custom(expression, *fields_read(expression))
