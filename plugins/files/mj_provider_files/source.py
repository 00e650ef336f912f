"""The source: objects, fields, watermarks and pages of a folder."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from attrs import evolve

from mj_provider_files import Files
from mj_provider_files.catalog import Catalog, DataFile, Dataset
from mj_provider_files.chunk import Chunk
from mj_provider_files.identity import default_key, instant
from mj_provider_files.inference import SAMPLE, infer
from mj_provider_files.pages import PageReader
from mj_provider_files.readers import OpenReaders, open_reader
from mj_provider_files.stream import file_errors
from mj_provider_files.window import Digests, current_state, drained, parts
from mjcore.errors import NotSupported, did_you_mean
from mjcore.records import ExternalRecord, FetchRequest, Page, Value, Watermark
from mjcore.schema import ExternalField, ExternalObject, FieldType


class FilesSource:
    """One folder. What `fetch` returns depends on its request and the files alone."""

    def __init__(self, folder: Path, config: Files) -> None:
        self.catalog = Catalog(folder, config)
        self.zone = ZoneInfo(config.zone)
        self.readers, self.digests = OpenReaders(), Digests()
        self._datasets: dict[str, Dataset] = {}
        self._keys: dict[str, tuple[str, ...]] = {}

    def test(self) -> Mapping[str, str]:
        found = self.catalog.datasets()
        formats = Counter(file.format for d in found.values() for file in d.files())
        return {
            "folder": str(self.catalog.folder.resolve()),
            "objects": str(len(found)),
            "files": str(formats.total()),
            "formats": ", ".join(f"{name} {count}" for name, count in sorted(formats.items())),
        }

    def objects(self) -> Iterable[ExternalObject]:
        for name, found in sorted(self.catalog.datasets().items()):
            yield ExternalObject(name, name, description=found.settings.path)

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        found = self._dataset(object_name)
        types = self._types(found)
        key = found.settings.key_fields or default_key(object_name, list(types))
        for name, kind in types.items():
            is_key = name in key
            yield ExternalField(name, name, kind, is_required=is_key, is_read_only=True, is_unique=is_key and len(key) == 1)

    def high_watermark(self, object_name: str) -> Watermark | None:
        """Return times and sizes of the object's files: no file is read in full for it."""
        found = self._dataset(object_name)
        self._key(found)
        return current_state(found).watermark()

    def fetch(self, request: FetchRequest) -> Page:
        found = self._dataset(request.object_name)
        to_read = parts(found, request.since, request.until, self.digests)
        page = PageReader(found, self._key(found), self.zone, self.readers, request).read(to_read)
        if page.next is not None:
            return page
        return evolve(page, watermark=drained(found, request.since, request.until, self.digests, partial(newest_time, found)))

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        """Return the records with these ids, in order, those that are there; reads all files of the object once."""
        wanted, found = set(ids), dict[str, ExternalRecord]()
        request = FetchRequest(object_name, fields, None, None, None, 10_000)
        while True:
            page = self.fetch(request)
            found |= {record.external_id: record for record in page.records if record.external_id in wanted}
            if page.next is None:
                return [found[i] for i in ids if i in found]
            request = evolve(request, checkpoint=page.next)

    def close(self) -> None:
        self.readers.close()

    def _dataset(self, name: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = self.catalog.dataset(name)
        return self._datasets[name]

    def _key(self, found: Dataset) -> tuple[str, ...]:
        """Return the key columns; `NotSupported` when they, or the modified field, cannot be found."""
        if found.name in self._keys:
            return self._keys[found.name]
        columns = self._columns(found)
        key = key_columns(found, columns)
        if columns:  # else nothing that could be read so far
            self._keys[found.name] = key
        return key

    def _columns(self, found: Dataset) -> list[str]:
        """Return the columns: of JSON those in a sample."""
        columns: dict[str, object] = {}
        for file in found.files():
            columns |= self._read(found, file, SAMPLE if file.format in ("json", "jsonl") else 0).columns
        return list(columns)

    def _types(self, found: Dataset) -> dict[str, FieldType]:
        """Return columns and types: from the schema where there is one, else from a sample of the files."""
        types: dict[str, FieldType] = {}
        sample: dict[str, list[Value]] = {}
        rows_left, is_native = SAMPLE, True
        for file in found.files():
            types = self._schema(file) | types
            if rows_left > 0:
                chunk = self._read(found, file, rows_left)
                rows_left -= chunk.passed
                is_native = is_native and file.format not in ("csv", "tsv")
                for name, values in chunk.columns.items():
                    sample.setdefault(name, []).extend(values)
        declared = {name: kind for name, kind in types.items() if kind != "string"}
        return {name: infer(values, is_native=is_native) for name, values in sample.items()} | declared

    def _schema(self, file: DataFile) -> dict[str, FieldType]:
        if file.format != "parquet":
            return {}
        from mj_provider_files.parquet_reader import schema_types

        with file_errors(file.name):
            return schema_types(file)

    def _read(self, found: Dataset, file: DataFile, count: int) -> Chunk:
        reader = open_reader(file, found.settings, self.zone, None)
        try:
            with file_errors(file.name):
                return reader.read(count)
        finally:
            reader.close()


def key_columns(found: Dataset, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the configured key columns or the default; `NotSupported` with the remedy. No columns: an empty file."""
    settings = found.settings
    for name in (*settings.key_fields, *([settings.modified_field] if settings.modified_field else [])):
        if columns and name not in columns:
            raise NotSupported(f"{found.name}: no column {name!r}{did_you_mean(name, columns)} (columns: {', '.join(columns)})")
    key = settings.key_fields or default_key(found.name, columns)
    if not columns:
        return key or ("id",)
    if not key:
        raise NotSupported(
            f"{found.name}: no column is called id or {found.name}_id; name the column or columns that identify a record in "
            f"Configuration.Objects.{found.name}.KeyFields (columns: {', '.join(columns)})"
        )
    return key


def newest_time(found: Dataset, file: DataFile) -> datetime | None:
    """Return the latest time in the modified field, if there is one; values that are no times are told when they are read."""
    name, zone = found.settings.modified_field, ZoneInfo(found.zone)
    if name is None:
        return None
    newest: datetime | None = None
    reader = open_reader(file, found.settings, zone, [name])
    try:
        with file_errors(file.name):
            while (chunk := reader.read(10_000)).passed:
                for value in chunk.columns[name]:
                    with suppress(ValueError):
                        newest = max(filter(None, (newest, instant(value, zone))), default=None)
    finally:
        reader.close()
    return newest
