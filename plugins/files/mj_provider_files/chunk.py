"""Rows as readers hand them over: by column, with the rows that could not be read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from attrs import frozen

from mjcore.records import Value

Unit = Literal["line", "row"]


@frozen
class Place:
    """A place between two rows of a file, where reading can begin.

    `at`: bytes before it, decompressed and, where the encoding is neither UTF-8 nor of one byte a character, as UTF-8; in
    Parquet, rows. `number`: lines, or rows, before it.
    """

    at: int = 0
    number: int = 0


START = Place()


@frozen
class Fault:
    """A row that cannot be read."""

    number: int
    """The line, or row, where it was found."""
    code: str
    message: str
    text: str = ""


@frozen
class Chunk:
    """Some rows in a row. Each column has one value per good row: None for null, `ABSENT` where the row lacks the column."""

    columns: Mapping[str, Sequence[Value]]
    numbers: Callable[[], Sequence[int]]
    """The line, or row, of each good row, the first of a file being 1. A function, since only faults need it."""
    faults: Sequence[Fault]
    passed: int
    """Rows that were read, blank and bad ones too."""
    has_gaps: bool
    """There may be `ABSENT` values."""


class Reader(Protocol):
    """Reads one file from some place on."""

    unit: Unit
    """What is counted."""

    @property
    def place(self) -> Place:
        """Return where the next read begins."""

    def read(self, count: int) -> Chunk:
        """Return the next rows; fewer than `count` passed: the file has ended."""

    def close(self) -> None: ...
