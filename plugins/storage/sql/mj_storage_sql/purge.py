"""Ends the retention of one connection's past: what its trail, its queues and its runs hold from before a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from attrs import frozen

from mj_storage_sql.database import Database
from mj_storage_sql.leases import prove
from mj_storage_sql.tables import CHANGE, CONFLICT, ENTITY_MAP, FAILED, LINK, RUN, RUN_DETAIL, WATERMARK
from mjcore.history import PURGED_BEFORE, UNDONE, Purged
from mjcore.models import CompanyIntegration
from mjcore.pausing import UNDO
from mjcore.records import Lease

BATCH = 1000
"""Entries of one transaction."""
TIMES = {"changes": CHANGE.c.changed_at, "failed_records": FAILED.c.last_failed_at, "conflicts": CONFLICT.c.queued_at}
"""By kind of entry: what tells how old it is."""
UNDECIDED = sa.select(sa.literal(1)).where(
    LINK.c.entity_id == CHANGE.c.entity_id, LINK.c.record_key == CHANGE.c.record_key, sa.func.length(LINK.c.content_hash) == 0
)
AWAITED = sa.and_(CHANGE.c.rule == UNDONE, sa.exists(UNDECIDED).correlate(CHANGE))
"""What an undo put back is the base of the next decision: it stays until that is made."""


@frozen
class Purge:
    """The past of one connection before a time."""

    database: Database
    connection: CompanyIntegration
    before: datetime

    def count(self) -> Purged:
        """Return how many entries go."""
        with self.database.read() as cx:
            maps = self._maps(cx)
            counts = {
                kind: cx.execute(sa.select(sa.func.count()).select_from(time.table).where(*self._old(time, maps))).scalar_one()
                for kind, time in TIMES.items()
            }
            removable = self._removable(cx, maps).subquery()
            return Purged(**counts, runs=cx.execute(sa.select(sa.func.count()).select_from(removable)).scalar_one())

    def run(self, lease: Lease) -> Iterator[Purged]:
        """Remove them, runs last; yield what each transaction has removed."""
        with self.database.read() as cx:
            maps = self._maps(cx)
        yield from self._mark(lease)
        for kind, time in TIMES.items():
            yield from (Purged(**{kind: count}) for count in self._remove(time, maps, lease))
        yield from self._remove_runs(maps, lease)

    def _maps(self, cx: sa.Connection) -> Sequence[str]:
        mine = ENTITY_MAP.c.company_integration_id == self.connection.id
        return cx.execute(sa.select(ENTITY_MAP.c.id).where(mine)).scalars().all()

    def _old(self, time: sa.Column[Any], maps: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
        old = (time.table.c.entity_map_id.in_(maps), time < self.before)
        return (*old, ~AWAITED) if time.table is CHANGE else old

    def _remove(self, time: sa.Column[Any], maps: Sequence[str], lease: Lease) -> Iterator[int]:
        """Remove entries of one table in the order of their keys."""
        columns, old = tuple(time.table.primary_key.columns), self._old(time, maps)
        key, ordered = sa.tuple_(*columns), sa.select(*columns).where(*old).order_by(*columns)
        last: tuple[Any, ...] | None = None
        while True:
            rest = [key > sa.tuple_(*map(sa.literal, last))] if last else []
            with self.database.write() as cx:
                prove(cx, lease)
                keys = cx.execute(ordered.where(*rest).limit(BATCH)).all()
                if not keys:
                    return
                last = tuple(keys[-1])
                cx.execute(sa.delete(time.table).where(*old, *rest, key <= sa.tuple_(*map(sa.literal, last))))
            yield len(keys)

    # --- runs ---------------------------------------------------------------------------------------

    def _mark(self, lease: Lease) -> Iterator[Purged]:
        """Mark every run that began before, so that none is undone in part, whatever ends the purge."""
        began = (RUN.c.company_integration_id == self.connection.id, RUN.c.started_at < self.before)
        last, mark = "", self.before.isoformat()
        while True:
            page = sa.select(RUN.c.id, RUN.c.configuration).where(*began, RUN.c.id > last).order_by(RUN.c.id).limit(BATCH)
            with self.database.write() as cx:
                prove(cx, lease)
                runs = cx.execute(page).all()
                if not runs:
                    return
                marked = sa.update(RUN).where(RUN.c.id == sa.bindparam("of")).values(configuration=sa.bindparam("said"))
                cx.execute(marked, [{"of": run.id, "said": _marked(run.configuration, mark)} for run in runs])
                mine = (RUN_DETAIL.c.integration_run_id.in_([run.id for run in runs]), RUN_DETAIL.c.completed_at < self.before)
                cx.execute(sa.update(RUN_DETAIL).where(*mine).values(details={}))  # messages may quote records
            last = runs[-1].id
            yield Purged()

    def _remove_runs(self, maps: Sequence[str], lease: Lease) -> Iterator[Purged]:
        while True:
            with self.database.write() as cx:
                prove(cx, lease)
                removable = self._removable(cx, maps).subquery()
                ids = cx.execute(sa.select(removable.c.id).limit(BATCH)).scalars().all()
                if not ids:
                    return
                cx.execute(sa.delete(RUN_DETAIL).where(RUN_DETAIL.c.integration_run_id.in_(ids)))
                cx.execute(sa.delete(RUN).where(RUN.c.id.in_(ids)))
            yield Purged(runs=len(ids))

    def _removable(self, cx: sa.Connection, maps: Sequence[str]) -> sa.CompoundSelect[Any]:
        """Select the runs that ended before and that nothing names which stays."""
        mine, stays = RUN.c.company_integration_id == self.connection.id, sa.or_(CHANGE.c.changed_at >= self.before, AWAITED)
        older = (mine, RUN.c.completed_at < self.before, RUN.c.id.not_in(self._undone(cx)))
        changed = sa.exists(sa.select(sa.literal(1)).where(CHANGE.c.run_id == RUN.c.id, stays)).correlate(RUN)
        detail, position = RUN_DETAIL.c, WATERMARK.c
        newest_of_maps = sa.select(sa.func.max(detail.integration_run_id)).group_by(detail.entity_map_id)
        return sa.except_(
            sa.select(RUN.c.id).where(*older, ~changed),
            sa.select(LINK.c.run_id).where(LINK.c.entity_map_id.in_(maps)),
            sa.select(FAILED.c.run_id).where(FAILED.c.entity_map_id.in_(maps), FAILED.c.last_failed_at >= self.before),
            sa.select(CONFLICT.c.run_id).where(CONFLICT.c.entity_map_id.in_(maps), CONFLICT.c.queued_at >= self.before),
            *(sa.select(column).where(position.entity_map_id.in_(maps)) for column in (position.run_id, position.closed_by)),
            sa.select(sa.func.max(RUN.c.id)).where(mine),
            newest_of_maps.where(detail.entity_map_id.in_(maps), detail.started_at < self.before),
        )

    def _undone(self, cx: sa.Connection) -> Sequence[str]:
        """Return the runs that later undos name."""
        later = sa.or_(RUN.c.completed_at.is_(None), RUN.c.completed_at >= self.before)
        is_undo = sa.type_coerce(RUN.c.configuration, sa.Text).like(f'%"{UNDO}":%')
        query = sa.select(RUN.c.configuration).where(RUN.c.company_integration_id == self.connection.id, later, is_undo)
        return [str(configuration[UNDO]) for (configuration,) in cx.execute(query) if UNDO in configuration]


def _marked(configuration: dict[str, Any], mark: str) -> dict[str, Any]:
    """Return what a run was asked, with the latest time of a purge."""
    told = configuration.get(PURGED_BEFORE)
    is_later = told is None or datetime.fromisoformat(told) < datetime.fromisoformat(mark)
    return {**configuration, PURGED_BEFORE: mark if is_later else told}
