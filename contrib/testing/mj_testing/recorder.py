"""Notes the hook calls of a kernel."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from mjcore import hookspecs
from mjcore.capabilities import Attribution, Attributor, Executor, Matcher, Notice, Notifier, Rows, Source, Store
from mjcore.errors import did_you_mean
from mjcore.hookspecs import MappingPlan, hookimpl
from mjcore.models import RunRequest, SyncContext
from mjcore.records import Batch, BatchWrite, Counts, FetchRequest, Lease, MappedBatch, MappedRecord, Page, RowChange, RowKey
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject


@frozen
class Call:
    """One call of a hook. `result` is what a stage returned, or the exception that it raised; events have none."""

    hook: str
    arguments: Mapping[str, Any]
    result: Any = None


@define(eq=False)
class Recorder:
    """A plugin that wraps every stage and hears every event, and changes nothing. Calls stand in the order of their ends."""

    calls: list[Call] = field(factory=list)

    def of(self, hook: str) -> list[Call]:
        """Return the calls of one hook."""
        known = [name for name in vars(hookspecs) if name.startswith("mj_")]
        if hook not in known:
            raise LookupError(f"there is no hook named {hook!r}{did_you_mean(hook, known)}; docs/hooks.md lists them all")
        return [call for call in self.calls if call.hook == hook]

    def names(self) -> list[str]:
        """Return the hooks in the order in which their calls ended."""
        return [call.hook for call in self.calls]

    def _stage(self, hook: str, **arguments: Any) -> Generator[None, Any, Any]:
        try:
            result = yield
        except BaseException as error:
            self.calls.append(Call(hook, arguments, error))
            raise
        self.calls.append(Call(hook, arguments, result))
        return result

    @hookimpl(wrapper=True)
    def mj_discover(self, source: Source) -> Generator[None, Sequence[ExternalObject], Sequence[ExternalObject]]:
        return (yield from self._stage("mj_discover", source=source))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_discover_fields(
        self, source: Source, object_name: str
    ) -> Generator[None, Sequence[ExternalField], Sequence[ExternalField]]:
        return (yield from self._stage("mj_discover_fields", source=source, object_name=object_name))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_fetch(self, context: SyncContext, source: Source, request: FetchRequest) -> Generator[None, Page, Page]:
        return (yield from self._stage("mj_fetch", context=context, source=source, request=request))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_transform(self, context: SyncContext, plan: MappingPlan, batch: Batch) -> Generator[None, MappedBatch, MappedBatch]:
        return (yield from self._stage("mj_transform", context=context, plan=plan, batch=batch))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_match(
        self, context: SyncContext, matcher: Matcher, records: Sequence[MappedRecord], rows: Rows
    ) -> Generator[None, Sequence[Sequence[RowKey]], Sequence[Sequence[RowKey]]]:
        given = {"context": context, "matcher": matcher, "records": records, "rows": rows}
        return (yield from self._stage("mj_match", **given))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_persist(self, context: SyncContext, store: Store, write: BatchWrite, lease: Lease) -> Generator[None, Counts, Counts]:
        return (yield from self._stage("mj_persist", context=context, store=store, write=write, lease=lease))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_execute(
        self, executor: Executor, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]
    ) -> Generator[None, Iterable[SyncResult], Iterable[SyncResult]]:
        return (yield from self._stage("mj_execute", executor=executor, requests=requests, runner=runner))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_attribute(
        self, attributors: Sequence[Attributor], changes: Sequence[RowChange]
    ) -> Generator[None, Sequence[Attribution | None], Sequence[Attribution | None]]:
        return (yield from self._stage("mj_attribute", attributors=attributors, changes=changes))  # type: ignore[no-any-return]

    @hookimpl(wrapper=True)
    def mj_notify(self, notifiers: Sequence[Notifier], notice: Notice) -> Generator[None, bool, bool]:
        return (yield from self._stage("mj_notify", notifiers=notifiers, notice=notice))  # type: ignore[no-any-return]

    @hookimpl
    def mj_run_started(self, context: SyncContext) -> None:
        self.calls.append(Call("mj_run_started", {"context": context}))

    @hookimpl
    def mj_batch_done(self, context: SyncContext, counts: Counts) -> None:
        self.calls.append(Call("mj_batch_done", {"context": context, "counts": counts}))

    @hookimpl
    def mj_run_finished(self, context: SyncContext, result: SyncResult) -> None:
        self.calls.append(Call("mj_run_finished", {"context": context, "result": result}))
