"""What a match strategy has to keep."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from typing import Any, ClassVar

from attrs import frozen
from hypothesis import strategies as st

from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.suites.configured import ConfiguredSuite
from mj_testing.tables import Table
from mjcore.capabilities import Matcher, MatchType
from mjcore.models import Entity, EntityField, EntityMap, FieldMap
from mjcore.records import ABSENT, ExternalRecord, MappedRecord, RowKey, Value
from mjcore.wire import structure

BLANKS = (None, ABSENT, "", " ", "\t\n", "\u00a0")
NAMES = ("Email", "Code", "Name")


@frozen
class Batch:
    """Values to match on, one tuple per record, and rows."""

    config: Mapping[str, Any]
    values: Sequence[tuple[Value, ...]]
    rows: Mapping[RowKey, Mapping[str, Value]]


class MatcherSuite(ConfiguredSuite):
    """Subclass it with the plugin and some configurations: `MatchStrategy` without the kernel's own keys."""

    strategy: ClassVar[str | None] = None
    """The match strategy's name, where the plugin has several."""

    @property
    def entity_map(self) -> EntityMap:
        """Return the map in which records are matched. Override it where the strategy needs other fields than these texts."""
        entity = Entity("Contacts", "contacts", fields=tuple(EntityField(name) for name in NAMES))
        maps = tuple(FieldMap(name.lower(), name, is_key_field=name != "Name") for name in NAMES)
        return EntityMap("contacts", entity, maps)

    def record(self, matcher: Matcher, values: Sequence[Value], number: int) -> MappedRecord:
        """Return a record that has these values in `matcher.fields`. Override it where something else is matched on."""
        named = {name: value for name, value in zip(matcher.fields, values, strict=True) if value is not ABSENT}
        return MappedRecord(ExternalRecord(f"r{number}", {}), named)

    def values(self) -> st.SearchStrategy[Value]:
        """Return values to match on."""
        return st.sampled_from(["a", "b", "A", " a"])

    @property
    def type(self) -> MatchType[Any]:
        """The declaration under test."""
        declared = {kind.name: kind for kind in self.plugin.mj_match_types()}
        return declared[self.strategy] if self.strategy else next(iter(declared.values()))

    @property
    def config_class(self) -> Any:
        return self.type.config

    def matcher(self, config: Mapping[str, Any]) -> Matcher:
        return self.type.compile(structure(self.type.config, config), self.entity_map)

    def built(self, config: Mapping[str, Any]) -> AbstractContextManager[Matcher]:
        return self._built(config)

    @contextmanager
    def _built(self, config: Mapping[str, Any]) -> Iterator[Matcher]:
        yield self.matcher(config)

    def batches(self, of: st.SearchStrategy[Value] | None = None) -> st.SearchStrategy[Batch]:
        """Return batches for each configuration."""
        drawn = self._any() if of is None else of
        return st.sampled_from(list(self.configs)).flatmap(lambda config: self._batches(config, drawn))

    def _any(self) -> st.SearchStrategy[Value]:
        return self.values() | st.sampled_from(BLANKS)

    def _batches(self, config: Mapping[str, Any], of: st.SearchStrategy[Value]) -> st.SearchStrategy[Batch]:
        width = len(self.matcher(config).fields)
        in_rows = self.values() | st.sampled_from([None, "", " "])
        row = st.fixed_dictionaries(dict.fromkeys(NAMES, in_rows))
        rows = st.lists(row, max_size=6).map(lambda found: {(number,): each for number, each in enumerate(found)})
        return st.builds(Batch, st.just(config), st.lists(st.tuples(*[of] * width), min_size=2, max_size=6), rows)

    def found(self, batch: Batch, values: Sequence[tuple[Value, ...]], table: Table | None = None) -> list[list[RowKey]]:
        """Return the candidates of records with these values, asked for together of a matcher that is compiled anew."""
        matcher = self.matcher(batch.config)
        records = [self.record(matcher, each, number) for number, each in enumerate(values)]
        return [list(keys) for keys in matcher.candidates(records, table or Table(batch.rows))]

    # --- Rules --------------------------------------------------------------------------------------------

    @rule(
        "what is matched on are fields of the entity, one at least",
        remedy="return the fields from the property `fields`: they are indexed, and concurrent creates are checked on them",
    )
    def test_it_names_what_it_matches_on(self) -> None:
        for config in self.configs:
            self.proof.once(lambda config=config: self._names_fields(config))  # type: ignore[misc]

    def _names_fields(self, config: Mapping[str, Any]) -> None:
        fields, known = self.matcher(config).fields, {*NAMES, *(f.name for f in self.entity_map.entity.fields), "id"}
        if not fields or not known.issuperset(fields):
            broken(example=config, seen=f"fields is {fields!r}; the entity has {', '.join(sorted(known))}")

    @rule(
        "blank matches nothing: a record without a part of its key has no candidates",
        remedy="give no candidates where a part is null, absent, or a text of blanks: else every record without an e-mail "
        "becomes the first row without one",
    )
    def test_blank_never_matches(self) -> None:
        drawn = st.tuples(self.batches(self.values()), st.sampled_from(BLANKS), st.integers(0, 9))
        self.proof.holds(drawn, self._leaves_blanks, most=self.examples)

    def _leaves_blanks(self, drawn: tuple[Batch, Value, int]) -> None:
        batch, blank, place = drawn
        values = list(batch.values[0])
        values[place % len(values)] = blank
        rows = {**batch.rows, (99,): dict.fromkeys(NAMES, None if blank is ABSENT else blank)}
        filled = {(98,): dict.fromkeys(NAMES, "")} | rows
        for keys in self.found(Batch(batch.config, [], filled), [tuple(values)]):
            if keys:
                broken(config=batch.config, example=tuple(values), rows=filled, seen=f"candidates {keys}")

    @rule(
        "a row that holds exactly what the record holds is a candidate",
        remedy="look the values up as they are (`rows.find`), or compare what both were made into by the same function",
    )
    def test_an_equal_row_is_a_candidate(self) -> None:
        self.proof.holds(self.batches(self.values()), self._finds_equals, most=self.examples)

    def _finds_equals(self, batch: Batch) -> None:
        fields = self.matcher(batch.config).fields
        values = batch.values[0]
        rows = {**batch.rows, (77,): {**dict.fromkeys(NAMES, "other"), **dict(zip(fields, values, strict=True))}}
        (keys,) = self.found(Batch(batch.config, [], rows), [values])
        if (77,) not in keys or not set(keys) <= rows.keys():
            broken(config=batch.config, example=values, rows=rows, seen=f"candidates {keys}; row (77,) holds the same")

    @rule(
        "the same records have the same candidates each time",
        remedy="keep nothing between calls, and take no order from a set",
    )
    def test_the_same_input_gives_the_same_candidates(self) -> None:
        self.proof.holds(self.batches(), self._is_deterministic, most=self.examples)

    def _is_deterministic(self, batch: Batch) -> None:
        matcher = self.matcher(batch.config)
        records = [self.record(matcher, each, number) for number, each in enumerate(batch.values)]
        first, again = ([list(k) for k in matcher.candidates(records, Table(batch.rows))] for _ in range(2))
        if (firsts := list(first)) != (agains := list(again)):
            broken(config=batch.config, example=batch.values, rows=batch.rows, seen=f"{firsts}, then {agains}")

    @rule(
        "a batch has the candidates that its records have one by one, in order",
        remedy="return one sequence of keys per record, each by its own values alone",
    )
    def test_a_batch_is_its_records_one_by_one(self) -> None:
        self.proof.holds(self.batches(), self._is_one_by_one, most=self.examples)

    def _is_one_by_one(self, batch: Batch) -> None:
        alone = [keys for each in batch.values for keys in self.found(batch, [each])]
        if (together := self.found(batch, batch.values)) != alone:
            broken(config=batch.config, example=batch.values, rows=batch.rows, seen=f"alone {alone}, together {together}")

    @rule(
        "the database is asked once per batch, not once per record",
        remedy="collect the keys of the whole batch and call `rows.find` (or `rows.scan`) with all of them",
    )
    def test_it_asks_once_per_batch(self) -> None:
        self.proof.holds(self.batches(self.values()), self._asks_once, most=max(1, self.examples // 2))

    def _asks_once(self, batch: Batch) -> None:
        alone, together = Table(batch.rows), Table(batch.rows)
        self.found(batch, batch.values[:1], alone)
        self.found(batch, batch.values, together)
        if together.asked > max(1, alone.asked):
            broken(
                config=batch.config, example=batch.values, seen=f"one record: asked {alone.asked} times; all: {together.asked}"
            )

    @rule(
        "records are never changed, and nothing is raised: a record that cannot be matched has no candidates",
        remedy="look at values without writing to the record, and give no candidates for what cannot be looked up",
    )
    def test_records_are_borne_and_left_alone(self) -> None:
        odd = st.sampled_from([0, 1.5, True, ["a"], {"a": 1}])
        self.proof.holds(self.batches(self._any() | odd.filter(self.fits)), self._leaves_records, most=self.examples)

    def fits(self, value: Value) -> bool:
        """Tell whether a value of another type may stand in the fields that are matched on: by default all that has a hash."""
        return not isinstance(value, list | dict)

    def _leaves_records(self, batch: Batch) -> None:
        matcher = self.matcher(batch.config)
        records = [self.record(matcher, each, number) for number, each in enumerate(batch.values)]
        before = deepcopy(records)
        try:
            matcher.candidates(records, Table(batch.rows))
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, config=batch.config, example=batch.values, seen=f"raised {raised(error)}")
        if records != before:
            broken(config=batch.config, example=batch.values, seen=f"the records are {records} afterwards")
