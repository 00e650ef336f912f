"""Open readers, kept between pages so that the next page goes on where the last one ended."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TypeAlias
from zoneinfo import ZoneInfo

from attrs import define, field

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile
from mj_provider_files.chunk import Reader
from mj_provider_files.csv_reader import CSVReader
from mj_provider_files.json_reader import JSONReader
from mj_provider_files.text import file_errors

KEPT = 8
Place: TypeAlias = tuple[str, str, tuple[int, int], tuple[str, ...], int]
"""Object, file, stamp, columns, row: a reader that stands here reads what a new one would."""


def open_reader(file: DataFile, settings: FileObject, zone: ZoneInfo, names: Sequence[str] | None, row: int = 0) -> Reader:
    """Open a file behind its first `row` rows. `names`: the columns to read, None for all."""
    with file_errors(file.name):
        if file.format == "parquet":
            from mj_provider_files.parquet_reader import ParquetReader

            return ParquetReader(file, zone, names, row)
        reader = JSONReader if file.format in ("json", "jsonl") else CSVReader
        return reader(file, settings, names, row)


@define
class OpenReaders:
    """Readers that wait for the next page. May be used by several threads: a reader is in one hand at a time."""

    _waiting: OrderedDict[Place, Reader] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def take(self, place: Place) -> Reader | None:
        with self._lock:
            return self._waiting.pop(place, None)

    def put(self, place: Place, reader: Reader) -> None:
        with self._lock:
            known = self._waiting.pop(place, None)
            self._waiting[place] = reader
            oldest = self._waiting.popitem(last=False)[1] if len(self._waiting) > KEPT else None
        for superfluous in filter(None, (known, oldest)):
            superfluous.close()

    def close(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting.popitem()[1].close()
