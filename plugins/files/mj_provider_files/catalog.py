"""Which objects a folder holds, and which files each of them is made of."""

from collections import defaultdict
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import get_args

from attrs import frozen

from mj_provider_files import FileObject, Files, Format
from mjcore.errors import NotSupported

SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@frozen
class DataFile:
    """One file; `name` is its path inside the folder, with slashes on every system."""

    path: Path
    name: str
    format: Format

    def stamp(self) -> tuple[int, int]:
        """Return (time of the last change in ns, size in bytes)."""
        status = self.path.stat()
        return status.st_mtime_ns, status.st_size


@frozen
class Dataset:
    """One object: its settings and the files that match them."""

    name: str
    folder: Path
    settings: FileObject

    def files(self) -> list[DataFile]:
        """Return the files that are there, by name; `NotSupported` when there is none: that is no empty object."""
        pattern = self.settings.path
        found = sorted(self.folder.glob(pattern)) if any(c in pattern for c in "*?[") else [self.folder / pattern]
        files = [self.file(path.relative_to(self.folder).as_posix()) for path in found if path.is_file()]
        if not files:
            raise NotSupported(f"{self.name}: no file {pattern!r} in {str(self.folder)!r}")
        return files

    def file(self, name: str) -> DataFile:
        file_format = self.settings.format or format_of(name)
        if file_format is None:
            known = ", ".join(get_args(Format))
            raise NotSupported(f"{self.name}: cannot tell the format of {name!r} by its suffix; set Format to one of {known}")
        return DataFile(self.folder / name, name, file_format)


def format_of(name: str) -> Format | None:
    return SUFFIXES.get(Path(name.lower().removesuffix(".gz")).suffix)


def datasets(folder: Path, config: Files) -> dict[str, Dataset]:
    """Return configured objects, then one per other file, named by its stem, or by its whole name where stems are alike."""
    found = {name: Dataset(name, folder, settings) for name, settings in config.objects.items()}
    taken = {path for settings in config.objects.values() for path in folder.glob(settings.path)}
    stems: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path not in taken and path.is_file() and format_of(path.name) and not path.name.startswith("."):
            stems[_stem(path.name)].append(path.name)
    for stem, names in stems.items():
        is_alone = len(names) == 1 and stem not in found
        for file_name in names:
            name = stem if is_alone else file_name
            found.setdefault(name, Dataset(name, folder, FileObject(escape(file_name))))
    return found


def _stem(name: str) -> str:
    plain = name[:-3] if name.lower().endswith(".gz") else name
    return Path(plain).stem
