"""The kernel's own implementation of every stage, and the one typed place that calls hooks."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pluggy
from attrs import frozen

from mjcore.capabilities import Attribution, Attributor, Executor, Matcher, Notice, Notifier, Rows, Source, Store
from mjcore.errors import MJError, PluginError
from mjcore.failures import Failures
from mjcore.hookspecs import MappingPlan, hookimpl
from mjcore.models import RunRequest, SyncContext
from mjcore.records import Batch, BatchWrite, Counts, FetchRequest, Lease, MappedBatch, MappedRecord, Page, RowChange, RowKey
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject

LISTED = 100
"""How many failures of listeners are kept."""


@frozen
class Defaults:
    """What each stage does when nothing wraps it."""

    stages: "Stages"

    @hookimpl(trylast=True)
    def mj_discover(self, source: Source) -> Sequence[ExternalObject]:
        return list(source.objects())

    @hookimpl(trylast=True)
    def mj_discover_fields(self, source: Source, object_name: str) -> Sequence[ExternalField]:
        return list(source.fields(object_name))

    @hookimpl(trylast=True)
    def mj_fetch(self, source: Source, request: FetchRequest) -> Page:
        return source.fetch(request)

    @hookimpl(trylast=True)
    def mj_transform(self, plan: MappingPlan, batch: Batch) -> MappedBatch:
        return plan(batch.records)

    @hookimpl(trylast=True)
    def mj_match(self, matcher: Matcher, records: Sequence[MappedRecord], rows: Rows) -> Sequence[Sequence[RowKey]]:
        return matcher.candidates(records, rows)

    @hookimpl(trylast=True)
    def mj_persist(self, context: SyncContext, store: Store, write: BatchWrite, lease: Lease) -> Counts:
        store.commit(context, write, lease)
        return write.counts

    @hookimpl(trylast=True)
    def mj_execute(
        self, executor: Executor, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]
    ) -> Iterable[SyncResult]:
        return executor.run(requests, runner)

    @hookimpl(trylast=True)
    def mj_attribute(self, attributors: Sequence[Attributor], changes: Sequence[RowChange]) -> Sequence[Attribution | None]:
        answers = [attributor.attribute(changes) for attributor in attributors]
        return [next((a for a in found if a is not None), None) for found in zip(*answers, strict=True)]

    @hookimpl(trylast=True)
    def mj_notify(self, notifiers: Sequence[Notifier], notice: Notice) -> bool:
        done = [self._notified(notifier, notice) for notifier in notifiers]
        return all(done)

    def _notified(self, notifier: Notifier, notice: Notice) -> bool:
        try:
            notifier.notify(notice)
        except Exception as fault:  # noqa: BLE001 - a notifier must not fail a run, nor keep others from telling
            self.stages.note_notifier(notice.run_id or "", f"{type(notifier).__module__}.{type(notifier).__name__}", fault)
            return False
        return True


class Stages:
    """Typed calls of the hooks. What listeners and notifiers raise is `noted` by run; `failures` keeps the last of listeners."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.failures: list[PluginError] = []
        self.noted = Failures()
        self._manager = manager
        manager.register(Defaults(self), "mjcore")

    def _call(self, hook: str, **arguments: Any) -> Any:
        answer = getattr(self._manager.hook, hook)(**arguments)
        if answer is None:
            raise PluginError("mjcore", hook, "a wrapper returned None instead of the stage's result", "failed")
        return answer

    def discover(self, source: Source) -> Sequence[ExternalObject]:
        return self._call("mj_discover", source=source)  # type: ignore[no-any-return]

    def discover_fields(self, source: Source, object_name: str) -> Sequence[ExternalField]:
        return self._call("mj_discover_fields", source=source, object_name=object_name)  # type: ignore[no-any-return]

    def fetch(self, context: SyncContext, source: Source, request: FetchRequest) -> Page:
        return self._call("mj_fetch", context=context, source=source, request=request)  # type: ignore[no-any-return]

    def transform(self, context: SyncContext, plan: MappingPlan, batch: Batch) -> MappedBatch:
        return self._call("mj_transform", context=context, plan=plan, batch=batch)  # type: ignore[no-any-return]

    def match(
        self, context: SyncContext, matcher: Matcher, records: Sequence[MappedRecord], rows: Rows
    ) -> Sequence[Sequence[RowKey]]:
        return self._call("mj_match", context=context, matcher=matcher, records=records, rows=rows)  # type: ignore[no-any-return]

    def persist(self, context: SyncContext, store: Store, write: BatchWrite, lease: Lease) -> Counts:
        return self._call("mj_persist", context=context, store=store, write=write, lease=lease)  # type: ignore[no-any-return]

    def execute(
        self, executor: Executor, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]
    ) -> Iterable[SyncResult]:
        return self._call("mj_execute", executor=executor, requests=requests, runner=runner)  # type: ignore[no-any-return]

    def notify(self, notifiers: Sequence[Notifier], notice: Notice) -> None:
        """Send one notice; what a notifier or a wrapper raises is noted and harms nobody."""
        try:
            self._call("mj_notify", notifiers=notifiers, notice=notice)
        except Exception as fault:  # noqa: BLE001 - as in `tell`
            self.note_notifier(notice.run_id or "", "mj_notify", fault)

    def note_notifier(self, run_id: str, name: str, fault: Exception) -> None:
        """Note a notifier that failed: by its kind of error alone, as the text may show a secret such as a webhook's URL."""
        why = str(fault) if isinstance(fault, MJError) else type(fault).__name__
        self.noted.add(run_id, "", f"notifier {name} failed: {why}")

    def tell(self, event: str, **facts: Any) -> None:
        """Deliver an event to one listener at a time: what one raises is noted and harms nobody. A plan has no events."""
        context: SyncContext = facts["context"]
        if context.is_dry_run:
            return
        for implementation in getattr(self._manager.hook, event).get_hookimpls():
            try:
                implementation.function(**{name: facts[name] for name in implementation.argnames})
            except Exception as fault:  # noqa: BLE001 - a listener must not fail a run
                error = PluginError("", implementation.plugin_name, f"{type(fault).__name__}: {fault}", f"failed in {event}")
                error.__cause__ = fault
                self.failures = [*self.failures[1 - LISTED :], error]
                about = context.entity_map.external_object_name if event != "mj_run_finished" else ""
                self.noted.add(context.run_id, about, str(error))
