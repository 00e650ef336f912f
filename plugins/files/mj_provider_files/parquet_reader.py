"""Parquet: values and types as the file declares them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa  # type: ignore[import-untyped] # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # ships no types

from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Chunk
from mjcore.errors import NotSupported
from mjcore.records import ABSENT, Value
from mjcore.schema import FieldType

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is the column's or the connection's
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class ParquetReader:
    """Reads the columns in `names`, all when it is None. Times without a zone are in `zone`."""

    def __init__(self, file: DataFile, zone: ZoneInfo, names: Sequence[str] | None, row: int) -> None:
        with _arrow_errors(file.name):
            self.file = pq.ParquetFile(file.path)
        self.name, self.zone, self.row = file.name, zone, row
        known = self.file.schema_arrow.names
        self.names = known if names is None else names
        self.batches = self._batches([name for name in known if name in self.names], row)
        self.rest: pa.RecordBatch | None = None

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
        passed = count - missing
        self.row += passed
        return Chunk(columns, range(self.row - passed + 1, self.row + 1), (), passed)

    def close(self) -> None:
        self.file.close()

    def _batches(self, names: list[str], row: int) -> Iterator[pa.RecordBatch]:
        """Stream from the row group that holds this row."""
        groups = list(range(self.file.num_row_groups))
        while groups and row >= (rows := self.file.metadata.row_group(groups[0]).num_rows):
            row -= rows
            del groups[0]
        for batch in self.file.iter_batches(batch_size=1024, row_groups=groups, columns=names):
            if row < batch.num_rows:
                yield batch.slice(row)
            row = max(0, row - batch.num_rows)

    def _column(self, name: str, parts: list[pa.RecordBatch]) -> list[Value]:
        found: list[Value] = []
        for part in parts:
            place = part.schema.get_field_index(name)
            found += [ABSENT] * part.num_rows if place < 0 else values(part.column(place), self.zone)
        return found


def values(column: pa.Array, zone: ZoneInfo) -> list[Value]:
    """Return Python values; instants in UTC; what Python cannot hold exactly as text."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        home = UTC if kind.tz else zone
        return [None if n is None else _instant(n, PER_SECOND[kind.unit], home) for n in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return list(column.cast(pa.string()).to_pylist())
    return list(column.to_pylist())


def _instant(number: int, per_second: int, zone: tzinfo) -> datetime | str:
    seconds, rest = divmod(number, per_second)
    try:
        moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return f"{seconds} seconds since 1970"
    if per_second > 10**6 and rest % 1000:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
    return moment.replace(microsecond=rest * 10**6 // per_second)


def schema_types(path: Path, name: str) -> dict[str, FieldType]:
    """Return each column's type, from the file's schema."""
    with _arrow_errors(name):
        schema = pq.read_schema(path)
    return {field.name: _field_type(field.type) for field in schema}


def _field_type(kind: pa.DataType) -> FieldType:
    is_type = pa.types
    if is_type.is_dictionary(kind):
        return _field_type(kind.value_type)
    if is_type.is_boolean(kind):
        return "boolean"
    if is_type.is_integer(kind) or is_type.is_floating(kind) or is_type.is_decimal(kind):
        return "number"
    if is_type.is_date(kind):
        return "date"
    if is_type.is_timestamp(kind):
        return "datetime"
    if is_type.is_nested(kind):
        return "json"
    if is_type.is_binary(kind) or is_type.is_large_binary(kind) or is_type.is_fixed_size_binary(kind):
        return "unknown"
    return "string"


@contextmanager
def _arrow_errors(name: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise NotSupported(f"{name}: {error}") from error
