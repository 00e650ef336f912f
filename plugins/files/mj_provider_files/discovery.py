"""Columns, types, keys and newest rows of an object."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from mj_provider_files.catalog import DataFile, Dataset
from mj_provider_files.chunk import Chunk
from mj_provider_files.identity import default_key, instant, instants
from mj_provider_files.inference import SAMPLE, infer
from mj_provider_files.readers import open_reader
from mj_provider_files.stream import file_errors
from mjcore.errors import NotSupported, did_you_mean
from mjcore.records import Value
from mjcore.schema import ExternalField, FieldType


def describe(found: Dataset) -> list[ExternalField]:
    """Return the fields of an object; one of them has to be unique to be its key."""
    types = field_types(found)
    key = found.settings.key_fields or default_key(found.name, list(types))
    return [
        ExternalField(name, name, kind, is_required=name in key, is_read_only=True, is_unique=key == (name,))
        for name, kind in types.items()
    ]


def column_names(found: Dataset) -> list[str]:
    """Return the columns: of JSON those in a sample."""
    columns: dict[str, object] = {}
    for file in found.files():
        columns |= _read(found, file, SAMPLE if file.format in ("json", "jsonl") else 0).columns
    return list(columns)


def field_types(found: Dataset) -> dict[str, FieldType]:
    """Return columns and types: from the schema where there is one, else from a sample of the files."""
    types: dict[str, FieldType] = {}
    sample: dict[str, list[Value]] = {}
    rows_left, is_native = SAMPLE, True
    for file in found.files():
        types = _schema(file) | types
        if rows_left > 0:
            chunk = _read(found, file, rows_left)
            rows_left -= chunk.passed
            is_native = is_native and file.format not in ("csv", "tsv")
            for name, values in chunk.columns.items():
                sample.setdefault(name, []).extend(values)
    declared = {name: kind for name, kind in types.items() if kind != "string"}
    return {name: infer(values, is_native=is_native) for name, values in sample.items()} | declared


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
                moments = instants(chunk.columns[name], zone) or _readable(chunk.columns[name], zone)
                newest = max(filter(None, (newest, *moments)), default=None)
    finally:
        reader.close()
    return newest


def _readable(values: Sequence[Value], zone: ZoneInfo) -> Iterator[datetime | None]:
    for value in values:
        with suppress(ValueError):
            yield instant(value, zone)


def _schema(file: DataFile) -> dict[str, FieldType]:
    if file.format != "parquet":
        return {}
    from mj_provider_files.parquet_reader import schema_types

    with file_errors(file.name):
        return schema_types(file)


def _read(found: Dataset, file: DataFile, count: int) -> Chunk:
    reader = open_reader(file, found.settings, ZoneInfo(found.zone), None)
    try:
        with file_errors(file.name):
            return reader.read(count)
    finally:
        reader.close()
