"""What a window has to read: files that are new or changed since the last one, and of which time.

The watermark of an object is the state of its files: time, size, content hash, newest modification.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b, file_digest

from attrs import asdict, frozen

from mj_provider_files import FileObject
from mj_provider_files.catalog import DataFile, Dataset
from mj_provider_files.text import file_errors
from mjcore.errors import WatermarkExpired
from mjcore.records import Watermark

OVERLAP = timedelta(minutes=5)
"""Rows that were modified so long before the newest one are read again: they may have been written late."""


@frozen
class FileState:
    """A file as it was when a run began."""

    changed_ns: int
    size: int
    digest: str
    newest: str | None = None
    """The latest value of the modified field, in UTC."""

    @property
    def stamp(self) -> tuple[int, int]:
        return self.changed_ns, self.size


@frozen
class State:
    """An object's files, and the settings they are read with."""

    settings: str
    files: Mapping[str, FileState]

    def watermark(self) -> Watermark:
        files = {name: [f.changed_ns, f.size, f.digest, f.newest] for name, f in self.files.items()}
        return Watermark("Version", json.dumps({"settings": self.settings, "files": files}, separators=(",", ":")))


@frozen
class Part:
    """One file of a window, and which of its rows."""

    file: DataFile
    stamp: tuple[int, int] | None
    """The file as it must be; None: as it is."""
    since: datetime | None = None
    until: datetime | None = None


def settings_digest(settings: FileObject) -> str:
    return blake2b(json.dumps(asdict(settings)).encode(), digest_size=8).hexdigest()


def content_digest(file: DataFile) -> str:
    with file_errors(file.name), file.path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=8)
def read_state(watermark: Watermark) -> State:
    """Return what a watermark of type Version says; `WatermarkExpired` for one that is not ours."""
    try:
        content = json.loads(watermark.value)
        return State(content["settings"], {name: FileState(*file) for name, file in content["files"].items()})
    except (ValueError, LookupError, TypeError, AttributeError):
        raise WatermarkExpired("the watermark is not one of files") from None


def parts(dataset: Dataset, since: Watermark | None, until: Watermark | None) -> list[Part]:
    """Return what to read, by file name.

    A changed file is read in full, or from its newest row on where a modified field is set. `WatermarkExpired` where that
    comes to reading everything, or files have gone: only a full read then finds which records are gone too.
    """
    if since is not None and since.type != "Timestamp" and until is not None and until.type != "Timestamp":
        return _changed(dataset, read_state(since), read_state(until))
    if until is not None and until.type != "Timestamp":
        found = [Part(dataset.file(name), state.stamp) for name, state in sorted(read_state(until).files.items())]
    else:
        found = [Part(file, None) for file in dataset.files()]
    return _between(found, since, until, has_times=dataset.settings.modified_field is not None)


def _changed(dataset: Dataset, before: State, now: State) -> list[Part]:
    by_time = dataset.settings.modified_field is not None
    unchanged = {name for name, file in now.files.items() if name in before.files and before.files[name].digest == file.digest}
    if before.settings != now.settings:
        raise WatermarkExpired(f"{dataset.name}: the settings of the object have changed")
    if gone := sorted(before.files.keys() - now.files.keys()):
        raise WatermarkExpired(f"{dataset.name}: {gone[0]!r} is gone")
    if not unchanged and not by_time:
        raise WatermarkExpired(f"{dataset.name}: every file has changed")
    found = []
    for name, file in sorted(now.files.items()):
        newest = before.files[name].newest if name in before.files else None
        since = datetime.fromisoformat(newest) - OVERLAP if newest else None
        if name not in unchanged:
            found.append(Part(dataset.file(name), file.stamp, since))
    return found


def _between(found: list[Part], since: Watermark | None, until: Watermark | None, *, has_times: bool) -> list[Part]:
    """Bound by time: of the rows, or of the files where rows have none."""
    start = since.instant if since is not None else None
    end = until.instant if until is not None and until.type == "Timestamp" else None
    if has_times:
        return [Part(p.file, p.stamp, start, end) for p in found]

    def is_inside(part: Part) -> bool:
        changed = (part.stamp or part.file.stamp())[0]
        return (start is None or changed >= _ns(start)) and (end is None or changed < _ns(end))

    return [part for part in found if is_inside(part)]


def _ns(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, moment.tzinfo)) // timedelta(microseconds=1) * 1000
