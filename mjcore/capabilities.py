"""What a plugin declares, and the Protocols of what its declarations return."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from attrs import field, frozen

from mjcore.models import Direction, EntityMap, FieldMap, RunRequest
from mjcore.records import (
    JSON,
    ExternalRecord,
    FetchRequest,
    Fields,
    MappedRecord,
    Page,
    RecordError,
    Reference,
    RowChange,
    RowKey,
    Value,
    Watermark,
)
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject
from mjcore.store import Rows as Rows
from mjcore.store import Store as Store
from mjcore.store import StoreType as StoreType

C = TypeVar("C")
A = TypeVar("A")
T = TypeVar("T")


@frozen
class Secret:
    """A resolved secret: `reveal()` is the only way to its text; repr, logs and errors show ***."""

    _text: str = field(repr=lambda _: "***")

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "***"


# --- Providers -----------------------------------------------------------------------------------


class Source(Protocol):
    """One open connection to an external system.

    Methods may be called by several threads. A source neither waits nor repeats: it raises a `ProviderError` and is
    called again.
    """

    def test(self) -> Mapping[str, str]:
        """Return facts to show a person (account, scopes), or raise."""

    def objects(self) -> Iterable[ExternalObject]:
        """Return every object that this account can read, custom ones too."""

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        """Return every field of an object; asked only for objects that are mapped or shown."""

    def high_watermark(self, object_name: str) -> Watermark | None:
        """Return the source's now: the end of the next window. None: this object is read in full each time."""

    def fetch(self, request: FetchRequest) -> Page:
        """Return one page. A function of the request alone: paging, resume and retry are one code path."""

    def close(self) -> None:
        """Release what is open."""


@runtime_checkable
class RecordReader(Protocol):
    """Optional: a source that can read single records, for retries, webhooks and verification."""

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        """Return the records; those that are gone are left out. Raises a `ProviderError` when one cannot be read."""


@frozen
class ExternalWrite:
    """One write to the source."""

    kind: Literal["create", "update", "delete"]
    external_id: str | None
    values: Fields
    idempotency_key: str


@runtime_checkable
class RecordWriter(Protocol):
    """Optional: a source that can be written to."""

    def write(self, object_name: str, writes: Sequence[ExternalWrite]) -> Sequence[str | RecordError]:
        """Return the external id or the error of each write, in order."""


@runtime_checkable
class WebhookReceiver(Protocol):
    """Optional: a source that tells of changes. Raises `AuthFailed` when the signature is wrong."""

    def receive(self, headers: Mapping[str, str], body: bytes, url: str) -> Sequence[Reference]: ...


@frozen
class Connection(Generic[C, A]):
    """What a provider's `open` receives: settings and secrets already checked, resolved and typed."""

    name: str
    config: C
    auth: A
    throttle: Callable[[], None]
    """Take one token of this account's limiter: call it before every request."""
    save_secret: Callable[[str, str], None]
    """Keep a rotated secret (auth field name, new text): committed before it is used."""
    is_cancelled: Callable[[], bool]
    now: Callable[[], datetime]


@frozen
class ProviderType(Generic[C, A]):
    """A kind of external system."""

    name: str
    """As in `Provider: HubSpot`."""
    config: type[C]
    """attrs class of `Configuration`; wire keys are its field names in PascalCase."""
    auth: type[A]
    """attrs class of `AuthConfiguration`; secret fields are typed `Secret`."""
    open: Callable[[Connection[C, A]], Source]
    label: str = ""
    directions: frozenset[Direction] = frozenset({"Pull"})
    overlap: timedelta = timedelta(minutes=5)
    """Subtracted from a Timestamp watermark, for sources that show changes late."""
    page_size: int = 100
    rate: tuple[int, timedelta] | None = None
    """Requests per period and connection; the config key `RateLimit` overrides the number."""
    discovers: Literal["schema", "sample"] = "schema"
    """`sample`: fields are only those of some records, so that one which is missing proves nothing."""
    default_field_maps: Mapping[str, Sequence[FieldMap]] = field(factory=dict)
    """By object name; needs no connection."""


# --- Transforms ----------------------------------------------------------------------------------


class Step(Protocol):
    """A compiled transform: works on a whole column of values."""

    def apply(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        """Return as many values in the same order; the inputs are never changed.

        Raises `TransformError` for a value that cannot be transformed: the kernel then calls again with one value at a
        time, to find which. A step that has a `close()` is closed at the end of a run. A step that reads other fields of
        the records names them in an attribute `reads: tuple[str, ...]`, so that they are fetched.
        """


@frozen
class TransformType(Generic[C]):
    """A kind of transform step."""

    name: str
    config: type[C]
    compile: Callable[[C], Step]
    """Called when a map is saved (`ConfigError`: a bad pattern) and once per run."""
    sees: Literal["values", "nulls", "absent"] = "values"
    """What reaches `apply`: values only; also nulls; also `ABSENT`. The rest passes by."""
    inverse: Callable[[C], Step] | None = None
    """The way back, for `Direction: Both`. None: not invertible."""


# --- Matching ------------------------------------------------------------------------------------


class Matcher(Protocol):
    """Finds the rows that an unlinked record may be."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Entity fields that are matched on: they should be indexed, and concurrent creates are checked on them."""

    def candidates(self, records: Sequence[MappedRecord], rows: Rows) -> Sequence[Sequence[RowKey]]:
        """Return candidate keys per record, in order. Blank or missing values match nothing."""


@frozen
class MatchType(Generic[C]):
    """A match strategy."""

    name: str
    config: type[C]
    """attrs class of `MatchStrategy` without Strategy, FallbackStrategy and DuplicateHandling."""
    compile: Callable[[C, EntityMap], Matcher]


# --- Notification, secrets -----------------------------------------------------------------------


@frozen
class Notice:
    """Something a person should know."""

    kind: Literal["failed", "partial", "recovered", "auth", "deletes_guarded", "conflicts", "schema_drift", "stale"]
    title: str
    text: str
    connection: str
    run_id: str | None
    facts: Mapping[str, JSON]
    """Counts and first errors; never a secret, no record values."""


class Notifier(Protocol):
    """Sends notices."""

    def notify(self, notice: Notice) -> None: ...


@frozen
class NotifierType(Generic[C]):
    """A way to tell people."""

    name: str
    config: type[C]
    open: Callable[[C], Notifier]


@frozen
class SecretType:
    """Resolves references such as `env:NAME`; `resolve` gets what follows the colon and raises `ConfigError`."""

    scheme: str
    resolve: Callable[[str], str]
    """Asked at every open, so that a rotated secret is seen."""
    save: Callable[[str, str], None] | None = None


# --- Execution, attribution ----------------------------------------------------------------------


class Executor(Protocol):
    """Runs requests side by side."""

    def run(self, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]) -> Iterator[SyncResult]:
        """Yield results as runs end. `runner` never raises for a failed run."""

    def gather(self, tasks: Sequence[Callable[[], T]]) -> Sequence[T]:
        """Run independent parts of one run side by side in this process; results in order, the first error raised."""


@frozen
class ExecutorType(Generic[C]):
    """A way to run."""

    name: str
    config: type[C]
    open: Callable[[C], Executor]


@frozen
class Attribution:
    """Who made a change, why we think so, and how sure we are (0 to 1)."""

    origin: str
    evidence: str
    confidence: float


class Attributor(Protocol):
    """Finds out who made changes."""

    def attribute(self, changes: Sequence[RowChange]) -> Sequence[Attribution | None]: ...


@frozen
class AttributorType:
    """A way to find out."""

    name: str
    open: Callable[[Store], Attributor]
