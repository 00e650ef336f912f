"""Open readers, kept between pages: a compressed file or a row group need not be read up to the place again."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TypeAlias
from zoneinfo import ZoneInfo

from attrs import define, field

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import START, Place, Reader
from mj_provider_files.csv_reader import CSVReader
from mj_provider_files.json_reader import JSONArrayReader, JSONLinesReader
from mj_provider_files.stream import file_errors

KEPT = 8
Spot: TypeAlias = tuple[str, str, tuple[int, int], tuple[str, ...], Place]
"""Object, file, stamp, columns, place: a reader that stands here reads what a new one would."""


def open_reader(
    file: DataFile, settings: FileObject, zone: ZoneInfo, names: Sequence[str] | None, place: Place = START
) -> Reader:
    """Open a file at a place. `names`: the columns to read, None for all."""
    with file_errors(file.name):
        if file.format == "parquet":
            from mj_provider_files.parquet_reader import ParquetReader

            return ParquetReader(file, zone, names, place)
        if file.format == "jsonl":
            return JSONLinesReader(file, settings, names, place)
        if file.format == "json":
            return JSONArrayReader(file, settings, names, place)
        return CSVReader(file, settings, names, place)


@define
class OpenReaders:
    """Readers that wait for the next page. May be used by several threads: a reader is in one hand at a time."""

    _waiting: OrderedDict[Spot, Reader] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def take(self, spot: Spot) -> Reader | None:
        with self._lock:
            return self._waiting.pop(spot, None)

    def put(self, spot: Spot, reader: Reader) -> None:
        with self._lock:
            known = self._waiting.pop(spot, None)
            self._waiting[spot] = reader
            oldest = self._waiting.popitem(last=False)[1] if len(self._waiting) > KEPT else None
        for superfluous in filter(None, (known, oldest)):
            superfluous.close()

    def close(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting.popitem()[1].close()
