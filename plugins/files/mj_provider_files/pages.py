"""Pages of external records, from the rows of one file after another."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from mj_provider_files.catalog import DataFile, Dataset, check_unchanged
from mj_provider_files.chunk import START, Chunk, Place, Unit
from mj_provider_files.identity import external_id, instant, instants, plain_ids
from mj_provider_files.readers import OpenReaders, open_reader
from mj_provider_files.stream import file_errors
from mj_provider_files.window import Part
from mjcore.errors import CheckpointExpired
from mjcore.records import ABSENT, Checkpoint, ExternalRecord, FetchRequest, Fields, Page, RecordError, Value

MOST_ROWS = 50_000
"""Rows that one page passes at most, where few of them are inside the window."""


@frozen
class Position:
    """Where in which file to go on: what a checkpoint says."""

    part: Part
    stamp: tuple[int, int]
    place: Place

    def checkpoint(self) -> Checkpoint:
        place = self.place
        return {"file": self.part.file.name, "stamp": list(self.stamp), "at": place.at, "number": place.number}


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
        part, stamp, names = position.part, position.stamp, self._names()
        key = (self.dataset.name, part.file.name, stamp, names)
        reader = self.readers.take((*key, position.place))
        reader = reader or open_reader(part.file, self.dataset.settings, self.zone, names, position.place)
        is_kept = False
        try:
            while count := self._wanted():
                with file_errors(part.file.name):
                    chunk = reader.read(count)
                self._deliver(chunk, part, reader.unit)
                self.rows_left -= chunk.passed
                if chunk.passed < count:
                    return None
            place, is_kept = reader.place, True
        finally:
            if not is_kept:
                reader.close()
        self.readers.put((*key, place), reader)
        return Position(part, stamp, place)

    def _names(self) -> tuple[str, ...]:
        """Return the columns to read: those asked for, and those that identify and date a record."""
        modified = self.dataset.settings.modified_field
        return tuple(dict.fromkeys([*self.request.fields, *self.key, *([modified] if modified else [])]))

    def _deliver(self, chunk: Chunk, part: Part, unit: Unit) -> None:
        settings = self.dataset.settings
        for fault in chunk.faults:
            self._error(None, part.file, f"{unit} {fault.number}", fault.code, fault.message, {"text": fault.text})
        rows = self._rows(chunk)
        keys = [chunk.columns[name] for name in self.key]
        times = chunk.columns[settings.modified_field] if settings.modified_field else (None,) * len(keys[0])
        ids, moments = plain_ids(keys), instants(times, self.zone)
        if ids is not None and moments is not None:
            records = map(ExternalRecord, ids, rows, moments)
            self.records += (r for r in records if part.takes(r.modified_at)) if part.since or part.until else records
            return
        for index, (fields, parts, time) in enumerate(zip(rows, zip(*keys, strict=True), times, strict=False)):
            refused = self._record(fields, parts, time, part)
            if refused is not None:
                identity, code, message = refused
                self._error(identity, part.file, f"{unit} {chunk.numbers()[index]}", code, message, fields)

    def _rows(self, chunk: Chunk) -> Iterable[Fields]:
        """Return rows as the request wants them: its fields, without those that the row lacks."""
        names = self.request.fields
        if not names:
            return ({} for _ in chunk.columns[self.key[0]])
        columns = [chunk.columns[name] for name in names]
        rows = zip(*columns, strict=True)
        if chunk.has_gaps:
            return ({name: v for name, v in zip(names, row, strict=True) if v is not ABSENT} for row in rows)
        return map(dict, map(zip, repeat(names), rows))  # twice as quick as a loop

    def _record(self, fields: Fields, key: Sequence[Value], time: Value, part: Part) -> tuple[str | None, str, str] | None:
        """Add the record if it is inside the window; return id, code and message where there is a fault."""
        try:
            identity = external_id(key)
        except ValueError as error:
            return None, "invalid_key", f"{', '.join(self.key)}: {error}"
        if identity is None:
            return None, "missing_key", f"{', '.join(self.key)}: the key is blank"
        try:
            modified = instant(time, self.zone)
        except ValueError as error:
            return identity, "invalid_time", f"{self.dataset.settings.modified_field}: {error}"
        if part.takes(modified):
            self.records.append(ExternalRecord(identity, fields, modified))
        return None

    def _error(self, identity: str | None, file: DataFile, place: str, code: str, message: str, raw: Fields) -> None:
        self.errors.append(RecordError(identity, "fetch", code, f"{file.name} {place}: {message}", raw))


def positions(parts: Sequence[Part], checkpoint: Checkpoint | None) -> Iterator[Position]:
    """Yield where to begin in each file that is left."""
    place, stamp = START, None
    match checkpoint:
        case None:
            pass
        case {"file": str(name), "stamp": [int(changed_ns), int(size)], "at": int(at), "number": int(number)}:
            place, stamp = Place(at, number), (changed_ns, size)
            parts = [part for part in parts if part.file.name >= name]
            if not parts or parts[0].file.name != name or parts[0].stamp not in (None, stamp):
                raise CheckpointExpired(f"{name}: the file is not in the window any more")
        case _:
            raise CheckpointExpired("the checkpoint is not one of files")
    for part in parts:
        yield Position(part, stamp or part.stamp or part.file.stamp(), place)
        place, stamp = START, None
