"""`Kernel`: owns its plugins and its store; the embedding API, and the only caller of hooks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

from mjcore.capabilities import (
    AttributorType,
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
from mjcore.loader import Plugin, load_plugins, new_manager
from mjcore.models import ConnectionMetadata, IntegrationRun, RunRequest
from mjcore.progress import ProgressListener
from mjcore.records import SyncResult
from mjcore.registry import Registry, collect
from mjcore.schema import ExternalField, ExternalObject

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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._executor = executor
        self.now = now
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
        raise NotImplementedError

    # --- the source ---------------------------------------------------------------------------------

    def open(self, connection: ConnectionMetadata) -> Source:
        """Open a connection: settings checked, secrets resolved. `ConfigError` with every problem."""
        raise NotImplementedError

    def test(self, connection: ConnectionMetadata) -> Mapping[str, str]:
        """Check credentials and connectivity; return facts to show. Raises `ProviderError`."""
        raise NotImplementedError

    def discover_objects(self, connection: ConnectionMetadata) -> Sequence[ExternalObject]:
        raise NotImplementedError

    def discover_fields(self, connection: ConnectionMetadata, object_name: str) -> Sequence[ExternalField]:
        raise NotImplementedError

    # --- running ------------------------------------------------------------------------------------

    def sync(
        self,
        connection: str,
        *,
        maps: Sequence[str] = (),
        full: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        progress: ProgressListener | None = None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> SyncResult:
        """Pull one connection. `LeaseHeld` when another run has it; a failed run is a result, not an exception."""
        raise NotImplementedError

    def sync_many(
        self,
        requests: Sequence[RunRequest],
        progress: ProgressListener | None = None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> Iterator[SyncResult]:
        """Run several requests side by side; results as they end."""
        raise NotImplementedError

    def runs(self, connection: str | None = None, limit: int = 20) -> list[IntegrationRun]:
        """Return the latest runs, newest first."""
        raise NotImplementedError

    def close(self) -> None:
        if isinstance(self._store, str) and "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
