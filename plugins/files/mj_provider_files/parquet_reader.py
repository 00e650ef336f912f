"""Parquet: row groups from any row on, values as the file declares them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pyarrow as pa  # type: ignore[import-untyped] # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # ships no types

from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk, Place, Unit
from mj_provider_files.parquet_values import field_type, values
from mjcore.errors import NotSupported
from mjcore.records import ABSENT, Value
from mjcore.schema import FieldType

BUFFER = 2**20
"""Bytes of a column read at a time: else a row group's column is in memory as a whole."""


class ParquetReader:
    """Reads the columns in `names`, all when it is None. Times without a zone are in `zone`."""

    unit: Unit = "row"

    def __init__(self, file: DataFile, zone: ZoneInfo, names: Sequence[str] | None, place: Place) -> None:
        self.name, self.zone, self.row = file.name, zone, place.at
        with _arrow_errors(file.name):
            self.file = pq.ParquetFile(file.path, buffer_size=BUFFER)
        known = self.file.schema_arrow.names
        self.names = known if names is None else names
        self.has_gaps = not set(known).issuperset(self.names)
        self.batches = self._batches([name for name in known if name in self.names], place.at)
        self.rest: pa.RecordBatch | None = None

    @property
    def place(self) -> Place:
        return Place(self.row, self.row)

    def read(self, count: int) -> Chunk:
        parts: list[pa.RecordBatch] = []
        missing = count
        with _arrow_errors(self.name):
            while missing and (batch := self.rest or next(self.batches, None)) is not None:
                part = batch.slice(0, missing)
                self.rest = batch.slice(part.num_rows) if part.num_rows < batch.num_rows else None
                missing -= part.num_rows
                parts.append(part)
        columns = {name: self._column(name, parts) for name in self.names}
        first, passed = self.row + 1, count - missing
        self.row += passed
        return Chunk(columns, lambda: range(first, first + passed), (), passed, self.has_gaps)

    def close(self) -> None:
        self.file.close()

    def _batches(self, names: list[str], row: int) -> Iterator[pa.RecordBatch]:
        """Stream from the row group that holds this row."""
        groups = list(range(self.file.num_row_groups))
        while groups and row >= (rows := self.file.metadata.row_group(groups[0]).num_rows):
            row -= rows
            del groups[0]
        for batch in self.file.iter_batches(batch_size=2048, row_groups=groups, columns=names):
            if row < batch.num_rows:
                yield batch.slice(row)
            row = max(0, row - batch.num_rows)

    def _column(self, name: str, parts: list[pa.RecordBatch]) -> list[Value]:
        found: list[Value] = []
        with _arrow_errors(f"{self.name} column {name!r}"):
            for part in parts:
                position = part.schema.get_field_index(name)
                found += [ABSENT] * part.num_rows if position < 0 else values(part.column(position), self.zone)
        return found


def schema_types(file: DataFile) -> dict[str, FieldType]:
    """Return each column's type, from the file's schema."""
    with _arrow_errors(file.name):
        schema = pq.read_schema(file.path)
    return {column.name: field_type(column.type) for column in schema}


@contextmanager
def _arrow_errors(place: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError, OverflowError) as error:  # values that Python cannot hold, too
        raise NotSupported(f"{place}: {error}") from error
    except OSError as error:
        if error.errno is None:  # not the system's: what pyarrow says of damaged files
            raise NotSupported(f"{place}: {error}; is the file damaged?") from error
        raise
