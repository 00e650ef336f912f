"""One database: its connections, its transactions, and its errors in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import RLock
from typing import Any, cast

import sqlalchemy as sa
from attrs import define, field
from sqlalchemy.pool import StaticPool

from mj_storage_sql.grid import Bulk
from mj_storage_sql.postgresql import PostgreSQLBulk
from mj_storage_sql.sqlite import SQLiteBulk
from mj_storage_sql.values import DialectName
from mjcore.errors import ConfigError, RowRefused, StoreError

BUSY = 30.0
"""Seconds that a writer waits for another one."""
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "cache_size = -4000",
    "temp_store = FILE",
    "wal_autocheckpoint = 4000",
)
POOL = {"pool_size": 10, "max_overflow": 20}
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "idle_in_transaction_session_timeout": "30s",  # below the lease's expiry: who is frozen inside a transaction blocks nobody
    "lock_timeout": "20s",
    "client_min_messages": "warning",
    "enable_seqscan": "off",  # every look-up is by key: read the whole table only where it has no index
    "enable_mergejoin": "off",
    "jit": "off",
}


@define
class Database:
    """Hands out connections: `ask` for single questions, `read` and `write` for one transaction, `write` with its locks first."""

    url: sa.URL
    engine: sa.Engine
    dialect: DialectName
    bulk: Bulk
    asked: sa.Engine
    """The same connections without BEGIN and COMMIT: to a PostgreSQL far away, each of them is a way there and back."""
    _lock: Any = field(factory=nullcontext)
    """In memory there is one connection, which threads take in turns."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection. Raises `StoreError`."""
        with self._lock, translated(self.engine), self.engine.connect() as connection:
            yield connection
            connection.commit()

    @contextmanager
    def ask(self) -> Iterator[sa.Connection]:
        """Yield a connection for questions, each a transaction of its own. Raises `StoreError`."""
        with self._lock, translated(self.engine), self.asked.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Yield a connection whose transaction is committed at the end, or rolled back on any error. Raises `StoreError`."""
        with self._lock, translated(self.engine), self.engine.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            except BaseException:
                _roll_back(connection)
                raise

    def close(self) -> None:
        self.engine.dispose()


def _roll_back(connection: sa.Connection) -> None:
    """Also where COMMIT itself was refused, which leaves SQLite's transaction open; a connection that is gone is forgotten."""
    try:
        driver(connection).rollback()
    except Exception:  # noqa: BLE001 - what went wrong before is what people must see
        connection.invalidate()


def driver(connection: sa.Connection) -> Any:
    """Return the driver's own connection, inside the same transaction: for statements over many rows."""
    return connection.connection.driver_connection


# --- Opening -----------------------------------------------------------------------------------------


def open_database(text: str) -> Database:
    """Open by URL. `ConfigError`: malformed, or of another kind."""
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise ConfigError("mj-storage-sql: not a URL; write sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    url = url.set(drivername="postgresql+psycopg")
    options = " ".join(f"-c {key}={value}" for key, value in SETTINGS.items())
    arguments = {"options": options, "application_name": "mjcore"}
    # no column of hstore is known to mean anything: not asked for with every first connection
    engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, use_native_hstore=False, **POOL)
    return Database(url, engine, "postgresql", PostgreSQLBulk(), engine.execution_options(isolation_level="AUTOCOMMIT"))


def _sqlite(url: sa.URL) -> Database:
    url = url.set(drivername="sqlite+pysqlite")
    is_memory = url.database in (None, "", ":memory:")
    arguments = {"timeout": BUSY, "isolation_level": None, "check_same_thread": False}
    pool: dict[str, Any] = (
        {"poolclass": StaticPool} if is_memory else {"pool_size": 10, "max_overflow": 20, "pool_use_lifo": True}
    )
    engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, **pool)
    sa.event.listen(engine, "connect", _prepare)
    return Database(url, engine, "sqlite", SQLiteBulk(), engine, RLock() if is_memory else nullcontext())


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


# --- Errors ------------------------------------------------------------------------------------------


@contextmanager
def translated(engine: sa.Engine) -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers raise into `StoreError`, without the values of the statement."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        if isinstance(getattr(error, "orig", None) or error, refusals(engine)):
            raise RowRefused(reason(error)) from error
        raise StoreError(f"mj-storage-sql: {engine.url.render_as_string(hide_password=True)}: {reason(error)}") from error


def refusals(engine: sa.Engine) -> tuple[type[Exception], ...]:
    """Return the errors that tell of a row, not of the database: constraints, ranges, what triggers raise."""
    driver_module = engine.dialect.loaded_dbapi
    general = (driver_module.IntegrityError, driver_module.DataError)
    if engine.dialect.name == "sqlite":
        return general
    return (*general, driver_module.errors.RaiseException, driver_module.errors.ProgramLimitExceeded)


def reason(error: BaseException) -> str:
    """Return what the database said, without the statement."""
    fault = getattr(error, "orig", None) or error
    diagnosis = getattr(fault, "diag", None)
    if diagnosis is not None and diagnosis.message_primary:
        return cast("str", diagnosis.message_primary + (f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""))
    return str(fault).partition("\n")[0] or type(fault).__name__
