"""How a CSV file is written: its delimiter, its columns, and where its rows begin."""

import csv
from collections.abc import Sequence
from itertools import islice

from attrs import frozen

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import START, Place
from mj_provider_files.lines import LONGEST, Lines, is_clean
from mjcore.errors import NotSupported

DELIMITERS = ",;\t|"


@frozen
class Dialect:
    """What the head of a file says."""

    delimiter: str
    columns: Sequence[str]
    """A column without a name is called "" and not read."""
    first: Place
    """Of the first row."""


def read_dialect(file: DataFile, settings: FileObject) -> Dialect:
    """Return delimiter and columns; `NotSupported` for a header that cannot be read."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))  # the limit is the process's own: it is only ever raised
    lines = Lines(file.path, settings.encoding, START)
    try:
        head = list(islice(lines, 100))
        delimiter = settings.delimiter or ("\t" if file.format == "tsv" else _delimiter(head))
        parser = csv.reader(head, delimiter=delimiter, strict=True)
        row = next(filter(None, parser), [])
        if settings.header:
            lines.advance(parser.line_num)
    except csv.Error as error:
        raise NotSupported(
            f"{file.name}: the first row cannot be read ({error}); is it CSV with lines that end in \\n?"
        ) from None
    finally:
        lines.close()
    return Dialect(delimiter, _columns(file.name, row, settings), lines.place)


def _delimiter(head: Sequence[str]) -> str:
    """Return the delimiter that divides most rows like the first one, and into most columns."""

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0
        return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)

    return max(DELIMITERS, key=fitness)


def _columns(name: str, row: Sequence[str], settings: FileObject) -> Sequence[str]:
    if settings.columns and row and len(settings.columns) != len(row):
        raise NotSupported(f"{name}: Columns names {len(settings.columns)} columns, but the first row has {len(row)}")
    if settings.columns:
        return settings.columns
    if not settings.header:
        return [f"column_{i}" for i in range(1, len(row) + 1)]
    if not is_clean("".join(row)):
        raise NotSupported(f"{name}: the header is not in {settings.encoding}; set Encoding to the file's own, such as cp1252")
    return _distinct([column.strip() for column in row])


def _distinct(header: Sequence[str]) -> list[str]:
    """Give a repeated name a number that no other column has."""
    names: list[str] = []
    for name in header:
        number, unique = 2, name
        while name and (unique in names or (unique != name and unique in header)):
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names
