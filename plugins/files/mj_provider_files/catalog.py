"""Which objects a folder holds, and which files each of them is made of."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from attrs import field, frozen

from mj_provider_files import FileObject, Files, Format, path_fault
from mj_provider_files.stream import file_errors
from mjcore.errors import CheckpointExpired, NotSupported, did_you_mean

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
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise CheckpointExpired(f"{self.name}: the file is gone; it was there when the run began") from None
        return status.st_mtime_ns, status.st_size


def check_unchanged(file: DataFile, stamp: tuple[int, int]) -> None:
    if file.stamp() != stamp:
        raise CheckpointExpired(f"{file.name}: the file has changed since the run began")


@frozen
class Dataset:
    """One object: its settings and the files that match them."""

    name: str
    folder: Path
    settings: FileObject
    zone: str
    _known: dict[str, DataFile] = field(factory=dict, init=False, eq=False, repr=False)
    """Files that are checked already: each page asks for all of its window."""

    def files(self) -> list[DataFile]:
        """Return the files that are there, by name; `NotSupported` when there is none: that is no empty object."""
        with file_errors(self.name):
            names = sorted(path.relative_to(self.folder).as_posix() for path in self.paths() if path.is_file())
            files = [self.file(name) for name in names]
        if not files:
            raise NotSupported(f"{self.name}: no file matches {self.settings.path!r} in {str(self.folder)!r}")
        return files

    def file(self, name: str) -> DataFile:
        """Return one file; `NotSupported` where it is outside the folder, or its format cannot be told."""
        if name not in self._known:
            self._known[name] = self._checked(name)
        return self._known[name]

    def _checked(self, name: str) -> DataFile:
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise NotSupported(f"{self.name}: {name!r} is a link that leads out of {str(self.folder)!r}; copy the file there")
        file_format = self.settings.format or format_of(name)
        if file_format is None:
            known = ", ".join(get_args(Format))
            raise NotSupported(f"{self.name}: cannot tell the format of {name!r} by its suffix; set Format to one of {known}")
        return DataFile(path, name, file_format)

    def paths(self) -> list[Path]:
        path = self.folder / self.settings.path
        return [path] if path.is_file() else list(self.folder.glob(self.settings.path))


def format_of(name: str) -> Format | None:
    plain = name.lower().removesuffix(".gz")
    found = SUFFIXES.get(Path(plain).suffix)
    return None if found == "parquet" and plain != name.lower() else found  # Parquet compresses by itself


@frozen
class Catalog:
    """The objects of a folder: those of the settings, one per other file, and on request any path or pattern inside it."""

    folder: Path
    config: Files

    def datasets(self) -> dict[str, Dataset]:
        """Return all objects. A file is named by its stem, or by its whole name where stems are alike or taken."""
        found = {name: self._dataset(name, settings) for name, settings in self.config.objects.items()}
        stems: defaultdict[str, list[str]] = defaultdict(list)
        with file_errors(str(self.folder)):
            taken = {path for dataset in found.values() for path in dataset.paths()}
            for path in sorted(self.folder.iterdir()):
                if path not in taken and path.is_file() and format_of(path.name) and not path.name.startswith("."):
                    stems[_stem(path.name)].append(path.name)
        for stem, names in stems.items():
            is_alone = len(names) == 1 and stem not in found
            for file_name in names:
                name = stem if is_alone else file_name
                found.setdefault(name, self._dataset(name, FileObject(file_name)))
        return found

    def dataset(self, name: str) -> Dataset:
        """Return one object; `NotSupported` where there is none, with those there are."""
        found = self.datasets()
        if name in found:
            return found[name]
        if fault := path_fault(name):
            raise NotSupported(f"object {name!r}: {fault}")
        named = self._dataset(name, FileObject(name))
        if format_of(name) or any(path.is_file() for path in named.paths()):
            return named
        known = ", ".join(found) or "none"
        raise NotSupported(f"no file for object {name!r} in {str(self.folder)!r}{did_you_mean(name, found)} (objects: {known})")

    def _dataset(self, name: str, settings: FileObject) -> Dataset:
        return Dataset(name, self.folder, settings, self.config.zone)


def _stem(name: str) -> str:
    plain = name[:-3] if name.lower().endswith(".gz") else name
    return Path(plain).stem
