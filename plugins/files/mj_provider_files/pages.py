"""Pages of external records, from the rows of one file after another."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from mj_provider_files.catalog import DataFile, Dataset
from mj_provider_files.chunk import Chunk
from mj_provider_files.identity import external_id, instant
from mj_provider_files.readers import OpenReaders, open_reader
from mj_provider_files.text import file_errors
from mj_provider_files.window import Part
from mjcore.errors import CheckpointExpired
from mjcore.records import ABSENT, Checkpoint, ExternalRecord, FetchRequest, Fields, Page, RecordError, Value

MOST_ROWS = 50_000
"""Rows that one page passes at most, where few of them are inside the window."""


@frozen
class Position:
    """How many rows of which file are done: what a checkpoint says."""

    part: Part
    stamp: tuple[int, int]
    row: int

    def checkpoint(self) -> Checkpoint:
        return {"file": self.part.file.name, "stamp": list(self.stamp), "row": self.row}


@define
class PageReader:
    """Reads one page of one object."""

    dataset: Dataset
    key: tuple[str, ...]
    zone: ZoneInfo
    readers: OpenReaders
    request: FetchRequest
    records: list[ExternalRecord] = field(factory=list, init=False)
    errors: list[RecordError] = field(factory=list, init=False)
    rows_left: int = field(default=MOST_ROWS, init=False)

    def read(self, parts: Sequence[Part]) -> Page:
        """Return the page behind the request's checkpoint. `CheckpointExpired`: a file is not as it was."""
        for position in positions(parts, self.request.checkpoint):
            if not self._wanted():
                return Page(self.records, position.checkpoint(), errors=self.errors)
            check_unchanged(position.part.file, position.stamp)
            reached = self._read_file(position)
            check_unchanged(position.part.file, position.stamp)
            if reached is not None:
                return Page(self.records, reached.checkpoint(), errors=self.errors)
        return Page(self.records, None, errors=self.errors)

    def _wanted(self) -> int:
        """Return how many rows the page still takes."""
        return max(0, min(max(1, self.request.limit) - len(self.records) - len(self.errors), self.rows_left))

    def _read_file(self, position: Position) -> Position | None:
        """Read on in one file; return where the page is full, or None at the end of the file."""
        part, stamp, row = position.part, position.stamp, position.row
        names = self._names()
        key = (self.dataset.name, part.file.name, stamp, names)
        reader = self.readers.take((*key, row)) or open_reader(part.file, self.dataset.settings, self.zone, names, row)
        is_left = False
        try:
            while count := self._wanted():
                with file_errors(part.file.name):
                    chunk = reader.read(count)
                self._deliver(chunk, part)
                row += chunk.passed
                self.rows_left -= chunk.passed
                if chunk.passed < count:
                    return None
            is_left = True
        finally:
            if not is_left:
                reader.close()
        self.readers.put((*key, row), reader)
        return Position(part, stamp, row)

    def _names(self) -> tuple[str, ...]:
        """Return the columns to read: those asked for, and those that identify and date a record."""
        modified = self.dataset.settings.modified_field
        return tuple(dict.fromkeys([*self.request.fields, *self.key, *([modified] if modified else [])]))

    def _deliver(self, chunk: Chunk, part: Part) -> None:
        names, settings = self.request.fields, self.dataset.settings
        columns = [chunk.columns[name] for name in names]
        rows = zip(*columns, strict=True) if names else repeat(())
        has_gaps = any(ABSENT in column for column in columns)
        keys = zip(*(chunk.columns[name] for name in self.key), strict=True)
        times = chunk.columns[settings.modified_field] if settings.modified_field else repeat(None)
        for fault in chunk.faults:
            self._error(part.file, fault.place, fault.code, fault.message, {"text": fault.text})
        for number, values, parts, time in zip(chunk.numbers, rows, keys, times, strict=False):
            fields = dict(zip(names, values, strict=True))
            if has_gaps:
                fields = {name: value for name, value in fields.items() if value is not ABSENT}
            self._record(fields, parts, time, part, number)

    def _record(self, fields: Fields, key: tuple[Value, ...], time: Value, part: Part, number: int) -> None:
        """Add the record, if it is inside the window, or the reason why it is none."""
        place = f"row {number}"
        try:
            modified = instant(time, self.zone)
        except ValueError as error:
            return self._error(part.file, place, "invalid_time", f"{self.dataset.settings.modified_field}: {error}", fields)
        if modified and ((part.since and modified < part.since) or (part.until and modified >= part.until)):
            return None
        try:
            identity = external_id(key)
        except ValueError as error:
            return self._error(part.file, place, "invalid_key", f"{', '.join(self.key)}: {error}", fields)
        if identity is None:
            return self._error(part.file, place, "missing_key", f"{', '.join(self.key)}: the key is blank", fields)
        return self.records.append(ExternalRecord(identity, fields, modified))

    def _error(self, file: DataFile, place: str, code: str, message: str, raw: Fields) -> None:
        self.errors.append(RecordError(None, "fetch", code, f"{file.name} {place}: {message}", raw))


def positions(parts: Sequence[Part], checkpoint: Checkpoint | None) -> Iterator[Position]:
    """Yield where to begin in each file that is left."""
    row: int = 0
    stamp: tuple[int, int] | None = None
    match checkpoint:
        case None:
            pass
        case {"file": str(name), "stamp": [int(changed_ns), int(size)], "row": int(row)}:
            stamp = (changed_ns, size)
            parts = [part for part in parts if part.file.name >= name]
            if not parts or parts[0].file.name != name or parts[0].stamp not in (None, stamp):
                raise CheckpointExpired(f"{name}: the file is not in the window any more")
        case _:
            raise CheckpointExpired("the checkpoint is not one of files")
    for part in parts:
        yield Position(part, part.stamp or stamp or current_stamp(part.file), row)
        row, stamp = 0, None


def current_stamp(file: DataFile) -> tuple[int, int]:
    try:
        return file.stamp()
    except FileNotFoundError:
        raise CheckpointExpired(f"{file.name}: the file is gone; it was there when the run began") from None


def check_unchanged(file: DataFile, stamp: tuple[int, int]) -> None:
    if current_stamp(file) != stamp:
        raise CheckpointExpired(f"{file.name}: the file has changed since the run began")
