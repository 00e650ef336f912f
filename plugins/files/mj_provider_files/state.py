"""The state of an object's files: its watermark. Of what was read it also has content hash and newest row."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, file_digest

from attrs import asdict, define, field, frozen

from mj_provider_files.catalog import DataFile, Dataset, check_unchanged
from mj_provider_files.stream import file_errors
from mjcore.errors import WatermarkExpired
from mjcore.records import Watermark

TICK_NS = 3 * 10**9
"""A file that changed so shortly ago may change again without a new time: file systems count in up to two seconds."""


@frozen
class FileState:
    """A file as a run found it."""

    changed_ns: int
    size: int
    digest: str | None = None
    newest: str | None = None
    """The latest value of the modified field, in UTC, at most the file's own time."""

    @property
    def stamp(self) -> tuple[int, int]:
        return self.changed_ns, self.size


@frozen
class State:
    """An object's files, and a digest of the settings they are read with."""

    settings: str
    files: Mapping[str, FileState]

    def watermark(self) -> Watermark:
        files = {name: [f.changed_ns, f.size, f.digest, f.newest] for name, f in sorted(self.files.items())}
        return Watermark("Version", json.dumps({"settings": self.settings, "files": files}, separators=(",", ":")))


def current_state(dataset: Dataset) -> State:
    return State(settings_digest(dataset), {file.name: FileState(*file.stamp()) for file in dataset.files()})


def settings_digest(dataset: Dataset) -> str:
    return blake2b(json.dumps([asdict(dataset.settings), dataset.zone]).encode(), digest_size=8).hexdigest()


@define
class Digests:
    """Content hashes of files as they were at a stamp; kept for as long as a source is open, since a stamp may come again."""

    _known: dict[tuple[str, tuple[int, int]], str] = field(factory=dict, init=False)

    def of(self, file: DataFile, stamp: tuple[int, int]) -> str:
        """`CheckpointExpired`: the file is not as it was."""
        if (file.name, stamp) not in self._known:
            with file_errors(file.name), file.path.open("rb") as stream:
                digest = file_digest(stream, "sha256").hexdigest()[:32]
            check_unchanged(file, stamp)
            self._known[file.name, stamp] = digest
        return self._known[file.name, stamp]


@lru_cache(maxsize=8)
def read_state(watermark: Watermark) -> State:
    """Return what a watermark of type Version says; `WatermarkExpired` for one that is not ours."""
    try:
        content = json.loads(watermark.value)
        return State(content["settings"], {name: FileState(*file) for name, file in content["files"].items()})
    except (ValueError, LookupError, TypeError, AttributeError):
        raise WatermarkExpired("the watermark is not one of files") from None


def drained(
    dataset: Dataset,
    since: Watermark | None,
    until: Watermark | None,
    digests: Digests,
    newest: Callable[[DataFile], datetime | None],
) -> Watermark | None:
    """Return the watermark behind a window: its end, with hashes and newest rows. None: a window that is bound by time.

    What has not changed is not read; what has is read once more.
    """
    if until is None or until.type == "Timestamp":
        return None
    known = read_state(since).files if since is not None and since.type != "Timestamp" else {}
    state = read_state(until)
    files = {}
    for name, found in state.files.items():
        old = known.get(name)
        if old is None or old.stamp != found.stamp:
            file = dataset.file(name)
            old = _remembered(found, digests.of(file, found.stamp), newest(file))
            check_unchanged(file, found.stamp)
        files[name] = old
    return State(state.settings, files).watermark()


def _remembered(state: FileState, digest: str, newest: datetime | None) -> FileState:
    if newest is not None:  # a time in the future would hide every change until then
        newest = min(newest, datetime.fromtimestamp(state.changed_ns // 10**9, UTC))
    is_settled = time.time_ns() - state.changed_ns > TICK_NS
    return FileState(state.changed_ns if is_settled else 0, state.size, digest, newest.isoformat() if newest else None)
