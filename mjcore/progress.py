"""How far a run is, for people who watch."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from mjcore.records import Counts


@frozen
class Progress:
    """Told after every committed batch of an entity map; `counts` are that map's so far in this run."""

    run_id: str
    connection: str
    external_object_name: str
    entity: str
    counts: Counts
    total: int | None
    """How many records the source has in this window, where it says so."""
    seconds: float
    """Since this entity map began."""
    waiting: str = ""
    """Why the run stands still, such as a rate limit; no counts changed."""

    def __str__(self) -> str:
        of = f" of {self.total}" if self.total is not None else ""
        rate = f", {self.counts.processed / self.seconds:,.0f}/s" if self.seconds > 0 else ""
        text = f"{self.connection}: {self.external_object_name} → {self.entity}: {self.counts.processed}{of}{rate}"
        return f"{text}, {self.waiting}" if self.waiting else text


ProgressListener: TypeAlias = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Listen to nothing."""
