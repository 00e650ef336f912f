"""What a run records about itself: begun, counted, ended. Each save carries the fence."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

from attrs import evolve, fields, frozen

from mjcore.ids import new_id
from mjcore.models import CompanyIntegration, EntityMap, IntegrationRun, IntegrationRunDetail, RunRequest
from mjcore.pausing import admit
from mjcore.records import JSON, Counts, Lease, Position, RecordError, Watermark
from mjcore.results import MapResult, SyncResult
from mjcore.retry import Cancelled
from mjcore.store import Store
from mjcore.wire import unstructure


@frozen
class Recorder:
    """Records the runs of one connection, for as long as the lease is held."""

    store: Store
    connection: CompanyIntegration
    lease: Lease
    now: Callable[[], datetime]

    def begin(self, request: RunRequest) -> IntegrationRun:
        """Return the run that a crash broke off, to be continued, or a new one. `ConfigError`: the connection is paused."""
        admit(self.store, self.connection.id, request.trigger, self.lease, self.now())
        broken_off = self.store.load(IntegrationRun, company_integration_id=self.connection.id, status="Running")
        if broken_off:
            return broken_off[-1]
        run = IntegrationRun(
            request.run_id or new_id(),
            self.connection.id,
            request.direction,
            "Running",
            self.now(),
            request.trigger,
            configuration=cast("dict[str, JSON]", unstructure(request)),
        )
        self.store.save([run], lease=self.lease)
        return run

    def detail(self, run: IntegrationRun, entity_map: EntityMap, position: Position) -> IntegrationRunDetail:
        """Return what the run did in one entity map so far.

        What a broken off run counted is forgotten, unless it left a place to go on from: then all of it comes again.
        """
        known = self.store.load(IntegrationRunDetail, integration_run_id=run.id, entity_map_id=entity_map.id)
        if known:
            is_kept = is_done(known[0]) or run.id in (position.run_id, position.closed_by) or not known[0].records_processed
            return known[0] if is_kept else self._uncounted(run, known[0])
        before = position.watermark.value if position.watermark else None
        detail = IntegrationRunDetail(new_id(), run.id, entity_map.id, "Running", self.now(), watermark_before=before)
        self.store.save([detail], lease=self.lease)
        return detail

    def _uncounted(self, run: IntegrationRun, detail: IntegrationRunDetail) -> IntegrationRunDetail:
        (now,) = self.store.load(IntegrationRun, id=run.id)
        counted, total = counts_of(detail), counts_of(now)
        rest: dict[str, Any] = {f"total_records_{n}": getattr(total, n) - getattr(counted, n) for n in KINDS}
        none: dict[str, Any] = {f"records_{n}": 0 for n in KINDS}
        anew = evolve(detail, **none)
        self.store.save([anew, evolve(now, **rest)], lease=self.lease)
        return anew

    def close(
        self,
        detail: IntegrationRunDetail,
        fault: Exception | None,
        errors: Sequence[RecordError],
        notes: Sequence[str],
        watermark: Watermark | None,
    ) -> IntegrationRunDetail:
        """Record how an entity map ended; its counters were committed with its batches."""
        (now,) = self.store.load(IntegrationRunDetail, id=detail.id)
        status: Any = "Partial" if now.records_errored else "Completed"
        if fault is not None:
            status = "Cancelled" if isinstance(fault, Cancelled) else "Failed"
        found = [{"ExternalID": e.external_id, "Stage": e.stage, "Code": e.code, "Message": e.message} for e in errors]
        ended = evolve(
            now,
            status=status,
            completed_at=self.now(),
            error_message=str(fault) if fault else None,
            details={"Errors": found, "Notes": list(notes)},
            watermark_after=watermark.value if watermark else None,
        )
        self.store.save([ended], lease=self.lease)
        return ended

    def end(self, run: IntegrationRun, results: Sequence[MapResult], error: Exception | None) -> SyncResult:
        """Record how the run ended."""
        (now,) = self.store.load(IntegrationRun, id=run.id)
        failed = [r for r in results if r.status == "Failed"]
        before = [_named(r) for r in failed if not error or r.error != str(error)]
        text = "; ".join([*before, *([str(error)] if error else [])]) or None
        status: Any = "Cancelled" if isinstance(error, Cancelled) else "Failed" if error or failed else "Completed"
        ended = evolve(now, status=status, completed_at=self.now(), error_message=text)
        (connection,) = self.store.load(CompanyIntegration, id=self.connection.id)
        self.store.save([ended, evolve(connection, last_sync_at=ended.completed_at)], lease=self.lease)
        return SyncResult(
            run.id,
            connection.name,
            status,
            counts_of(ended),
            run.direction,
            run.started_at,
            ended.completed_at,
            tuple(results),
            text,
        )


def _named(failed: MapResult) -> str:
    """Return why a map failed, with its name once."""
    name, fault = f"{failed.external_object_name}: ", str(failed.error)
    return fault if fault.startswith(name) else name + fault


def is_done(detail: IntegrationRunDetail) -> bool:
    """Tell whether an entity map was read to its end before its run was broken off."""
    return detail.status in ("Completed", "Partial")


def result_of(entity_map: EntityMap, detail: IntegrationRunDetail, errors: tuple[RecordError, ...] = ()) -> MapResult:
    """Return what one entity map did, as a run returns it."""
    return MapResult(
        entity_map.external_object_name,
        entity_map.entity.name,
        cast("Any", detail.status),
        counts_of(detail),
        detail.watermark_before,
        detail.watermark_after,
        errors,
        detail.error_message,
        tuple(cast("list[str]", detail.details.get("Notes", []))),
    )


KINDS = [a.name for a in fields(Counts)]


def counts_of(record: IntegrationRun | IntegrationRunDetail) -> Counts:
    """Return the stored counters of a run or of one entity map in it."""
    prefix = "total_records_" if isinstance(record, IntegrationRun) else "records_"
    return Counts(*(getattr(record, prefix + name) for name in KINDS))
