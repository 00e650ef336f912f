"""A sound store on SQLite, and one around it for each rule of stores that breaks this rule alone."""

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
from attrs import evolve
from mj_storage_sql import open_store
from mj_testing.suites import Database, StoreSuite

from mjcore.errors import LeaseHeld, RowsMoved, StoreError
from mjcore.hookspecs import hookimpl
from mjcore.ids import new_id
from mjcore.models import Company, EntityMap
from mjcore.store import StoreType

EVENTS = ("INSERT", "UPDATE", "DELETE")


class Store:
    """All that a store does, by another one."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


@cache
def migrated():
    """Return the content of a database that is migrated: migrating each one would take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/it.db")
        store.migrate()
        store.close()
        return Path(f"{folder}/it.db").read_bytes()


class File(Database):
    def __init__(self, kind):
        self.kind, self.stores = kind, []
        self.folder = tempfile.TemporaryDirectory()
        self.path = f"{self.folder.name}/it.db"
        Path(self.path).write_bytes(migrated())

    def open(self):
        self.stores.append(self.kind(open_store(f"sqlite:///{self.path}")))
        return self.stores[-1]

    def execute(self, *statements):
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as connection:
            return [connection.execute(statement).fetchall() for statement in statements][-1]

    def dump(self):
        tables = [name.replace('"', '""') for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, self.execute(f'SELECT * FROM "{name}"'))) for name in tables}

    @contextmanager
    def forbid(self, table):
        self.execute(*(f"CREATE TRIGGER x{e} BEFORE {e} ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END" for e in EVENTS))
        yield
        self.execute(*(f"DROP TRIGGER x{e}" for e in EVENTS))

    def close(self):
        for store in self.stores:
            store.close()
        self.folder.cleanup()


class Plugin:
    @hookimpl
    def mj_store_types(self):
        return [StoreType("sabotaged", ("sabotaged",), open_store)]


class Sabotage(StoreSuite):
    breaks = ""
    plugin = Plugin()
    kind = Store
    lacks = {"packaging": "it is a class of a test", "lightness": "its module is a test"}

    @property
    def examples(self):
        return 60 if not self.breaks or self.proof.key.endswith(self.breaks) else 10

    @pytest.fixture
    def database(self):
        return File(self.kind)


class TestSound(Sabotage):
    pass


# --- Commits --------------------------------------------------------------------------------------------


class Peaceful(Store):
    def commit(self, context, write, lease):
        self.inner.commit(context, evolve(write, conflicts=()), lease)


class TestPeaceful(Sabotage):
    breaks = "test_a_batch_writes_all_that_it_holds"
    kind = Peaceful


class InTwo(Store):
    def commit(self, context, write, lease):
        rest = {"failed": (), "cleared": (), "conflicts": (), "seen": (), "staged_deletes": {}}
        self.inner.commit(context, evolve(write, **rest), lease)
        self.inner.commit(context, evolve(write, changes=(), links=()), lease)


class TestInTwo(Sabotage):
    breaks = "test_a_batch_is_all_or_nothing"
    kind = InTwo


class Stubborn(Store):
    """Deletes what it was told to delete, whatever became of it."""

    def commit(self, context, write, lease):
        try:
            self.inner.commit(context, write, lease)
        except RowsMoved:
            deletes = [change.key for change in write.changes if change.kind == "delete"]
            rows = self.inner.read(context.entity, deletes, tuple(column.name for column in context.entity.fields))
            changes = [evolve(c, old=rows[c.key]) if c.key in rows and c.kind == "delete" else c for c in write.changes]
            self.inner.commit(context, evolve(write, changes=changes), lease)


class TestStubborn(Sabotage):
    breaks = "test_rows_that_moved_are_not_overwritten"
    kind = Stubborn


class Trusting(Store):
    def commit(self, context, write, lease):
        self.inner.commit(context, evolve(write, changes=[evolve(change, unique_on=()) for change in write.changes]), lease)


class TestTrusting(Sabotage):
    breaks = "test_a_match_key_is_taken_once"
    kind = Trusting


class Forgetful(Store):
    def changes(self, **where):
        return (evolve(change, rule="link") for change in self.inner.changes(**where))


