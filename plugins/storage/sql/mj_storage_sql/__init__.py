"""A store on SQLite and PostgreSQL."""

from collections.abc import Iterable

from mjcore.capabilities import Store, StoreType
from mjcore.hookspecs import hookimpl


def open_store(url: str) -> Store:
    """Open a database by its URL; it is created where SQLite has none. `ConfigError`: not a URL that this store takes."""
    from mj_storage_sql.store import SQLStore

    return SQLStore(url)


@hookimpl
def mj_store_types() -> Iterable[StoreType]:
    return [StoreType("sql", ("sqlite", "postgresql"), open_store)]
