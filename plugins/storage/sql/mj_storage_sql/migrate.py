"""Brings the engine's tables up to date. Alembic is loaded only when there is something to do."""

import sqlalchemy as sa

from mj_storage_sql.database import Database
from mjcore.errors import StoreError

HEAD = "0001"
"""The newest revision in `migrations/versions`."""
VERSION = sa.table("mj_alembic_version", sa.column("version_num"))
LOCK = 0x6D6A  # "mj": of the advisory lock


def migrate(database: Database) -> None:
    """Create the engine's tables or bring them up to date. `StoreError`: they are of a newer version than this."""
    if _is_current(database):
        return
    with database.write() as cx:
        exclusively(cx)
        if _revision(cx) != HEAD:
            _upgrade(cx)


def exclusively(cx: sa.Connection) -> None:
    """Keep others from changing the schema until this transaction ends; on SQLite there is one writer anyway."""
    if cx.dialect.name == "postgresql":
        cx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _is_current(database: Database) -> bool:
    """Ask for the revision alone, at every start; whether there is a table of it is asked where that fails."""
    with database.ask() as cx:
        try:
            return cx.execute(sa.select(VERSION.c.version_num)).scalar() == HEAD
        except sa.exc.DBAPIError:
            return False


def _revision(cx: sa.Connection) -> str | None:
    if not sa.inspect(cx).has_table(VERSION.name):
        return None
    return cx.execute(sa.select(VERSION.c.version_num)).scalar()


def _upgrade(cx: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "mj_storage_sql:migrations")
    config.attributes["connection"] = cx
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"mj-storage-sql: the database was migrated by a newer version ({_revision(cx)}); upgrade mj-storage-sql"
        ) from error
