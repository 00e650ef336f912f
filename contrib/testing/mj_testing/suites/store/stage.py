"""The store under test, migrated, on a database that can be looked into."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mj_testing.databases import Database
from mj_testing.proof import broken, raised
from mj_testing.suites.plugin import PluginSuite
from mjcore.store import Store


class Databases(PluginSuite):
    """What the rules of stores share."""

    made: Database
    store: Store

    @pytest.fixture
    def database(self) -> Database:
        """Return an empty database. Override it as a fixture."""
        raise NotImplementedError("override the fixture `database`: it returns a subclass of mj_testing.databases.Database")

    @pytest.fixture(autouse=True)
    def _migrated(self, database: Database) -> Iterator[None]:
        """Open and migrate; take everything down at the end."""
        self.made, self.store = database, database.open()
        self.store.migrate()
        yield
        database.close()

    def refused(self, error: type[Exception], call: Callable[[], Any], **facts: Any) -> None:
        """Check that a call raises this error, and that nothing of it is in the database."""
        before = self.made.dump()
        try:
            call()
        except error:
            pass
        except Exception as other:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=other, **facts, seen=f"raised {raised(other)} instead of {error.__name__}")
        else:
            broken(**facts, seen=f"it was done; {error.__name__} expected")
        after = self.made.dump()
        if changed := sorted(name for name in {*before, *after} if before.get(name) != after.get(name)):
            broken(**facts, seen=f"{error.__name__} was raised, and yet {', '.join(changed)} changed")
