"""What the author of a store supplies: a database, and a way around the store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from mjcore.store import Store


class Database:
    """One empty database. Subclass it; the suite makes one for every test."""

    def open(self) -> Store:
        """Return a store that is open on it, not yet migrated; several may be open at once."""
        raise NotImplementedError

    def dump(self) -> Mapping[str, Sequence[Any]]:
        """Return all rows of all tables, by table, in an order that does not depend on when they were written."""
        raise NotImplementedError

    def forbid(self, table: str) -> AbstractContextManager[None]:
        """Let every write to one table fail while the context lasts."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the stores that were opened, and remove the database."""
