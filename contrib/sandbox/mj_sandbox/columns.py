"""Columns of generated values, from the words of a block."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat

from mj_sandbox.blocks import Block, Column, Source
from mj_sandbox.moments import DAY, day, iso
from mj_sandbox.words import AREA_CODES, PLACES, STREETS


def pick(pool: Sequence[str | None], blank: float = 0.0, label: str = "") -> Column:
    """Choose from `pool`; a share of `blank` is null. Columns of one `label` choose alike."""
    repeats = max(1, 400 // len(pool))
    empty = round(len(pool) * repeats * blank / (1 - blank))
    entries = (*(tuple(pool) * repeats), *repeat(None, empty))
    size = len(entries)
    return lambda block, name: [entries[word % size] for word in block.words(label or name)]


def number(low: int, high: int, *, step: int = 1, blank: float = 0.0) -> Column:
    """Whole numbers between `low` and `high`."""
    size, threshold = (high - low) // step + 1, round(blank * 65536)

    def column(block: Block, name: str) -> list[str | None]:
        return [None if word < threshold else str(low + word % size * step) for word in block.words(name)]

    return column


def money(low: int, high: int, blank: float = 0.0) -> Column:
    """Amounts with or without cents, as people and programs type them."""
    size, threshold = high - low, round(blank * 65536)

    def column(block: Block, name: str) -> list[str | None]:
        pairs = zip(block.words(name), block.words(f"{name} cents"), strict=True)
        return [None if w < threshold else f"{low + w % size}.{c % 100:02d}" if c % 3 else str(low + w % size) for w, c in pairs]

    return column


def after_creation(days: int, *, blank: float = 0.0, date: bool = False) -> Column:
    """Instants, or dates, up to `days` after the record's creation."""
    threshold, write = round(blank * 65536), day if date else iso

    def column(block: Block, name: str) -> list[str | None]:
        pairs = zip(block.created, block.words(name), strict=True)
        return [None if word < threshold else write(created + days * DAY * word // 65536) for created, word in pairs]

    return column


def coded(prefix: str, blank: float = 0.0) -> Column:
    """Unique codes: the prefix and the record's number."""
    threshold = round(blank * 65536)

    def column(block: Block, name: str) -> list[str | None]:
        pairs = enumerate(block.words(name), block.start + 1)
        return [None if word < threshold else f"{prefix}{index:07d}" for index, word in pairs]

    return column


def numbered(code: str) -> Iterable[int]:
    """Return the record that may have a code of `coded`."""
    digits = re.search(r"(\d+)$", code)
    return [int(digits.group(1)) - 1] if digits else []


def repeated(block: Block, values: list[str | None]) -> list[str | None]:
    """Let some values repeat the one before, in the account's share of duplicates."""
    threshold = round(block.source.duplicates * 65536)
    if not threshold:
        return values
    before = [None, *values]
    return [
        before[position] if word < threshold and before[position] else values[position]
        for position, word in enumerate(block.words("duplicate"))
    ]


def each(make: Callable[[Source, int], str | None]) -> Column:
    """A value that depends on other records: (source, index) -> value."""
    return lambda block, _: [make(block.source, index) for index in range(block.start, block.stop)]


def created(block: Block, _: str) -> list[str]:
    return block.created_texts


def modified(block: Block, _: str) -> list[str]:
    return block.modified_texts


def object_id(block: Block, _: str) -> list[str]:
    return [str(block.source.first_id + index) for index in range(block.start, block.stop)]


PHONE_FORMATS = ("+1 {}-555-01{:02d}", "({}) 555-01{:02d}", "{}.555.01{:02d}", "1{}55501{:02d}", "+1{}55501{:02d}")
ODD_PHONES = ("n/a", "555-0199", "call the office", "0", "+1 202-555-0123 ext. 12", "202-555-0145 / 202-555-0146")


def _phone(number: int) -> str | None:
    mixed = number * 2_654_435_761 & 0xFFFF_FFFF
    kind, rest = mixed >> 25, mixed >> 9 & 0xFFFF
    if kind < 20:
        return None
    if kind < 24:
        return ODD_PHONES[rest % len(ODD_PHONES)]
    return PHONE_FORMATS[kind % len(PHONE_FORMATS)].format(AREA_CODES[rest // 100 % len(AREA_CODES)], rest % 100)


phone = pick(tuple(map(_phone, range(4096))))
"""Numbers kept for fiction, in every notation; some missing, some that are none."""


def street(block: Block, name: str) -> list[str | None]:
    return [f"{word % 199 + 1} {STREETS[word >> 4 & 15]} Street" if word % 16 else None for word in block.words(name)]


def postcode(block: Block, name: str) -> list[str | None]:
    pairs = zip(block.words("place"), block.words(name), strict=True)
    return [f"{PLACES[place % len(PLACES)][2]}{word % 100:02d}" if word % 20 else None for place, word in pairs]


def place(part: int) -> Column:
    """City (0), state (1) or country (3); those of one record belong together."""
    entries = tuple(row[part] for row in PLACES)
    size = len(entries)
    return lambda block, _: [entries[word % size] for word in block.words("place")]
