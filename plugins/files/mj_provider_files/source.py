"""The source: objects, fields, watermarks and pages of a folder."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from mj_provider_files import FileObject, Files
from mj_provider_files.catalog import DataFile, Dataset, datasets
from mj_provider_files.chunk import Chunk
from mj_provider_files.identity import default_key, instant
from mj_provider_files.inference import SAMPLE, infer
from mj_provider_files.pages import PageReader
from mj_provider_files.readers import OpenReaders, open_reader
from mj_provider_files.text import file_errors
from mj_provider_files.window import FileState, State, content_digest, parts, settings_digest
from mjcore.errors import NotSupported, did_you_mean
from mjcore.records import FetchRequest, Page, Value, Watermark
from mjcore.schema import ExternalField, ExternalObject, FieldType


class FilesSource:
    """One folder. What `fetch` returns depends on its request and the files alone."""

    def __init__(self, folder: Path, config: Files) -> None:
        self.folder, self.config = folder, config
        self.zone = ZoneInfo(config.zone)
        self.readers = OpenReaders()
        self._keys: dict[str, tuple[str, ...]] = {}

    def test(self) -> Mapping[str, str]:
        found = self._datasets
        formats = Counter(file.format for d in found.values() for file in d.files())
        return {
            "folder": str(self.folder.resolve()),
            "objects": str(len(found)),
            "files": str(formats.total()),
            "formats": ", ".join(f"{name} {count}" for name, count in sorted(formats.items())),
        }

    def objects(self) -> Iterable[ExternalObject]:
        for name, found in sorted(self._datasets.items()):
            yield ExternalObject(name, name, description=found.settings.path)

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        found = self._dataset(object_name)
        types = self._types(found)
        key = found.settings.key_fields or default_key(object_name, list(types))
        for name, kind in types.items():
            is_key = name in key
            yield ExternalField(name, name, kind, is_required=is_key, is_read_only=True, is_unique=is_key and len(key) == 1)

    def high_watermark(self, object_name: str) -> Watermark | None:
        """Return the state of the object's files, which reads each of them once."""
        found = self._dataset(object_name)
        self._key(found)
        states = {file.name: self._state(found, file) for file in found.files()}
        return State(settings_digest(found.settings), states).watermark()

    def fetch(self, request: FetchRequest) -> Page:
        found = self._dataset(request.object_name)
        to_read = parts(found, request.since, request.until)
        return PageReader(found, self._key(found), self.zone, self.readers, request).read(to_read)

    def close(self) -> None:
        self.readers.close()

    @cached_property
    def _datasets(self) -> dict[str, Dataset]:
        return datasets(self.folder, self.config)

    def _dataset(self, name: str) -> Dataset:
        if name not in self._datasets:
            known = ", ".join(self._datasets) or "none"
            near = did_you_mean(name, self._datasets)
            raise NotSupported(f"no file for object {name!r} in {str(self.folder)!r}{near} (objects: {known})")
        return self._datasets[name]

    def _key(self, found: Dataset) -> tuple[str, ...]:
        """Return the key columns; `NotSupported` when they, or the modified field, cannot be found."""
        if found.name not in self._keys:
            key = key_columns(found, list(self._types(found)))
            if not key:
                return key  # nothing but an empty file so far
            self._keys[found.name] = key
        return self._keys[found.name]

    def _types(self, found: Dataset) -> dict[str, FieldType]:
        """Return columns and types: from the schema where there is one, else from a sample of the files."""
        types: dict[str, FieldType] = {}
        sample: dict[str, list[Value]] = {}
        rows_left, is_native = SAMPLE, False
        for file in found.files():
            if file.format == "parquet":
                types = self._schema(file) | types
            elif rows_left > 0:
                chunk = self._read(found, file, rows_left)
                rows_left -= chunk.passed
                is_native = file.format not in ("csv", "tsv")
                for name, values in chunk.columns.items():
                    sample.setdefault(name, []).extend(values)
        return {name: infer(values, is_native=is_native) for name, values in sample.items()} | types

    def _schema(self, file: DataFile) -> dict[str, FieldType]:
        from mj_provider_files.parquet_reader import schema_types

        return schema_types(file.path, file.name)

    def _read(self, found: Dataset, file: DataFile, count: int) -> Chunk:
        reader = open_reader(file, found.settings, self.zone, None)
        try:
            with file_errors(file.name):
                return reader.read(count)
        finally:
            reader.close()

    def _state(self, found: Dataset, file: DataFile) -> FileState:
        """Return the file's state; its stamp is taken first, so that what changes meanwhile is seen later."""
        with file_errors(file.name):
            changed_ns, size = file.stamp()
        newest = newest_time(file, found.settings, self.zone) if found.settings.modified_field else None
        return FileState(changed_ns, size, content_digest(file), newest.isoformat() if newest else None)


def key_columns(found: Dataset, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the configured key columns or the default; `NotSupported` with the remedy. No columns: an empty file."""
    settings = found.settings
    for name in (*settings.key_fields, *([settings.modified_field] if settings.modified_field else [])):
        if columns and name not in columns:
            raise NotSupported(f"{found.name}: no column {name!r}{did_you_mean(name, columns)} (columns: {', '.join(columns)})")
    key = settings.key_fields or default_key(found.name, columns)
    if columns and not key:
        raise NotSupported(
            f"{found.name}: no column is called id or {found.name}_id; name the column or columns that identify a record in "
            f"Configuration.Objects.{found.name}.KeyFields (columns: {', '.join(columns)})"
        )
    return key


def newest_time(file: DataFile, settings: FileObject, zone: ZoneInfo) -> datetime | None:
    """Return the latest time in the modified field; values that are no times are told when they are read."""
    name = settings.modified_field or ""
    newest: datetime | None = None
    reader = open_reader(file, settings, zone, [name])
    try:
        with file_errors(file.name):
            while (chunk := reader.read(10_000)).passed:
                for value in chunk.columns[name]:
                    with suppress(ValueError):
                        moment = instant(value, zone)
                        newest = max(filter(None, (newest, moment)), default=None)
    finally:
        reader.close()
    return newest
