"""Data in flight: what a provider delivers, what mapping makes of it, and what one batch commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import astuple, field, frozen

if TYPE_CHECKING:
    from attrs import frozen as passing

    JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
else:
    from attrs import define as passing  # one of each for every record: refusing changes at run time takes thrice as long

    JSON = Any  # a recursive alias cannot be resolved at run time, where cattrs reads the annotations

Value: TypeAlias = Any
"""None is null; `ABSENT` is "the source did not send it"."""
Fields: TypeAlias = Mapping[str, Value]
Checkpoint: TypeAlias = Mapping[str, JSON]
"""The provider's own position inside one window; at most 4 KB, opaque to the kernel."""
RowKey: TypeAlias = tuple[Value, ...]
"""The primary key, composite too. `()`: the database generates it."""


class Missing(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Missing.ABSENT


# --- From the source -----------------------------------------------------------------------------


@frozen
class Reference:
    """A pointer to another external record, where the object is not fixed by the field."""

    object_name: str
    external_id: str


def _aware(_: object, __: object, value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise ValueError("modified_at must carry a time zone")


@passing
class ExternalRecord:
    """One record as the source sent it."""

    external_id: str
    fields: Fields
    modified_at: datetime | None = field(default=None, validator=_aware)
    is_deleted: bool = False
    merged_into: str | None = None
    """The surviving record's id, where the source tells: this one counts as deleted."""


@frozen
class Watermark:
    """Where a window starts or ends. A `Timestamp` is ISO 8601 with a zone; the others are the provider's own."""

    type: Literal["Timestamp", "Cursor", "ChangeToken", "Version"]
    value: str

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.value)


@frozen
class FetchRequest:
    """One page to read; all that a provider is told."""

    object_name: str
    fields: tuple[str, ...]
    """Only those that the field maps read; `()` asks for ids only."""
    since: Watermark | None
    """Inclusive, the overlap already subtracted; None: everything."""
    until: Watermark | None
    """Exclusive, frozen when the run began."""
    checkpoint: Checkpoint | None
    """None: the first page; else the previous page's `next`, maybe of a crashed process."""
    limit: int
    """A wish; a page may be shorter or longer."""


@frozen
class RecordError:
    """One record that failed: it goes to the failed-record ledger, the others go on."""

    external_id: str | None
    stage: Literal["fetch", "transform", "match", "persist"]
    code: str
    message: str
    raw: Fields | None = None


@frozen
class Page:
    """One answer of `Source.fetch`."""

    records: Sequence[ExternalRecord]
    next: Checkpoint | None
    """None: the window is drained."""
    total: int | None = None
    """Of the whole window, deleted ones not counted; the first page's answer counts."""
    errors: Sequence[RecordError] = ()
    """Records of this page that could not be read."""
    watermark: Watermark | None = None
    """Last page only: where the next window starts, if not at `until` (delta tokens)."""


@frozen
class Batch:
    """What mapping receives: the records of one page that have to be mapped."""

    records: Sequence[ExternalRecord]
    next: Checkpoint | None


# --- Mapped, matched -----------------------------------------------------------------------------


@passing
class MappedRecord:
    """A record in the entity's fields; fields that the source did not send are not in `values`."""

    source: ExternalRecord
    values: Fields


@frozen
class MappedBatch:
    """`records` in the order of the batch, without those in `errors`."""

    records: Sequence[MappedRecord]
    errors: Sequence[RecordError] = ()


@passing
class Link:
    """External record ↔ entity row, kept per entity map."""

    external_id: str
    key: RowKey
    content_hash: bytes
    """Of `source_values` and the mapping version: equal means skip before mapping."""
    source_values: Fields
    """Last seen raw values of the mapped source fields: the base of a merge, of `explain`, of re-mapping."""
    source_modified_at: datetime | None = None
    created_row: bool = True
    is_tombstone: bool = False
    map_version: int = 0
    """Of the mapping that the row was written by; 0 is unknown."""
    run_id: str = field(default="", eq=False)
    """The run that made it, as the store tells; nothing to compare, and not written again."""


@passing
class LastSeen:
    """What a link knows of the last delivery of its record: enough to tell whether another one has to be decided."""

    content_hash: bytes
    modified_at: datetime | None
    is_tombstone: bool


@passing
class RowChange:
    """One write of a target row, and its audit entry."""

    kind: Literal["create", "update", "delete"]
    key: RowKey
    """`()` on a create whose key the database generates; its link then gets the same key."""
    old: Fields
    """Update: the changed fields before; delete: the whole row. A row that no longer has them raises `RowsMoved`."""
    new: Fields
    external_id: str
    rule: str = "link"
    """How the row was found: `link`, the match strategy's name, or `none` for a create."""
    unique_on: tuple[str, ...] = ()
    """Create: nobody else may have created these values meanwhile."""


@frozen
class Conflict:
    """Both sides changed and the policy is `Manual`: a person decides."""

    external_id: str
    key: RowKey
    base: Fields
    source: Fields
    current: Fields
    entity_map_id: str = ""
    answer: Literal["source", "current"] | None = None
    """What a person decided; the next run acts on it."""
    is_deleted: bool = False
    """The source has deleted the record; `source` is empty."""


@frozen
class Counts:
    """`processed` is always the sum of the others: every delivered record counts once."""

    processed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    skipped: int = 0
    conflicted: int = 0
    errored: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[int, ...]:
        return astuple(self)


# --- Committed -----------------------------------------------------------------------------------


@frozen
class Position:
    """Where an entity map stands. Between windows `run_id` to `checkpoint` are None."""

    watermark: Watermark | None = None
    run_id: str | None = None
    """Whose window it is; a crashed run is continued."""
    map_version: int | None = None
    since: Watermark | None = None
    until: Watermark | None = None
    checkpoint: Checkpoint | None = None
    is_full: bool = False
    """The window reads everything, so that ids it did not deliver are gone."""
    has_gaps: bool = False
    """Records of the window had no id that could be read: which ids are gone cannot be told."""
    closed_by: str | None = None
    """The run that read the last window to its end."""


@frozen
class BatchWrite:
    """All that one batch commits: the store does everything in it or nothing."""

    changes: Sequence[RowChange]
    """Sorted by key; each is also an audit entry."""
    links: Sequence[Link]
    failed: Sequence[RecordError]
    cleared: Sequence[str]
    """External ids that leave the failed-record ledger."""
    conflicts: Sequence[Conflict]
    """Replace those of the same records in the queue."""
    counts: Counts
    position: Position
    starts_window: bool = False
    """What an earlier window staged goes first."""
    ends_window: bool = False
    """What is staged goes."""
    seen: Sequence[str] = ()
    """External ids that a full read delivered, staged for the sweep."""
    staged_deletes: Mapping[str, datetime | None] = field(factory=dict)
    """External ids that the source reported as deleted, and when: applied after the window, behind the guard."""
    unstaged: Sequence[str] = ()
    """Staged deletes that this batch has dealt with."""
    unresolved: Sequence[str] = ()
    """External ids of records with a reference to a row that is not there yet: kept until they are `resolved`."""
    resolved: Sequence[str] = ()
    held: Sequence[RowKey] = ()
    """Rows that stay because other live links hold them: `RowsMoved` when none does any more."""
    settled: Sequence[str] = ()
    """External ids whose conflicts leave the queue."""
    unlinked: Sequence[str] = ()
    """External ids whose links are removed, as if their records had never come."""


@frozen
class Lease:
    """The right to write for one connection; `fence` grows with every holder."""

    connection: str
    holder: str
    fence: int
    expires_at: datetime
