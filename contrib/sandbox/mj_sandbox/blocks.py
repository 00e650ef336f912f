"""Records as functions of (seed, index): made in blocks, never kept."""

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from hashlib import shake_128

from attrs import define, field

from mj_sandbox.moments import DAY, iso, milliseconds

BLOCK = 100
"""Records of a block: one page of a listing."""
KEPT = 16
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
    _values: dict[str, Sequence[str | None]] = field(init=False, factory=dict)
    _members: dict[str, list[str]] = field(init=False, factory=dict)
    _rows: dict[tuple[str, ...], list[str]] = field(init=False, factory=dict)

    @cached_property
    def created(self) -> list[int]:
        """When each record was created, in ms; ascending as ids are."""
        width, count = END - SPREAD - BEGIN, max(1, self.source.count)
        spacing = width // count
        return [BEGIN + width * i // count + (spacing * w >> 16) for i, w in enumerate(self.words("created"), self.start)]

    @cached_property
    def modified(self) -> list[int]:
        """When each record last changed, in ms."""
        triples = zip(self.created, self.words("modified"), self.words("modified too"), strict=True)
        return [created + (SPREAD * (high << 16 | low) >> 32) for created, high, low in triples]

    @cached_property
    def created_texts(self) -> list[str]:
        return list(map(iso, self.created))

    @cached_property
    def modified_texts(self) -> list[str]:
        return list(map(iso, self.modified))

    def words(self, label: str) -> Sequence[int]:
        """Return one number of 16 bits per record; the same label gives the same numbers."""
        hundred = self.start // BLOCK * BLOCK
        text = f"{self.source.seed}/{self.source.name}/{label}/{hundred}"
        numbers = array("H", shake_128(text.encode()).digest(2 * (self.stop - hundred)))[self.start - hundred :]
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def parents(self, other: str, size: int, name: str) -> list[str | None]:
        """Return a property of the other record that each record belongs to: `size` records belong to one."""
        source, first = self.source.others[other], self.start // size
        wanted = range(first, (self.stop - 1) // size + 1)
        values = [(source.single(each) if self.single else source.block(each // BLOCK)).value(each, name) for each in wanted]
        return [values[index // size - first] for index in range(self.start, self.stop)]

    @property
    def single(self) -> bool:
        """Whether this is one record, made for itself."""
        return self.stop - self.start == 1

    def value(self, index: int, name: str) -> str | None:
        """Return one property of the record of this index."""
        return self.values(name)[index - self.start]

    def values(self, name: str) -> Sequence[str | None]:
        """Return one property of all records; None throughout where nothing is generated."""
        if name not in self._values:
            column = self.source.columns.get(name)
            self._values[name] = column(self, name) if column else [None] * (self.stop - self.start)
        return self._values[name]

    def members(self, name: str) -> list[str]:
        """Return one property of all records as members of a JSON object, each after a comma."""
        if name not in self._members:
            texts = self.values(name)
            self._members[name] = [f',"{name}":null' if text is None else f',"{name}":"{text}"' for text in texts]
        return self._members[name]

    def rows(self, names: tuple[str, ...], address: str) -> list[str]:
        """Return every record as JSON with these properties; its id comes first, its page is at `address` and the id."""
        if names not in self._rows:
            ids = range(self.source.first_id + self.start, self.source.first_id + self.stop)
            heads = (f'{{"id":"{each}","properties":{{"hs_object_id":"{each}"' for each in ids)
            times = zip(ids, self.created_texts, self.modified_texts, strict=True)
            tails = (
                f'}},"createdAt":"{created}","updatedAt":"{modified}","archived":false,"url":"{address}{each}"}}'
                for each, created, modified in times
            )
            self._rows = {names: list(map("".join, zip(heads, *map(self.members, names), tails, strict=True)))}
        return self._rows[names]


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
    """number -> block of `BLOCK` records"""
    single: Callable[[int], Block] = field(init=False)
    """index -> block of that record alone: what a record in the middle of nowhere costs"""

    def __attrs_post_init__(self) -> None:
        self.block = lru_cache(KEPT)(lambda number: Block(self, number * BLOCK, min(self.count, (number + 1) * BLOCK)))
        self.single = lru_cache(BLOCK)(lambda index: Block(self, index, index + 1))

    def blocks(self) -> range:
        return range(-(-self.count // BLOCK))

    def span(self, number: int) -> tuple[int, int]:
        """Return bounds of the modified times of a block, without making it."""
        width, count = END - SPREAD - BEGIN, max(1, self.count)
        return BEGIN + width * number * BLOCK // count, BEGIN + width * (number + 1) * BLOCK // count + SPREAD
