from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import mj_storage_sql
import pytest
from attrs import frozen
from mj_testing.suites import Database, StoreSuite

from mjcore.store import Store

EVENTS = ("INSERT", "UPDATE", "DELETE")


@frozen
class Around(Database):
    """A database of the other tests of this folder, as the suite wants it."""

    inner: Any
    databases: Any

    def open(self) -> Store:
        return self.inner.open()  # type: ignore[no-any-return]

    def dump(self) -> Mapping[str, Sequence[Any]]:
        return self.inner.dump()  # type: ignore[no-any-return]

    @contextmanager
    def forbid(self, table: str) -> Iterator[None]:
        if self.inner.kind == "sqlite":
            made = [f"CREATE TRIGGER x{e} BEFORE {e} ON {table} BEGIN SELECT RAISE(ABORT, 'forbidden'); END" for e in EVENTS]
            dropped = [f"DROP TRIGGER x{e}" for e in EVENTS]
        else:
            body = "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
            made = [body, *(f"CREATE TRIGGER x{e} BEFORE {e} ON {table} FOR EACH ROW EXECUTE FUNCTION fail()" for e in EVENTS)]
            dropped = [f"DROP TRIGGER x{e} ON {table}" for e in EVENTS]
        self.inner.execute(*made)
        yield
        self.inner.execute(*dropped)

    def close(self) -> None:
        self.databases.drop(self.inner)


class OnDatabase(StoreSuite):
    plugin = mj_storage_sql
    kind: ClassVar[str]

    @pytest.fixture
    def database(self, databases: Any) -> Database:
        return Around(databases.empty(self.kind), databases)


class TestSQLite(OnDatabase):
    kind = "sqlite"


class TestPostgreSQL(OnDatabase):
    kind = "postgresql"
    examples = 40
