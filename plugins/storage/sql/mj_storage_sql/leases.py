"""The right to write for one connection: taken, prolonged, given back, and proven inside each commit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from attrs import evolve

from mj_storage_sql.database import Database
from mj_storage_sql.tables import LEASE, Instant
from mjcore.errors import LeaseHeld, LeaseLost, StoreError
from mjcore.models import CompanyIntegration, IntegrationRun
from mjcore.records import Lease

FREE = sa.text(
    f"INSERT INTO {LEASE.name} (company_integration_id, holder, fence, expires_at) "
    "VALUES (:connection, NULL, 0, :now) ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("now", type_=Instant))


def acquire(
    database: Database, connection: CompanyIntegration, holder: str, ttl: timedelta, is_gone: Callable[[str], bool]
) -> Lease:
    """Take the connection, or raise `LeaseHeld`."""
    try:
        with database.write() as cx:
            return _take(cx, connection, holder, ttl, is_gone)
    except LeaseHeld:
        raise
    except StoreError as error:
        if "locked" in str(error) or "lock timeout" in str(error):
            raise _blocked(database, connection, error) from error
        raise


def _take(
    cx: sa.Connection, connection: CompanyIntegration, holder: str, ttl: timedelta, is_gone: Callable[[str], bool]
) -> Lease:
    now = _now(cx)
    mine = LEASE.c.company_integration_id == connection.id
    seen = cx.execute(sa.select(LEASE).where(mine)).first()
    if seen is None:
        _insert_free(cx, connection, now)
    else:  # asked before waiting for a lock that its holder may have
        _refuse_if_held(connection, seen, now, is_gone)
    row = cx.execute(sa.select(LEASE).where(mine).with_for_update()).one()
    _refuse_if_held(connection, row, now, is_gone)
    lease = Lease(connection.id, holder, row.fence + 1, now + ttl)
    cx.execute(sa.update(LEASE).where(mine).values(holder=holder, fence=lease.fence, expires_at=lease.expires_at, cancelled=None))
    return lease


def _refuse_if_held(connection: CompanyIntegration, row: sa.Row[Any], now: datetime, is_gone: Callable[[str], bool]) -> None:
    if row.holder is not None and row.expires_at > now and not is_gone(row.holder):
        raise LeaseHeld(connection.name, row.holder, row.expires_at)


def _insert_free(cx: sa.Connection, connection: CompanyIntegration, now: datetime) -> None:
    """Two processes may do so at once: the second finds the row of the first."""
    cx.execute(FREE, {"connection": connection.id, "now": now})


def _blocked(database: Database, connection: CompanyIntegration, error: StoreError) -> StoreError:
    """Say who sits inside a transaction: SQLite has one writer at a time, whose lock does not expire; PostgreSQL ends it."""
    with database.ask() as cx:
        row = cx.execute(sa.select(LEASE).where(LEASE.c.company_integration_id == connection.id)).first()
    if row is None or row.holder is None:
        return error
    held = LeaseHeld(connection.name, row.holder, row.expires_at)
    held.add_note("it stands inside a transaction, which blocks this file until that process goes on or is ended")
    return held


def renew(database: Database, lease: Lease, ttl: timedelta) -> Lease:
    """Prolong, or raise `LeaseLost`."""
    with database.write() as cx:
        expires_at = _now(cx) + ttl
        if cx.execute(sa.update(LEASE).where(*_of(lease)).values(expires_at=expires_at)).rowcount != 1:
            raise lost(lease)
    return evolve(lease, expires_at=expires_at)


def release(database: Database, lease: Lease) -> None:
    """Give the connection back, if it is still held."""
    with database.write() as cx:
        cx.execute(sa.update(LEASE).where(*_of(lease)).values(holder=None, expires_at=_now(cx)))


def cancel(database: Database, connection: CompanyIntegration, run: IntegrationRun) -> None:
    """Ask the holder to stop; taking the connection anew forgets it."""
    with database.write() as cx:
        mine = (LEASE.c.company_integration_id == connection.id, LEASE.c.holder.is_not(None))
        cx.execute(sa.update(LEASE).where(*mine).values(cancelled=run.id))


def is_cancelled(database: Database, lease: Lease) -> bool:
    with database.ask() as cx:
        return cx.execute(sa.select(LEASE.c.cancelled).where(*_of(lease))).scalar() is not None


def prove(cx: sa.Connection, lease: Lease) -> None:
    """Raise `LeaseLost` unless the lease is held; by an UPDATE, so that nobody takes it before this transaction ends."""
    if cx.execute(sa.update(LEASE).where(*_of(lease)).values(fence=lease.fence)).rowcount != 1:
        raise lost(lease)


def lost(lease: Lease) -> LeaseLost:
    return LeaseLost(
        f"another run took the connection over while this one (fence {lease.fence}) stood still; it wrote nothing since and ends"
    )


def _of(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    return (LEASE.c.company_integration_id == lease.connection, LEASE.c.fence == lease.fence, LEASE.c.holder == lease.holder)


def _now(cx: sa.Connection) -> datetime:
    """Return the database's clock where several machines share it."""
    if cx.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = cx.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)
