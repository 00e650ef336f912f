"""What of a delivery has to be decided: the rest is older, unchanged, or a delete that waits for its window to end."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import define, field

from mjcore.records import ExternalRecord, LastSeen


@define
class Triage:
    """Sorts the records of one batch. Each counts once: a staged delete when it is applied, or here when it is not."""

    known: Mapping[str, LastSeen]
    """By external id, as the other two."""
    hashes: Mapping[str, bytes]
    staged: Mapping[str, datetime | None]
    """Deletes of the open window, and when they were made."""
    is_full: bool = False
    """What is delivered is there, however old: a record that was restored may keep the time of its last change."""
    is_repair: bool = False
    """What is unchanged at the source is decided, too."""
    todo: list[ExternalRecord] = field(factory=list)
    deletes: dict[str, datetime | None] = field(factory=dict)
    """To be staged."""
    revived: list[str] = field(factory=list)
    """Staged deletes that are taken back."""
    unchanged: int = 0
    skipped: int = 0

    def sort(self, records: Sequence[ExternalRecord]) -> None:
        for record in records:
            external_id, last = record.external_id, self.known.get(record.external_id)
            if external_id in self.staged and not self._replaces(record):
                continue
            if record.is_deleted:
                self._delete(record, last)
            elif last is not None and self._is_older(record, last):
                self.skipped += 1
            elif last is not None and self._is_unchanged(external_id, last):
                self.unchanged += 1
            else:
                self.todo.append(record)

    def _replaces(self, record: ExternalRecord) -> bool:
        """Tell whether a record takes a staged delete back; one of the two counts here."""
        external_id = record.external_id
        self.skipped += 1
        if is_before(record.modified_at, self.staged[external_id]):
            return False
        if record.is_deleted:
            self.deletes[external_id] = record.modified_at
            return False
        self.revived.append(external_id)
        return True

    def _delete(self, record: ExternalRecord, last: LastSeen | None) -> None:
        if last is None or last.is_tombstone or is_before(record.modified_at, last.modified_at):
            self.skipped += 1
        else:
            self.deletes[record.external_id] = record.modified_at

    def _is_older(self, record: ExternalRecord, last: LastSeen) -> bool:
        return is_before(record.modified_at, last.modified_at) and not (last.is_tombstone and self.is_full)

    def _is_unchanged(self, external_id: str, last: LastSeen) -> bool:
        same = last.content_hash == self.hashes[external_id]
        return same and not last.is_tombstone and not self.is_repair


def is_before(one: datetime | None, other: datetime | None) -> bool:
    """Tell whether a time is earlier than another, both known."""
    return one is not None and other is not None and one < other
