"""Lists that may be long: printed while they are read, so that memory does not depend on their length."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from mj_cli.output import plain
from mjcore.chunks import chunks

AHEAD = 200
"""Rows that are read before the first is printed: columns are as wide as these need."""
WIDEST = 36
"""Columns of a cell; a longer one pushes the others of its row aside."""
BESIDE = 60
"""Columns that a sentence needs beside its row."""

Row = tuple[Sequence[str], str]
"""Cells, and the text that belongs to them."""


def print_rows(
    console: Console, columns: Sequence[str], rows: Iterable[Row], *, numbers: Sequence[str] = (), room: int = BESIDE
) -> int:
    """Print a line per row, its text under the last column where that has `room`, else below; return how many there were."""
    widths: list[int] = []
    count = 0
    for some in chunks(rows, AHEAD):
        if not widths:
            found = zip(columns[:-1], *(cells for cells, _ in some), strict=True)
            widths = [min(WIDEST, max(cell_len(plain(cell)) for cell in column)) for column in found]
            is_beside = console.width - sum(widths) - 2 * len(widths) >= room
            head = columns if is_beside else columns[:-1]
            console.print(Text(_aligned(head, columns, widths, numbers).rstrip(), "bold"), soft_wrap=True)
        lines = (_lines(cells, text, columns, widths, numbers, is_beside=is_beside) for cells, text in some)
        console.print(*(part for parts in lines for part in parts), sep="\n")
        count += len(some)
    return count


def _lines(
    cells: Sequence[str], text: str, columns: Sequence[str], widths: Sequence[int], numbers: Sequence[str], *, is_beside: bool
) -> list[RenderableType]:
    if is_beside or not text:
        return [Text(_aligned([*cells, text], columns, widths, numbers).rstrip())]
    return [Text(_aligned(cells, columns, widths, numbers).rstrip()), Padding(Text(plain(text), "dim"), (0, 0, 0, 2))]


def _aligned(cells: Sequence[str], columns: Sequence[str], widths: Sequence[int], numbers: Sequence[str]) -> str:
    """Return one line; what has no width is the text at its end."""
    aligned = [plain(cell) for cell in cells]
    for index, (column, width) in enumerate(zip(columns, widths, strict=False)):
        if cell_len(aligned[index]) < width:
            spaces = " " * (width - cell_len(aligned[index]))
            aligned[index] = spaces + aligned[index] if column in numbers else set_cell_size(aligned[index], width)
    return "  ".join(aligned)


def first(items: Iterable[Any], limit: int | None) -> tuple[Iterator[Any], Iterator[Any]]:
    """Return an iterator of the first `limit` items, and one of the rest, to be read after it."""
    iterator = iter(items)
    return islice(iterator, limit), iterator


class JSONList:
    """Prints a JSON list item by item, and what is told before and after it as one object around it.

    Nothing is printed before the first item, so that an early error leaves the output empty.
    """

    def __init__(self, name: str = "", before: Mapping[str, Any] | None = None) -> None:
        facts = "".join(f"{_json(key)}: {_json(value)}, " for key, value in (before or {}).items())
        self._before = f"{{{facts}{_json(name)}: " if name else ""
        self._count = 0

    @property
    def has_begun(self) -> bool:
        return self._count > 0

    def add(self, item: Any) -> None:
        sys.stdout.write(("," if self._count else f"{self._before}[") + "\n  " + _json(item))
        self._count += 1

    def close(self, after: Mapping[str, Any] | None = None) -> None:
        """End the list, an empty one too, and the object around it."""
        facts = "".join(f", {_json(key)}: {_json(value)}" for key, value in (after or {}).items())
        ended = "\n]" if self._count else f"{self._before}[]"
        sys.stdout.write(ended + facts + ("}\n" if self._before else "\n"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def print_json_list(items: Iterable[Any]) -> None:
    """Print one JSON list, an item a line."""
    printed = JSONList()
    for item in items:
        printed.add(item)
    printed.close()
