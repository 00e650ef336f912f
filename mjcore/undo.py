"""Undo: which runs are reversed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen

from mjcore.errors import ConfigError, UnknownName
from mjcore.history import PURGED_BEFORE
from mjcore.models import IntegrationRun, IntegrationRunDetail
from mjcore.pausing import UNDO
from mjcore.progress import ProgressListener, ignore
from mjcore.reversal import Reversal
from mjcore.reversal import UndoResult as UndoResult

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@frozen
class Undo:
    """Reverses runs. What was changed since stays and is listed; the connection is Inactive until the next manual sync.

    Each undo is a run itself, and can be undone. A dry run writes nothing and returns the same numbers. Raises
    `UnknownName` and `ConfigError` for what was asked (a run that has not ended, whose entity map is gone, or whose trail
    was purged), `LeaseHeld`, `LeaseLost` and `StoreError` as a sync does.
    """

    kernel: "Kernel"

    def __call__(self, run_id: str, *, dry_run: bool = False, progress: ProgressListener = ignore) -> UndoResult:
        """Reverse one run."""
        return Reversal(self.kernel, _whole(self._run(run_id)), frozenset([run_id]), progress, dry_run).execute()

    def since(
        self,
        connection: str,
        entity_map: str,
        since: datetime,
        *,
        dry_run: bool = False,
        progress: ProgressListener = ignore,
    ) -> Sequence[UndoResult]:
        """Reverse what every run since a time did to one entity map, newest first; undos among them stay as they are."""
        if since.tzinfo is None:
            raise ConfigError(f"undo since {since.isoformat()}: the time needs a zone, such as {since.isoformat()}Z")
        (metadata,) = self.kernel.connections(connection)
        chosen = next((m for m in metadata.entity_maps if entity_map in (m.external_object_name, m.id)), None)
        if chosen is None:
            names = [m.external_object_name for m in metadata.entity_maps]
            raise UnknownName(f"entity map of {connection!r}", entity_map, names)
        details = self.kernel.store.load(IntegrationRunDetail, entity_map_id=chosen.id)
        found = [self._run(detail.integration_run_id) for detail in reversed(details) if detail.started_at >= since]
        runs = [_whole(run) for run in found if UNDO not in run.configuration]
        results: list[UndoResult] = []
        undone: frozenset[str] = frozenset()
        for run in runs:
            undone |= {run.id}
            results.append(Reversal(self.kernel, run, undone, progress, dry_run, chosen.id).execute())
        return results

    def _run(self, run_id: str) -> IntegrationRun:
        found = self.kernel.store.load(IntegrationRun, id=run_id)
        if not found:
            raise UnknownName("run", run_id, [run.id for run in self.kernel.runs(limit=5)])
        return found[0]


def _whole(run: IntegrationRun) -> IntegrationRun:
    """Return a run that has ended and whose trail is there from its beginning; `ConfigError` for any other."""
    if run.status == "Running":
        raise ConfigError(f"run {run.id} is still Running: wait for it, or stop it (`mj cancel {run.id}`), then undo it")
    if PURGED_BEFORE in run.configuration:
        raise ConfigError(
            f"run {run.id} began before {run.configuration[PURGED_BEFORE]}; the audit trail before then was purged, so that the "
            "run cannot be undone in full. Correct the source, and let it win: `mj verify --repair`"
        )
    return run
