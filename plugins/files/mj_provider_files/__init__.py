"""Provider `Files`: a folder of CSV, TSV, JSON Lines, JSON and Parquet files as a source."""

from collections.abc import Iterable, Mapping
from os import devnull
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal
from zoneinfo import ZoneInfo

from attrs import Attribute, field, frozen, validators

from mjcore.capabilities import Connection, ProviderType, Source
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl

Format = Literal["csv", "tsv", "jsonl", "json", "parquet"]


def path_fault(path: str) -> str | None:
    """Return why this is no path or pattern inside a folder, on any system; None when it is."""
    is_outside = any(p.drive or p.root or ".." in p.parts for p in (PurePosixPath(path), PureWindowsPath(path)))
    if not path.strip() or is_outside or "\0" in path:
        return "must be a path or pattern inside the folder, without .."
    try:
        any(Path(devnull).glob(path))
    except ValueError as error:
        return str(error)
    return None


def _inside(_: object, attribute: "Attribute[str]", path: str) -> None:
    if fault := path_fault(path):
        raise ValueError(f"{attribute.name}: {path!r}: {fault}")


def _encoding(_: object, attribute: "Attribute[str]", name: str) -> None:
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"{attribute.name}: {name!r} is no text encoding; utf-8, cp1252 and utf-16 are some") from None


def _zone(_: object, attribute: "Attribute[str]", name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{attribute.name}: {name!r} is no time zone; write it as Europe/Berlin") from None


@frozen
class FileObject:
    """One object of the source: which files hold it, and how to read them."""

    path: str = field(validator=_inside)
    """Inside the folder: a file, or a pattern such as `orders/*.csv.gz` that makes one object of several files."""
    format: Format | None = None
    """Default: by the file's suffix."""
    key_fields: tuple[str, ...] = ()
    """Columns whose values identify a record. Default: a column `id` or `<object>_id`."""
    modified_field: str | None = None
    """Column that tells when a record was last modified (ISO 8601): of a changed file, only newer records are read."""
    delimiter: str | None = field(default=None, validator=validators.optional([validators.min_len(1), validators.max_len(1)]))
    """CSV. Default: the one of `,` `;` tab `|` that is most frequent in the first line."""
    encoding: str = field(default="utf-8", validator=_encoding)
    """CSV, TSV, JSON; a byte order mark is understood."""
    header: bool = True
    """CSV, TSV: the first line names the columns."""
    columns: tuple[str, ...] = ()
    """CSV, TSV: names of the columns, instead of the header's. Without header: column_1, column_2 …"""
    null_texts: tuple[str, ...] = ("",)
    """CSV, TSV: texts that mean null."""


@frozen
class Files:
    """Settings of a connection."""

    folder: str
    """A relative path starts at the working directory."""
    objects: Mapping[str, FileObject] = field(factory=dict)
    """By object name. Every other file of the folder is an object named by its file name without suffix."""
    zone: str = field(default="UTC", validator=_zone)
    """Of times without a zone: in modified fields, and in Parquet."""


@frozen
class NoAuth:
    """Files need no credentials."""


def open_files(connection: Connection[Files, NoAuth]) -> Source:
    """Open the folder; `ConfigError` when there is none."""
    from mj_provider_files.source import FilesSource

    try:
        folder = Path(connection.config.folder).expanduser()
        is_there = folder.is_dir()
    except RuntimeError as error:
        fault = str(error).rstrip(".")
        raise ConfigError(Problem("Folder", f"{connection.config.folder!r}: {fault}; write the path in full")) from None
    except OSError as error:
        raise ConfigError(Problem("Folder", f"{str(folder)!r}: {error.strerror}; may this user read it?")) from error
    if not is_there:
        raise ConfigError(Problem("Folder", f"there is no folder {str(folder)!r} (working directory {str(Path.cwd())!r})"))
    return FilesSource(folder, connection.config)


@hookimpl
def mj_provider_types() -> Iterable[ProviderType[Files, NoAuth]]:
    return [ProviderType("Files", Files, NoAuth, open_files, label="Files in a folder", page_size=2000, discovers="sample")]
