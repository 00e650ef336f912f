"""`Kernel`: owns its plugins and its store; the embedding API, and the only caller of hooks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from mjcore.cancel import cancel, never
from mjcore.capabilities import (
    AttributorType,
    Executor,
    ExecutorType,
    MatchType,
    NotifierType,
    ProviderType,
    SecretType,
    Source,
    Store,
    StoreType,
    TransformType,
)
from mjcore.errors import MJError
from mjcore.loader import Plugin, load_plugins, new_manager
from mjcore.models import ConnectionMetadata, IntegrationRun, IntegrationRunDetail, RunRequest, Trigger
from mjcore.progress import ProgressListener, ignore
from mjcore.queues import Queues
from mjcore.registry import Registry, collect
from mjcore.results import SyncResult, refused
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject
from mjcore.stages import Stages
from mjcore.stored import load_connections

if TYPE_CHECKING:
    from pathlib import Path

    from mjcore.apply import ApplyReport
    from mjcore.document import Raw
    from mjcore.explain import Explanation
    from mjcore.metadata import Metadata
    from mjcore.plan import Planner
    from mjcore.preview import Preview
    from mjcore.purging import Purge
    from mjcore.undo import Undo
    from mjcore.verify import Verify

T = TypeVar("T")


class Kernel:
    """A set of plugins and a store. Two kernels in one process do not know of each other.

    `store`: a URL, or an open Store (which the caller then closes). `plugins`: name → plugin, beside the installed ones;
    `blocked`: names of distributions or plugins to leave out; `discover=False` takes none but the explicit ones.
    """

    def __init__(
        self,
        store: str | Store = "sqlite:///mj.db",
        *,
        plugins: Mapping[str, object] | None = None,
        blocked: Collection[str] = (),
        discover: bool = True,
        executor: str = "local",
        patience: Patience = Patience(),  # noqa: B008 - frozen
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._executor = executor
        self.now = now
        self.patience = patience
        self.manager = new_manager()
        self.plugins: list[Plugin] = load_plugins(self.manager, plugins or {}, blocked, discover)
        self.provider_types: Registry[ProviderType[Any, Any]] = self._collect("mj_provider_types", "provider", ProviderType)
        self.transform_types: Registry[TransformType[Any]] = self._collect("mj_transform_types", "transform type", TransformType)
        self.match_types: Registry[MatchType[Any]] = self._collect("mj_match_types", "match strategy", MatchType)
        self.store_types = self._collect("mj_store_types", "store for URL scheme", StoreType, lambda d: d.schemes)
        self.executor_types: Registry[ExecutorType[Any]] = self._collect("mj_executor_types", "executor", ExecutorType)
        self.attributor_types = self._collect("mj_attributor_types", "attributor", AttributorType)
        self.notifier_types: Registry[NotifierType[Any]] = self._collect("mj_notifier_types", "notifier", NotifierType)
        self.secret_types = self._collect("mj_secret_types", "secret scheme", SecretType, lambda d: [d.scheme])
        self.stages = Stages(self.manager)

    def _collect(
        self, hook: str, kind: str, expected: type[T], names: Callable[[Any], Iterable[str]] = lambda d: [d.name]
    ) -> Registry[T]:
        owners = {plugin.name: plugin.distribution for plugin in self.plugins}
        causes = [plugin.error for plugin in self.plugins if plugin.error]
        return collect(self.manager, hook, kind, expected, owners, causes, names)

    @cached_property
    def store(self) -> Store:
        """The store, opened and migrated at first use."""
        if not isinstance(self._store, str):
            return self._store
        scheme = self._store.partition(":")[0].partition("+")[0]
        store = self.store_types[scheme].open(self._store)
        store.migrate()
        return store

    # --- metadata ---------------------------------------------------------------------------------

    def connections(self, *names: str, template: str | None = None, company: str | None = None) -> list[ConnectionMetadata]:
        """Return stored connections by name, template or company; all without any. `UnknownName` for a name that is none."""
        return load_connections(self.store, names, template, company)

    def read(self, *documents: "Raw") -> "Metadata":
        """Check metadata documents (parsed YAML or JSON) without storing them. `ConfigError` with every problem."""
        from mjcore.metadata import read

        return read(self, documents)

    def apply(self, *documents: "Raw", dry_run: bool = False, prune: bool = False) -> "ApplyReport":
        """Store what metadata documents say; later ones add to earlier ones. `ConfigError` has every problem.

        With a problem nothing is written. `prune` sets what the documents leave out to Inactive; `dry_run` only reports.
        """
        from mjcore.apply import apply

        return apply(self, documents, dry_run=dry_run, prune=prune)

    def export(self) -> "Raw":
        """Return the stored metadata as a document that `apply` takes and finds nothing to change in."""
        from mjcore.export import export

        return export(self.store)

    # --- the source ---------------------------------------------------------------------------------

    def open(self, metadata: ConnectionMetadata, cancel: Callable[[], bool] = never) -> Source:
        """Open a connection: settings checked, secrets resolved. `ConfigError` with every problem."""
        from mjcore.opening import open_source

        return open_source(self, metadata, cancel)

    def test(self, metadata: ConnectionMetadata) -> Mapping[str, str]:
        """Check credentials and connectivity; return facts to show. Raises `ProviderError`."""
        with closing(self.open(metadata)) as source:
            return source.test()

    def discover_objects(self, metadata: ConnectionMetadata) -> Sequence[ExternalObject]:
        """Return what the account can read."""
        with closing(self.open(metadata)) as source:
            return self.stages.discover(source)

    def discover_fields(self, metadata: ConnectionMetadata, object_name: str) -> Sequence[ExternalField]:
        """Return the fields of one object."""
        with closing(self.open(metadata)) as source:
            return self.stages.discover_fields(source, object_name)

    def preview(self, metadata: ConnectionMetadata, object_name: str, limit: int = 3) -> "Preview":
        """Run sample records through an entity map, each step's value shown; writes nothing."""
        from mjcore.preview import preview

        return preview(self, metadata, object_name, limit)

    # --- running ------------------------------------------------------------------------------------

    def sync(  # noqa: PLR0913 - the options of one command
        self,
        connection: str,
        *,
        maps: Sequence[str] = (),
        full: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        remap: bool = False,
        allow_deletes: bool = False,
        plan: "Path | None" = None,
        trigger: Trigger = "Manual",
        progress: ProgressListener = ignore,
        cancel: Callable[[], bool] = never,
    ) -> SyncResult:
        """Pull one connection, or apply the file of a `plan`: exactly that, without asking the source.

        A failed run is a result. A connection that an undo has paused is run by a manual `trigger` alone. Raises `ConfigError`
        and `UnknownName` for what was asked, `LeaseHeld` when another run has the connection, `LeaseLost` when one took it over.
        """
        if plan is not None:
            from mjcore.replay import apply_plan

            return apply_plan(self, connection, plan, progress, cancel, allow_deletes=allow_deletes, trigger=trigger)
        request = RunRequest(
            connection,
            tuple(maps),
            full=full,
            since=since.isoformat() if since else None,
            until=until.isoformat() if until else None,
            mode="remap" if remap else "sync",
            trigger=trigger,
            allow_deletes=allow_deletes,
        )
        return self.run(request, progress, cancel)

    def run(self, request: RunRequest, progress: ProgressListener = ignore, cancel: Callable[[], bool] = never) -> SyncResult:
        """Run one request, here and now; raises as `sync` does."""
        from mjcore.running import run

        return run(self, request, progress, cancel)

    @cached_property
    def plan(self) -> "Planner":
        """`plan(connection)` tells what a sync would do; it writes nothing but a file, for `sync` to apply."""
        from mjcore.plan import Planner

        return Planner(self)

    def sync_many(
        self,
        requests: Sequence[RunRequest],
        progress: ProgressListener = ignore,
        cancel: Callable[[], bool] = never,
    ) -> Iterator[SyncResult]:
        """Run several requests side by side; yield results as they end. What `sync` would raise is a result with a `refusal`."""

        def runner(request: RunRequest) -> SyncResult:
            try:
                return self.run(request, progress, cancel)
            except MJError as error:
                return refused(request.connection, error)

        yield from self.stages.execute(self.executor, requests, runner)

    def cancel(self, run_id: str) -> Literal["Cancelling", "Cancelled"]:
        """Ask a run to stop after its batch; one whose process is gone is closed. `UnknownName`; `ConfigError`: it has ended."""
        return cancel(self.store, run_id, self.now)

    @cached_property
    def undo(self) -> "Undo":
        """`undo(run_id)` reverses a run, `undo.since(connection, entity_map, time)` all that runs since then did to a map."""
        from mjcore.undo import Undo

        return Undo(self)

    @cached_property
    def verify(self) -> "Verify":
        """`verify(connection)` compares every record of the source with its row; it writes nothing."""
        from mjcore.verify import Verify

        return Verify(self)

    def repair(
        self,
        connection: str,
        *,
        maps: Sequence[str] = (),
        allow_deletes: bool = False,
        progress: ProgressListener = ignore,
        cancel: Callable[[], bool] = never,
    ) -> SyncResult:
        """Read the source in full and re-assert it, local edits included; a run as any other. Raises as `sync` does."""
        asked = RunRequest(connection, tuple(maps), full=True, mode="repair", allow_deletes=allow_deletes)
        return self.run(asked, progress, cancel)

    def explain(self, entity: str, key: str, field: str | None = None) -> "Explanation":
        """Tell why a row, or one field of it, is as it is. `UnknownName`: no such entity, row or field."""
        from mjcore.explain import explain

        return explain(self, entity, key, field)

    def retry(self, connection: str, *, maps: Sequence[str] = ()) -> SyncResult:
        """Try failed records again and act on answered conflicts, without reading what has changed. Raises as `sync` does."""
        return self.run(RunRequest(connection, tuple(maps), mode="retry"))

    @cached_property
    def queues(self) -> Queues:
        """Failed records and conflicts, to be looked at and decided."""
        return Queues(self.store, self.now)

    @cached_property
    def purge(self) -> "Purge":
        """`purge(connection, before)` removes what is kept of the past: the audit trail, the queues, and runs of then."""
        from mjcore.purging import Purge

        return Purge(self)

    @cached_property
    def executor(self) -> Executor:
        kind = self.executor_types[self._executor]
        return kind.open(kind.config())

    def runs(self, connection: str | None = None, limit: int = 20) -> list[IntegrationRun]:
        """Return the latest runs, newest first."""
        where = {"company_integration_id": self.connections(connection)[0].connection.id} if connection else {}
        return list(reversed(self.store.load(IntegrationRun, newest=limit, **where)))

    def run_details(self, run_id: str) -> Sequence[IntegrationRunDetail]:
        """Return what each entity map did in a run."""
        return self.store.load(IntegrationRunDetail, integration_run_id=run_id)

    def close(self) -> None:
        if isinstance(self._store, str) and "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