class TestForgetful(Sabotage):
    breaks = "test_every_change_is_audited"
    kind = Forgetful


class Pushing(Store):
    """Writes a single update over whatever is there by now."""

    def commit(self, context, write, lease):
        while True:
            try:
                return self.inner.commit(context, write, lease)
            except RowsMoved:
                if len(write.changes) != 1 or write.changes[0].kind != "update":
                    raise
                (change,) = write.changes
                row = self.inner.read(context.entity, [change.key], tuple(change.new))[change.key]
                write = evolve(write, changes=[evolve(change, old={name: row[name] for name in change.new})])


class TestPushing(Sabotage):
    breaks = "test_concurrent_writers_lose_nothing"
    kind = Pushing


# --- Leases ---------------------------------------------------------------------------------------------


class Discreet(Store):
    def acquire(self, connection, holder, ttl, is_gone):
        try:
            return self.inner.acquire(connection, holder, ttl, is_gone)
        except LeaseHeld as held:
            raise LeaseHeld(connection.name, "somebody", held.until) from None


class TestDiscreet(Sabotage):
    breaks = "test_a_held_connection_is_refused"
    kind = Discreet


class Standing(Store):
    fences = {}

    def acquire(self, connection, holder, ttl, is_gone):
        lease = self.inner.acquire(connection, holder, ttl, is_gone)
        return evolve(lease, fence=self.fences.setdefault(connection.id, lease.fence))


class TestStanding(Sabotage):
    breaks = "test_fences_grow"
    kind = Standing


class Unfenced(Store):
    def save(self, objects, remove=(), lease=None):
        self.inner.save(objects, remove)


class TestUnfenced(Sabotage):
    breaks = "test_who_lost_the_lease_writes_nothing"
    kind = Unfenced


class Short(Store):
    def renew(self, lease, ttl):
        return evolve(self.inner.renew(lease, ttl), expires_at=lease.expires_at)


class TestShort(Sabotage):
    breaks = "test_a_lease_is_renewed_by_its_holder"
    kind = Short


class Rude(Store):
    def acquire(self, connection, holder, ttl, is_gone):
        try:
            return self.inner.acquire(connection, holder, ttl, is_gone)
        except LeaseHeld:
            if not holder.startswith("holder"):
                raise
            return self.inner.acquire(connection, holder, ttl, lambda _: True)


class TestRude(Sabotage):
    breaks = "test_of_many_one_gets_it"
    kind = Rude


# --- Values ---------------------------------------------------------------------------------------------


def tidied(value):
    return value.strip() if isinstance(value, str) else value


class Tidy(Store):
    def read(self, entity, keys, fields):
        rows = self.inner.read(entity, keys, fields)
        return {key: {name: tidied(value) for name, value in row.items()} for key, row in rows.items()}


class TestTidy(Sabotage):
    breaks = "test_values_are_kept"
    kind = Tidy


class Rows(Store):
    def find(self, fields, keys):
        return self.inner.find(fields, [key for key in keys if not isinstance(key[0], bool)])


class Doubting(Store):
    def rows(self, entity):
        return Rows(self.inner.rows(entity))


class TestDoubting(Sabotage):
    breaks = "test_rows_are_found_by_value"
    kind = Doubting


class Unquoted(Store):
    def ensure(self, entity, indexes=()):
        if any('"' in column.name for column in entity.fields):
            raise StoreError("syntax error")
        self.inner.ensure(entity, indexes)


class TestUnquoted(Sabotage):
    breaks = "test_names_are_quoted"
    kind = Unquoted


class Shuffling(Store):
    def load(self, kind, **where):
        found = self.inner.load(kind, **where)
        return [evolve(each, field_maps=each.field_maps[::-1]) for each in found] if kind is EntityMap else found


class TestShuffling(Sabotage):
    breaks = "test_metadata_is_kept"
    kind = Shuffling


class Restless(Store):
    def migrate(self):
        self.inner.migrate()
        if self.inner.load(Company):
            self.inner.save([Company(new_id(), "Migrated")])


class TestRestless(Sabotage):
    breaks = "test_another_store_finds_everything"
    kind = Restless
