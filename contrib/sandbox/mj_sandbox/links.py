"""Associations between records: those generated, and those made and removed since."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from mj_sandbox.catalogue.structure import (
    CONTACTS_PER_COMPANY,
    CONTACTS_PER_DEAL,
    CONTACTS_PER_MACHINE,
    CONTACTS_PER_TICKET,
    LINE_ITEMS_PER_DEAL,
)
from mj_sandbox.problems import invalid
from mj_sandbox.table import Table


@frozen
class LinkType:
    """A kind of association, seen from one side."""

    type_id: int
    name: str
    label: str | None = None
    category: str = "HUBSPOT_DEFINED"

    def spec(self) -> dict[str, Any]:
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


def _both(one: str, other: str, forth: int, back: int, *, label: str | None = None) -> dict[tuple[str, str], list[LinkType]]:
    ends = {"companies": "company", "line_items": "line_item"}
    a, b = (ends.get(name, name.removesuffix("s")) for name in (one, other))
    ending = "" if label else "_unlabeled"
    return {
        (one, other): [LinkType(forth, f"{a}_to_{b}{ending}", label)],
        (other, one): [LinkType(back, f"{b}_to_{a}{ending}", label)],
    }


def _collected(*pairs: Mapping[tuple[str, str], list[LinkType]]) -> Mapping[tuple[str, str], list[LinkType]]:
    types: dict[tuple[str, str], list[LinkType]] = {}
    for each in pairs:
        for key, kinds in each.items():
            types.setdefault(key, []).extend(kinds)
    return types


TYPES = _collected(
    _both("contacts", "companies", 279, 280),
    _both("contacts", "companies", 1, 2, label="Primary"),
    _both("deals", "contacts", 3, 4),
    _both("deals", "companies", 341, 342),
    _both("deals", "companies", 5, 6, label="Primary"),
    _both("tickets", "contacts", 16, 15),
    _both("tickets", "companies", 339, 340),
    _both("deals", "tickets", 27, 28),
    _both("deals", "line_items", 19, 20),
    _both("machines", "companies", 35, 36),
)
"""(from, to) -> kinds; the first is the default."""

Reach = Callable[[int], int]
_UP: Mapping[tuple[str, str], tuple[int, int]] = {
    ("contacts", "companies"): (1, CONTACTS_PER_COMPANY),
    ("deals", "contacts"): (CONTACTS_PER_DEAL, 1),
    ("deals", "companies"): (CONTACTS_PER_DEAL, CONTACTS_PER_COMPANY),
    ("tickets", "contacts"): (CONTACTS_PER_TICKET, 1),
    ("tickets", "companies"): (CONTACTS_PER_TICKET, CONTACTS_PER_COMPANY),
    ("line_items", "deals"): (1, LINE_ITEMS_PER_DEAL),
    ("machines", "companies"): (CONTACTS_PER_MACHINE, CONTACTS_PER_COMPANY),
}
"""Record i of the first type belongs to record i * a // b of the second: (a, b)."""

Kinds = dict[int, set[int]]
"""Other id -> ids of the kinds of association."""


@define(eq=False)
class Links:
    """Which record is associated with which. Associations hold both ways."""

    tables: Mapping[str, Table]
    _made: dict[tuple[str, int, str], Kinds] = field(init=False, factory=dict)
    _cut: set[tuple[str, int, str, int]] = field(init=False, factory=set)

    def types(self, one: str, other: str) -> list[LinkType]:
        """Return the kinds of association from one object type to another."""
        return TYPES.get((one, other), [])

    def of(self, one: str, record_id: int, other: str) -> Kinds:
        """Return what a record is associated with, other ids ascending."""
        default = {each.type_id for each in self.types(one, other)}
        found: Kinds = {each: set(default) for each in self._generated(one, record_id, other)}
        for each, kinds in self._made.get((one, record_id, other), {}).items():
            found.setdefault(each, set()).update(kinds)
        live = self.tables[other].live
        return {each: found[each] for each in sorted(found) if (one, record_id, other, each) not in self._cut and live(each)}

    def add(self, one: str, record_id: int, other: str, other_id: int, kinds: Iterable[int] = ()) -> None:
        """Associate two records, by the default kind if none is given."""
        forth, back = self.types(one, other), self.types(other, one)
        if not forth:
            raise invalid(f"{one} and {other} cannot be associated")
        wanted = set(kinds) or {forth[0].type_id}
        unknown = wanted - {each.type_id for each in forth}
        if unknown:
            raise invalid(f"No association type of id {unknown.pop()} exists from {one} to {other}")
        positions = [number for number, each in enumerate(forth) if each.type_id in wanted] + [0]
        self._put(one, record_id, other, other_id, {forth[number].type_id for number in positions})
        self._put(other, other_id, one, record_id, {back[number].type_id for number in positions})

    def cut(self, one: str, record_id: int, other: str, other_id: int) -> None:
        """End every association between two records."""
        for a, a_id, b, b_id in ((one, record_id, other, other_id), (other, other_id, one, record_id)):
            self._cut.add((a, a_id, b, b_id))
            self._made.get((a, a_id, b), {}).pop(b_id, None)

    def follow_merge(self, name: str, winner: int, loser: int) -> None:
        """Give the winner of a merge what the loser was associated with."""
        for other in self.tables:
            for each in self.of(name, loser, other) if self.types(name, other) else ():
                self.add(name, winner, other, each)

    def _put(self, one: str, record_id: int, other: str, other_id: int, kinds: set[int]) -> None:
        self._cut.discard((one, record_id, other, other_id))
        self._made.setdefault((one, record_id, other), {}).setdefault(other_id, set()).update(kinds)

    def _generated(self, one: str, record_id: int, other: str) -> list[int]:
        here, there = self.tables[one].source, self.tables[other].source
        index = record_id - here.first_id
        if not 0 <= index < here.count:
            return []
        if (one, other) == ("contacts", "companies"):
            company = here.single(index).value(index, "associatedcompanyid")
            return [int(company)] if company else []
        if (one, other) in _UP:
            per, size = _UP[one, other]
            target = index * per // size
            return [there.first_id + target] if target < there.count else []
        if (other, one) not in _UP:
            return []
        per, size = _UP[other, one]
        members = range(-(-index * size // per), min(there.count, -(-(index + 1) * size // per)))
        return [there.first_id + each for each in members if self._belongs(other, each)]

    def _belongs(self, name: str, index: int) -> bool:
        """Whether a generated record has the one it could belong to: contacts without a company have not."""
        return name != "contacts" or self.tables[name].source.single(index).value(index, "associatedcompanyid") is not None
