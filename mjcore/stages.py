"""The kernel's own implementation of every stage, and the one typed place that calls hooks."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pluggy

from mjcore.capabilities import Attribution, Attributor, Executor, Matcher, Notice, Notifier, Rows, Source, Store
from mjcore.errors import PluginError
from mjcore.hookspecs import MappingPlan, hookimpl
from mjcore.models import RunRequest, SyncContext
from mjcore.records import Batch, BatchWrite, Counts, FetchRequest, Lease, MappedBatch, MappedRecord, Page, RowChange, RowKey
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject


class Defaults:
    """What each stage does when nothing wraps it."""

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
        for notifier in notifiers:
            notifier.notify(notice)
        return True


class Stages:
    """Typed calls of the hooks; `failures` keeps what listeners of events raised."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.failures: list[PluginError] = []
        self._manager = manager
        manager.register(Defaults(), "mjcore")

    def _call(self, hook: str, **arguments: Any) -> Any:
        answer = getattr(self._manager.hook, hook)(**arguments)
        if answer is None:
            raise PluginError("mjcore", hook, "a wrapper returned None instead of the stage's result")
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

    def tell(self, event: str, **facts: Any) -> None:
        """Deliver an event to one listener at a time: what one raises is recorded and harms nobody. A plan has no events."""
        if facts["context"].is_dry_run:
            return
        for implementation in getattr(self._manager.hook, event).get_hookimpls():
            try:
                implementation.function(**{name: facts[name] for name in implementation.argnames})
            except Exception as fault:  # noqa: BLE001 - a listener must not fail a run
                error = PluginError(implementation.plugin_name, event, f"{type(fault).__name__}: {fault}")
                error.__cause__ = fault
                self.failures.append(error)
