"""CSV and TSV, as RFC 4180 has them: values are texts as they stand, or null."""

import csv
from collections.abc import Mapping, Sequence
from itertools import islice

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk, Fault, Place, Unit
from mj_provider_files.dialect import read_dialect
from mj_provider_files.lines import Lines, is_clean, shown
from mjcore.records import ABSENT, Value


class CSVReader:
    """Reads the columns in `names`, all when it is None."""

    unit: Unit = "line"

    def __init__(self, file: DataFile, settings: FileObject, names: Sequence[str] | None, place: Place) -> None:
        dialect = read_dialect(file, settings)
        header = list(dialect.columns)
        self.width = len(header)
        wanted = header if names is None else names
        self.positions = {name: header.index(name) if name in header else None for name in wanted if name}
        self.has_gaps = None in self.positions.values()
        self.nulls = frozenset(settings.null_texts)
        self.lines = Lines(file.path, settings.encoding, max(place, dialect.first, key=lambda p: p.at))
        self.parser = csv.reader(self.lines, delimiter=dialect.delimiter, strict=True)
        self.used = 0

    @property
    def place(self) -> Place:
        return self.lines.place

    def read(self, count: int) -> Chunk:
        first = self.place.number + 1
        rows, faults = self._take(count)
        if not faults and not self.lines.has_faults and {self.width}.issuperset(map(len, rows)):
            return Chunk(self._columns(rows), lambda: _first_lines(rows, first, {}), (), len(rows), self.has_gaps)
        return self._checked(rows, faults, first)

    def close(self) -> None:
        self.lines.close()

    def _take(self, count: int) -> tuple[list[list[str]], dict[int, Fault]]:
        """Return the next rows, and by index what the parser did not understand: such a row is empty."""
        rows: list[list[str]] = []
        faults: dict[int, Fault] = {}
        while len(rows) < count:
            try:
                rows += islice(self.parser, count - len(rows))  # what comes before a fault is kept
                break
            except csv.Error as error:
                line = self.parser.line_num - self.used
                fault = f"{error}; is there a quote too many, or one that does not end?"
                text = shown(self.lines.text(line - 1))
                faults[len(rows)] = Fault(self.place.number + line, "malformed_row", fault, text)
                rows.append([])
        self.lines.advance(self.parser.line_num - self.used)
        self.used = self.parser.line_num
        return rows, faults

    def _checked(self, rows: list[list[str]], faults: dict[int, Fault], first: int) -> Chunk:
        numbers = _first_lines(rows, first, faults)
        for index, row in enumerate(rows):
            if row and (fault := self._fault(row, numbers[index])):
                faults[index] = fault
        good = [index for index, row in enumerate(rows) if row and index not in faults]
        in_order = [faults[index] for index in sorted(faults)]
        return Chunk(
            self._columns([rows[i] for i in good]), lambda: [numbers[i] for i in good], in_order, len(rows), self.has_gaps
        )

    def _fault(self, row: list[str], number: int) -> Fault | None:
        text = "\t".join(row)
        if len(row) != self.width:
            return Fault(number, "ragged_row", f"{len(row)} fields, but there are {self.width} columns", shown(text))
        if not is_clean(text):
            return Fault(number, "bad_encoding", "bytes that are not of the file's encoding; set Encoding to it", shown(text))
        return None

    def _columns(self, rows: Sequence[list[str]]) -> dict[str, Sequence[Value]]:
        columns = list(zip(*rows, strict=True)) if rows else [()] * self.width
        return {
            name: [ABSENT] * len(rows) if position is None else self._nulled(columns[position])
            for name, position in self.positions.items()
        }

    def _nulled(self, texts: Sequence[str]) -> Sequence[Value]:
        nulls = self.nulls
        return texts if nulls.isdisjoint(texts) else [None if text in nulls else text for text in texts]


def _first_lines(rows: Sequence[Sequence[str]], line: int, faults: Mapping[int, Fault]) -> list[int]:
    """Return the line each row begins in: a row has one line, and one more for each line end within its fields."""
    lines = []
    for index, row in enumerate(rows):
        lines.append(line)
        line = faults[index].number + 1 if index in faults else line + 1 + sum(field.count("\n") for field in row)
    return lines
