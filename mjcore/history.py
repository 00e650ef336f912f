"""What the store has kept of the past: the audit trail and the failed-record ledger, as they are read."""

from datetime import datetime
from typing import Literal

from attrs import asdict, frozen

from mjcore.records import Fields, RowKey

UNDONE = "undo"
"""The rule of changes that an undo wrote."""
PURGED_BEFORE = "PurgedBefore"
"""In the configuration of a run that began before a purge's time: the time. Part of what the run did is no longer known."""


@frozen
class RecordChange:
    """One written row: who, when, from what to what."""

    id: int
    """Grows with time."""
    kind: Literal["create", "update", "delete"]
    entity_id: str
    key: RowKey
    old: Fields
    new: Fields
    external_id: str
    rule: str
    """How the row was found: `link`, the match strategy's name, or `none` for a create."""
    run_id: str
    entity_map_id: str
    map_version: int
    origin: str
    changed_at: datetime


@frozen
class FailedRecord:
    """One record of the ledger, and how often it failed."""

    id: str
    """Unique within its entity map."""
    external_id: str | None
    stage: str
    code: str
    message: str
    raw: Fields | None
    attempts: int
    run_id: str
    """Of the last attempt."""
    first_failed_at: datetime
    last_failed_at: datetime


@frozen
class Purged:
    """How many entries of the past a purge has removed, or would."""

    changes: int = 0
    """Of the audit trail."""
    failed_records: int = 0
    conflicts: int = 0
    runs: int = 0

    def __add__(self, other: "Purged") -> "Purged":
        return Purged(**{kind: count + getattr(other, kind) for kind, count in asdict(self).items()})

    @property
    def total(self) -> int:
        return sum(asdict(self).values())
