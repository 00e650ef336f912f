"""What a window has to read: files that are new or changed since the last one, and of which time."""

from datetime import UTC, datetime, timedelta

from attrs import evolve, frozen

from mj_provider_files.catalog import DataFile, Dataset
from mj_provider_files.state import Digests, State, read_state, settings_digest
from mjcore.errors import CheckpointExpired, WatermarkExpired
from mjcore.records import Watermark

OVERLAP = timedelta(minutes=5)
"""Rows that were modified so long before the newest one are read again: they may have been written late."""


@frozen
class Part:
    """One file of a window, and which of its rows."""

    file: DataFile
    stamp: tuple[int, int] | None
    """The file as it must be; None: as it is."""
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, modified: datetime | None) -> bool:
        """Tell whether a row is inside: one without a time always is."""
        return modified is None or ((not self.since or modified >= self.since) and (not self.until or modified < self.until))


def parts(dataset: Dataset, since: Watermark | None, until: Watermark | None, digests: Digests) -> list[Part]:
    """Return what to read, by file name.

    New files are read. A changed one is read from its newest row on where a modified field is set; without one, or where
    files have gone, `WatermarkExpired`: only a full read finds which records are gone too.
    """
    state = read_state(until) if until is not None and until.type != "Timestamp" else None
    if state is None:
        found = [Part(file, None) for file in dataset.files()]
    elif state.settings != settings_digest(dataset):
        raise CheckpointExpired(f"{dataset.name}: the settings of the object have changed since the run began")
    else:
        found = [Part(dataset.file(name), file.stamp) for name, file in sorted(state.files.items())]
    if state is not None and since is not None and since.type != "Timestamp":
        return _changed(dataset, read_state(since), found, digests)
    return _between(found, since, until, has_times=dataset.settings.modified_field is not None)


def _changed(dataset: Dataset, before: State, found: list[Part], digests: Digests) -> list[Part]:
    by_time = dataset.settings.modified_field is not None
    if before.settings != settings_digest(dataset):
        raise WatermarkExpired(f"{dataset.name}: the settings of the object have changed")
    if gone := sorted(before.files.keys() - {part.file.name for part in found}):
        raise WatermarkExpired(f"{gone[0]} is gone")
    changed = []
    for part in found:
        old = before.files.get(part.file.name)
        if old is None:
            changed.append(part)
        elif part.stamp != old.stamp and (part.stamp is None or digests.of(part.file, part.stamp) != old.digest):
            if not by_time:
                raise WatermarkExpired(f"{part.file.name} has changed")
            changed.append(evolve(part, since=datetime.fromisoformat(old.newest) - OVERLAP if old.newest else None))
    return changed


def _between(found: list[Part], since: Watermark | None, until: Watermark | None, *, has_times: bool) -> list[Part]:
    """Bound by time: of the rows, or of the files where rows have none."""
    start = since.instant if since is not None and since.type == "Timestamp" else None
    end = until.instant if until is not None and until.type == "Timestamp" else None
    if has_times:
        return [evolve(part, since=start, until=end) for part in found]

    def is_inside(part: Part) -> bool:
        changed = (part.stamp or part.file.stamp())[0]
        return (start is None or changed >= _ns(start)) and (end is None or changed < _ns(end))

    return [part for part in found if is_inside(part)]


def _ns(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) * 1000
