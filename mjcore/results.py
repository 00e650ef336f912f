"""What a run did, as `Kernel.sync` returns it."""

from datetime import datetime
from typing import Literal

from attrs import frozen

from mjcore.errors import LeaseHeld, MJError, StoreError
from mjcore.records import Counts, RecordError


@frozen
class MapResult:
    """What one entity map did in a run."""

    external_object_name: str
    entity: str
    status: Literal["Completed", "Partial", "Failed", "Cancelled"]
    counts: Counts
    watermark_before: str | None = None
    watermark_after: str | None = None
    errors: tuple[RecordError, ...] = ()
    """The first ten."""
    error: str | None = None
    notes: tuple[str, ...] = ()
    """What a person should know, such as a total of the source that differs from what it delivered."""


Refusal = Literal["held", "lost", "configuration"]
"""Another run has the connection; the store failed or another run took over; what was asked cannot be done."""


@frozen
class SyncResult:
    """What one run did. With a `refusal` it did not begin, or lost the right to record how it ended."""

    run_id: str
    connection: str
    status: Literal["Completed", "Failed", "Cancelled"]
    counts: Counts
    direction: Literal["Pull", "Push"] = "Pull"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    maps: tuple[MapResult, ...] = ()
    error: str | None = None
    refusal: Refusal | None = None


def refused(connection: str, error: MJError) -> SyncResult:
    """Return the result of a run that did not begin."""
    held = isinstance(error, LeaseHeld)
    refusal: Refusal = "held" if held else "lost" if isinstance(error, StoreError) else "configuration"
    return SyncResult("", connection, "Failed", Counts(), error=str(error), refusal=refusal)
