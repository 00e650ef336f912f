"""Records as functions of (seed, index): made in blocks, never kept."""

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import shake_128

from attrs import define, field

from mj_sandbox.moments import DAY, iso, milliseconds

BLOCK = 100
"""Records of a block: one page of a listing."""
KEPT = 64
"""Blocks remembered per object type."""
BEGIN, END = milliseconds("2024-01-01"), milliseconds("2026-01-01")
"""Between these instants every generated record was created and last changed."""
SPREAD = 30 * DAY
"""A generated record changed last within this time of its creation, so a window of time is a range of blocks."""

Column = Callable[["Block", str], Sequence[str | None]]
"""(block, property name) -> that property of every record of the block. Values need no escape in JSON."""


@define(eq=False)
class Block:
    """Records `start <= index < stop` of one object type, a column at a time."""

    source: "Source"
    start: int
    stop: int
    created: list[int] = field(init=False)
    modified: list[int] = field(init=False)
    _values: dict[str, Sequence[str | None]] = field(init=False, factory=dict)
    _tokens: dict[str, list[str]] = field(init=False, factory=dict)
    _rows: dict[str, list[str]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        width = END - SPREAD - BEGIN
        count = max(1, self.source.count)
        spacing = width // count
        inside, high, low = self.words("created"), self.words("modified"), self.words("modified too")
        self.created = [BEGIN + width * i // count + (spacing * w >> 16) for i, w in enumerate(inside, self.start)]
        self.modified = [c + ((SPREAD * (h << 16 | w)) >> 32) for c, h, w in zip(self.created, high, low, strict=True)]

    def words(self, label: str) -> Sequence[int]:
        """Return one number of 16 bits per record; the same label gives the same numbers."""
        text = f"{self.source.seed}/{self.source.name}/{label}/{self.start}"
        numbers = array("H", shake_128(text.encode()).digest(2 * (self.stop - self.start)))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def values(self, name: str) -> Sequence[str | None]:
        """Return one property of all records; None throughout where nothing is generated."""
        if name not in self._values:
            column = self.source.columns.get(name)
            self._values[name] = column(self, name) if column else [None] * (self.stop - self.start)
        return self._values[name]

    def tokens(self, name: str) -> list[str]:
        """Return one property of all records as JSON."""
        if name not in self._tokens:
            self._tokens[name] = ["null" if value is None else f'"{value}"' for value in self.values(name)]
        return self._tokens[name]

    def rows(self, template: str, names: Sequence[str]) -> list[str]:
        """Return every record as JSON: `template` filled with id, these properties, both times and the id again."""
        if template not in self._rows:
            ids = range(self.source.first_id + self.start, self.source.first_id + self.stop)
            times = map(iso, self.created), map(iso, self.modified)
            columns = (ids, *map(self.tokens, names), *times, ids)
            self._rows = {template: [template % row for row in zip(*columns, strict=True)]}
        return self._rows[template]


@define(eq=False)
class Source:
    """All generated records of one object type: ids from `first_id` on, without a gap."""

    name: str
    seed: int
    count: int
    first_id: int
    columns: Mapping[str, Column]
    others: Mapping[str, "Source"]
    """The account's sources by name, for values that depend on an associated record."""
    duplicates: float = 0.0
    """Share of records that repeat the e-mail or domain of the one before."""
    block: Callable[[int], Block] = field(init=False)
    """number -> block"""

    def __attrs_post_init__(self) -> None:
        self.block = lru_cache(KEPT)(self._make)

    def _make(self, number: int) -> Block:
        return Block(self, number * BLOCK, min(self.count, (number + 1) * BLOCK))

    def blocks(self) -> range:
        return range(-(-self.count // BLOCK))

    def value(self, index: int, name: str) -> str | None:
        """Return one property of one record."""
        return self.block(index // BLOCK).values(name)[index % BLOCK]

    def span(self, number: int) -> tuple[int, int]:
        """Return bounds of the modified times of a block, without making it."""
        width, count = END - SPREAD - BEGIN, max(1, self.count)
        return BEGIN + width * number * BLOCK // count, BEGIN + width * (number + 1) * BLOCK // count + SPREAD
