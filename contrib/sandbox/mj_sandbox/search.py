"""Searches: filters, one sort, pages by offset, and no more than 10,000 results."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from attrs import define, field

from mj_sandbox.blocks import Block
from mj_sandbox.filters import Filter, Test, comparable, compile_filter, lenient, words
from mj_sandbox.moments import milliseconds
from mj_sandbox.problems import invalid
from mj_sandbox.table import Change, Table

REACH = 10_000
"""Results of one query that can be paged to."""
MOST_GROUPS, MOST_FILTERS, MOST_IN_ALL = 5, 6, 18
REMEMBERED = 8


class Group(msgspec.Struct, frozen=True):
    """Filters that must all hold."""

    filters: tuple[Filter, ...]


class Sort(msgspec.Struct, rename="camel", frozen=True):
    """The one order of a search."""

    property_name: str
    direction: str = "ASCENDING"


class Search(msgspec.Struct, rename="camel", frozen=True):
    """The body of a search."""

    filter_groups: tuple[Group, ...] = ()
    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort | str, ...] = ()
    query: str | None = None
    properties: tuple[str, ...] | None = None
    limit: int | None = None
    after: str | int | None = None

    def groups(self) -> tuple[Group, ...]:
        return self.filter_groups or ((Group(self.filters),) if self.filters else ())

    def order(self) -> Sort | None:
        """Return the sort; a bare name, with a minus for descending, is one too."""
        if not self.sorts:
            return None
        first = self.sorts[0]
        if isinstance(first, Sort):
            return first
        return Sort(first.lstrip("-"), "DESCENDING" if first.startswith("-") else "ASCENDING")


def check(search: Search, table: Table) -> tuple[int, int]:
    """Return (offset, limit) of a search that keeps the rules. Raises Problem."""
    limit = 10 if search.limit is None else search.limit
    if not 0 <= limit <= 200:
        raise invalid(f"Invalid limit {limit}: a search returns at most 200 records")
    text = str(search.after or 0)
    if not text.isdigit():
        raise invalid(f"Invalid after {text!r}: not the offset of a search")
    if int(text) >= REACH:
        raise invalid(f"There was a problem with the request: paging past {REACH} results is not supported (after {text})")
    if len(search.sorts) > 1:
        raise invalid("There was a problem with the request: only one sort is supported")
    sizes = [len(group.filters) for group in search.groups()]
    if len(sizes) > MOST_GROUPS or max(sizes, default=0) > MOST_FILTERS or sum(sizes) > MOST_IN_ALL:
        raise invalid(f"too many filters: {MOST_GROUPS} groups, {MOST_FILTERS} in each, {MOST_IN_ALL} in all at most")
    order = search.order()
    named = [each.property_name for group in search.groups() for each in group.filters]
    for name in (*named, *([order.property_name] if order else [])):
        if name not in table.properties:
            raise invalid(f"There was a problem with the request: property {name!r} does not exist")
    return int(text), limit


@define(eq=False)
class Searches:
    """Searches one table, and remembers the last results until the table is written to."""

    table: Table
    _remembered: dict[Any, Sequence[int]] = field(init=False, factory=dict)
    _version: int = field(init=False, default=-1)

    def run(self, search: Search) -> Sequence[int]:
        """Return the ids of all records found, in order."""
        groups, order = search.groups(), search.order()
        if len(groups) == 1 and (order is None or order == Sort("hs_object_id")):
            return self._by_id(groups[0], search.query)
        return self._found(groups, search.query, order)

    def _by_id(self, group: Group, query: str | None) -> Sequence[int]:
        """Walk by id: `hs_object_id GT last` only cuts a result that stays the same from page to page."""
        past = [each for each in group.filters if (each.property_name, each.operator) == ("hs_object_id", "GT")]
        for each in past:
            compile_filter(each, self.table.properties["hs_object_id"])
        rest = tuple(each for each in group.filters if each not in past)
        ids = self._found((Group(rest),), query, None)
        start = max((bisect_right(ids, float(each.value or 0)) for each in past), default=0)
        return ids[start:]

    def _found(self, groups: tuple[Group, ...], query: str | None, order: Sort | None) -> Sequence[int]:
        key = groups, query, order
        if self._version != self.table.version or self.table.index_lag:
            self._remembered.clear()
            self._version = self.table.version
        if key not in self._remembered:
            while len(self._remembered) >= REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = array("q", self._evaluate(groups, query, order))
        return self._remembered[key]

    def _evaluate(self, groups: tuple[Group, ...], query: str | None, order: Sort | None) -> list[int]:
        found = [set(self._group(group, query)) for group in groups or (Group(()),)]
        ids = sorted(set().union(*found))
        if order and order != Sort("hs_object_id"):
            ids.sort(key=partial(self._sort_key, order.property_name), reverse=order.direction.upper() == "DESCENDING")
        return ids

    def _sort_key(self, name: str, record_id: int) -> tuple[bool, Any]:
        change = self.table.searchable(record_id) if record_id in self.table.changes else None
        value = lenient(comparable(self.table.properties[name]))(self._key(record_id, name, change))
        return value is not None, value

    def _group(self, group: Group, query: str | None) -> Iterator[int]:
        table = self.table
        tests = [(each.property_name, compile_filter(each, table.properties[each.property_name])) for each in group.filters]
        matches = self._query(query)
        low, high = bounds(group, table.kind.modified)
        for number in table.source.blocks():
            earliest, latest = table.source.span(number)
            if latest < low or earliest > high:
                continue
            block = table.source.block(number)
            first = table.source.first_id + block.start
            for position in self._passing(block, tests):
                record_id = first + position
                if record_id not in table.changes and matches(record_id, None):
                    yield record_id
        for record_id in table.changes:
            change = table.searchable(record_id)
            if (
                not change.hidden
                and all(test(self._key(record_id, name, change)) for name, test in tests)
                and matches(record_id, change)
            ):
                yield record_id

    def _passing(self, block: Block, tests: Sequence[tuple[str, Test]]) -> Sequence[int]:
        positions: Sequence[int] = range(block.stop - block.start)
        for name, test in tests:
            keys = self._keys(block, name)
            positions = [each for each in positions if test(keys[each])]
        return positions

    def _keys(self, block: Block, name: str) -> Sequence[Any]:
        """Return a property of a block; times and ids as numbers."""
        if name == self.table.kind.modified:
            return block.modified
        if name == self.table.kind.created:
            return block.created
        if name == "hs_object_id":
            return range(self.table.source.first_id + block.start, self.table.source.first_id + block.stop)
        return block.values(name)

    def _key(self, record_id: int, name: str, change: Change | None) -> Any:
        if name == "hs_object_id":
            return record_id
        return self.table.value(record_id, name, change)

    def _query(self, query: str | None) -> Callable[[int, Change | None], bool]:
        """Return the test of a text search: every word begins a word of a property that is looked into."""
        if not query:
            return lambda *_: True
        wanted = words(query)

        def matches(record_id: int, change: Change | None) -> bool:
            values = (self.table.value(record_id, name, change) or "" for name in self.table.kind.searched)
            present = words(" ".join(values))
            return all(any(word.startswith(each) for word in present) for each in wanted)

        return matches


def bounds(group: Group, name: str) -> tuple[float, float]:
    """Return the window of modified times that filters leave, in ms."""
    low, high = float("-inf"), float("inf")
    for each in group.filters:
        if each.property_name == name and each.value is not None:
            value = milliseconds(str(each.value))
            if each.operator in ("GT", "GTE", "EQ", "BETWEEN"):
                low = max(low, value)
            if each.operator in ("LT", "LTE", "EQ"):
                high = min(high, value)
            if each.operator == "BETWEEN":
                high = min(high, milliseconds(str(each.high_value)))
    return low, high
