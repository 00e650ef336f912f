"""Every hook that the kernel calls, in the order a run meets them.

*Capabilities* are collected once, when a `Kernel` is built: return declarations, which are then chosen by name.
*Stages* run once per batch or more rarely, and the kernel implements each one: plugins may only wrap them.
*Events* tell what happened, after it is committed: an exception is noted in the run and harms nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import pluggy

from mjcore.capabilities import (
    Attribution,
    Attributor,
    AttributorType,
    Executor,
    ExecutorType,
    Matcher,
    MatchType,
    Notice,
    Notifier,
    NotifierType,
    ProviderType,
    Rows,
    SecretType,
    Source,
    Store,
    StoreType,
    TransformType,
)
from mjcore.models import RunRequest, SyncContext
from mjcore.records import (
    Batch,
    BatchWrite,
    Counts,
    ExternalRecord,
    FetchRequest,
    Lease,
    MappedBatch,
    MappedRecord,
    Page,
    RowChange,
    RowKey,
)
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject

hookspec = pluggy.HookspecMarker("mj")
hookimpl = pluggy.HookimplMarker("mj")


class MappingPlan(Protocol):
    """The compiled field maps of one entity map."""

    def __call__(self, records: Sequence[ExternalRecord]) -> MappedBatch: ...


# --- Capabilities: what a plugin can do ----------------------------------------------------------


@hookspec
def mj_provider_types() -> Iterable[ProviderType[Any, Any]]:
    """Return the external systems that this plugin reads and writes.

    Chosen by a connection's `Provider`.
    """
    return ()


@hookspec
def mj_transform_types() -> Iterable[TransformType[Any]]:
    """Return the transform steps that this plugin adds.

    Chosen by the `Type` of a step in a `TransformPipeline`.
    """
    return ()


@hookspec
def mj_match_types() -> Iterable[MatchType[Any]]:
    """Return the match strategies that this plugin adds.

    Chosen by `Strategy` in an entity map's `MatchStrategy`.
    """
    return ()


@hookspec
def mj_store_types() -> Iterable[StoreType]:
    """Return the databases that this plugin opens.

    Chosen by the scheme of the store's URL.
    """
    return ()


@hookspec
def mj_executor_types() -> Iterable[ExecutorType[Any]]:
    """Return the ways to run syncs that this plugin adds.

    Chosen by `Kernel(executor=NAME)`.
    """
    return ()


@hookspec
def mj_attributor_types() -> Iterable[AttributorType]:
    """Return the ways to find out who made an external change.

    Asked in the configured order; the first answer with evidence wins.
    """
    return ()


@hookspec
def mj_notifier_types() -> Iterable[NotifierType[Any]]:
    """Return the ways to tell people.

    Chosen by `Notifier` in the list `Notify` of a connection's `Configuration`.
    """
    return ()


@hookspec
def mj_secret_types() -> Iterable[SecretType]:
    """Return the places that secrets come from.

    Chosen by the scheme of a reference, such as `env:HUBSPOT_TOKEN`.
    """
    return ()


# --- Stages: wrap them ---------------------------------------------------------------------------


@hookspec(firstresult=True)
def mj_discover(source: Source) -> Sequence[ExternalObject] | None:
    """Return the objects of a source.

    The kernel asks `source.objects()`. Once per discovery.
    """


@hookspec(firstresult=True)
def mj_discover_fields(source: Source, object_name: str) -> Sequence[ExternalField] | None:
    """Return the fields of one object.

    The kernel asks `source.fields(object_name)`. Once per object and run.
    """


@hookspec(firstresult=True)
def mj_fetch(context: SyncContext, source: Source, request: FetchRequest) -> Page | None:
    """Read one page.

    The kernel asks `source.fetch(request)`. Once per attempt, perhaps on another thread: the next page is read while
    a batch is applied. What a wrapper raises is treated as if the source had raised it.
    """


@hookspec(firstresult=True)
def mj_transform(context: SyncContext, plan: MappingPlan, batch: Batch) -> MappedBatch | None:
    """Map one batch of external records to entity values.

    The kernel calls `plan(batch.records)`. Once per batch, perhaps on another thread: the next batch is mapped while this one is
    written. Where most records change, that is before it is known which do not; the results of those are not used.
    """


@hookspec(firstresult=True)
def mj_match(
    context: SyncContext, matcher: Matcher, records: Sequence[MappedRecord], rows: Rows
) -> Sequence[Sequence[RowKey]] | None:
    """Find candidate rows for unlinked records.

    The kernel asks `matcher.candidates(records, rows)`. Once per batch that has unlinked records.
    """


@hookspec(firstresult=True)
def mj_persist(context: SyncContext, store: Store, write: BatchWrite, lease: Lease) -> Counts | None:
    """Commit one batch; return its counts.

    The kernel calls `store.commit(context, write, lease)`. Once per batch and attempt.
    """


@hookspec(firstresult=True)
def mj_execute(
    executor: Executor, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]
) -> Iterable[SyncResult] | None:
    """Run requests side by side.

    The kernel asks `executor.run(requests, runner)`. Once per call of `Kernel.sync_many`.
    """


@hookspec(firstresult=True)
def mj_attribute(attributors: Sequence[Attributor], changes: Sequence[RowChange]) -> Sequence[Attribution | None] | None:
    """Say who made changes.

    The kernel takes the first answer of `attributors` for each change.
    """


@hookspec(firstresult=True)
def mj_notify(notifiers: Sequence[Notifier], notice: Notice) -> bool | None:
    """Tell people.

    The kernel hands the notice to each notifier, after a run has ended and given its connection back; one that fails is
    noted in the run. Returns whether all succeeded. Once per kind of notice and run.
    """


# --- Events: what happened -----------------------------------------------------------------------


@hookspec
def mj_run_started(context: SyncContext) -> None:
    """An entity map of a run begins."""


@hookspec
def mj_batch_done(context: SyncContext, counts: Counts) -> None:
    """A batch is committed; `counts` are the batch's own."""


@hookspec
def mj_run_finished(context: SyncContext, result: SyncResult) -> None:
    """A run ended; `context` is that of its last entity map."""
