"""Rows as readers hand them over: by column, with the rows that could not be read."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen

from mjcore.records import Value


@frozen
class Fault:
    """A row that cannot be read; `place` is the line or row within its file."""

    place: str
    code: str
    message: str
    text: str = ""


@frozen
class Chunk:
    """Some rows in a row. Each column has one value per good row: None for null, `ABSENT` where the row lacks the column."""

    columns: Mapping[str, Sequence[Value]]
    numbers: Sequence[int]
    """Of the good rows, the first row of a file being 1."""
    faults: Sequence[Fault]
    passed: int
    """Rows that were read, blank and bad ones too."""


class Reader(Protocol):
    """Reads one file from some row on."""

    def read(self, count: int) -> Chunk:
        """Return the next rows; fewer than `count` passed: the file has ended."""

    def close(self) -> None: ...
