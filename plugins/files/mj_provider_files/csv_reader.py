"""CSV and TSV, as RFC 4180 has them: values are texts as they stand, or null."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias, TypeGuard

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk, Fault
from mj_provider_files.text import is_clean, open_text, shown
from mjcore.errors import NotSupported
from mjcore.records import ABSENT, Value

Row: TypeAlias = "list[str] | Fault"

FIELD_LIMIT = 2**24
"""Characters in one field: more is a quote that does not end."""


class CSVReader:
    """Reads the columns in `names`, all when it is None."""

    def __init__(self, file: DataFile, settings: FileObject, names: Sequence[str] | None, row: int) -> None:
        # the limit is the process's own: it is only ever raised
        csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
        self.stream = open_text(file.path, settings.encoding, "surrogateescape")
        try:
            self.line = self.stream.readline()
            delimiter = settings.delimiter or ("\t" if file.format == "tsv" else max(",;\t|", key=self.line.count))
            self.parser = csv.reader(self._lines(), delimiter=delimiter, strict=True)
            self.rows: Iterator[list[str]] = self.parser
            header = self._header(file.name, settings)
            self.width = len(header)
            wanted = header if names is None else names
            self.places = {name: header.index(name) if name in header else None for name in wanted if name}
            self.nulls: Mapping[str, None] = dict.fromkeys(settings.null_texts)
            self.row = 0
            while self.row < row and self._take(min(row - self.row, 10_000)):
                pass
        except BaseException:
            self.close()
            raise

    def read(self, count: int) -> Chunk:
        first = self.row + 1
        rows = self._take(count)
        if self._is_plain(rows):
            return Chunk(self._columns(rows), range(first, self.row + 1), (), len(rows))
        checked = [(number, self._check(row, number)) for number, row in enumerate(rows, first)]
        good = [(number, row) for number, row in checked if isinstance(row, list) and row]
        faults = [row for _, row in checked if isinstance(row, Fault)]
        return Chunk(self._columns([row for _, row in good]), [number for number, _ in good], faults, len(rows))

    def close(self) -> None:
        self.stream.close()

    def _lines(self) -> Iterator[str]:
        """Yield the file's lines and remember the last, for rows that end in a fault."""
        yield self.line
        for line in self.stream:
            self.line = line
            yield line

    def _take(self, count: int) -> list[Row]:
        rows: list[Row] = []
        while len(rows) < count:
            try:
                for row in islice(self.rows, count - len(rows)):
                    rows.append(row)  # noqa: PERF402 - what came before a fault is kept
                break
            except csv.Error as error:
                rows.append(Fault(f"line {self.parser.line_num}", "malformed_row", str(error), shown(self.line)))
        self.row += len(rows)
        return rows

    def _is_plain(self, rows: list[Row]) -> TypeGuard[list[list[str]]]:
        """Tell, quickly, whether all rows are good."""
        return all(type(row) is list and len(row) == self.width for row in rows) and is_clean("".join(map("".join, rows)))  # type: ignore[arg-type]

    def _check(self, row: Row, number: int) -> Row:
        if isinstance(row, Fault) or not row:
            return row
        if len(row) != self.width:
            fault = f"{len(row)} fields, but there are {self.width} columns"
            return Fault(f"row {number}", "ragged_row", fault, shown("\t".join(row)))
        if not is_clean("".join(row)):
            fault = "bytes that are not of the file's encoding; set Encoding to the right one"
            return Fault(f"row {number}", "bad_encoding", fault, shown("\t".join(row)))
        return row

    def _columns(self, rows: list[list[str]]) -> dict[str, Sequence[Value]]:
        columns = list(zip(*rows, strict=True)) if rows else [()] * self.width
        nulls = self.nulls
        return {
            name: [ABSENT] * len(rows) if place is None else [None if v in nulls else v for v in columns[place]]
            for name, place in self.places.items()
        }

    def _header(self, name: str, settings: FileObject) -> list[str]:
        """Return the names of the columns; a repeated name gets a number, a column without a name is not read."""
        if not settings.header and settings.columns:
            return list(settings.columns)
        try:
            header = next(self.parser, [])
        except csv.Error as error:
            raise NotSupported(f"{name} line {self.parser.line_num}: {error} in the first row") from None
        if not settings.header:
            self.rows = chain([header], self.parser)
            return [f"column_{i}" for i in range(1, len(header) + 1)]
        if not is_clean("".join(header)):
            raise NotSupported(f"{name}: the header is not in {settings.encoding}; set Encoding to the file's own")
        return list(settings.columns) or _distinct(header)


def _distinct(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for name in map(str.strip, header):
        number, unique = 2, name
        while name and (unique in names or (unique != name and unique in header)):
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names
