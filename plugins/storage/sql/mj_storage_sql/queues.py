"""The queues and the past, streamed in pages by key: nothing stays open between them, whatever is written meanwhile."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from mj_storage_sql.database import Database
from mj_storage_sql.grid import Grid
from mj_storage_sql.reading import PAGE
from mj_storage_sql.shapes import key_codecs
from mj_storage_sql.tables import CHANGE, CONFLICT, FAILED, LINK, SEEN
from mj_storage_sql.values import Codec, key_to_text, text_to_key
from mjcore.compare import from_json
from mjcore.errors import StoreError
from mjcore.history import FailedRecord, RecordChange
from mjcore.models import Entity, SyncContext
from mjcore.records import JSON, Conflict, Fields


def failed(database: Database, context: SyncContext, *, of_earlier_runs: bool) -> Iterator[FailedRecord]:
    """Stream the failed-record ledger of one map."""
    query = sa.select(FAILED).where(FAILED.c.entity_map_id == context.entity_map.id)
    if of_earlier_runs:
        query = query.where(FAILED.c.run_id != context.run_id)
    for row in _pages(database, query, (FAILED.c.fingerprint,)):
        yield FailedRecord(
            row.fingerprint,
            row.external_id,
            row.stage,
            row.code,
            row.message,
            None if row.raw is None else from_json(row.raw),
            row.attempts,
            row.run_id,
            row.first_failed_at,
            row.last_failed_at,
        )


def discard(database: Database, context: SyncContext, ids: Sequence[str]) -> None:
    """Remove entries of the ledger."""
    with database.write() as cx:
        for fingerprint in ids:
            mine = (FAILED.c.entity_map_id == context.entity_map.id, FAILED.c.fingerprint == fingerprint)
            cx.execute(sa.delete(FAILED).where(*mine))


def answer(database: Database, conflicts: Sequence[Conflict]) -> None:
    """Keep the answers of conflicts."""
    with database.write() as cx:
        for conflict in conflicts:
            mine = (CONFLICT.c.entity_map_id == conflict.entity_map_id, CONFLICT.c.external_id == conflict.external_id)
            cx.execute(sa.update(CONFLICT).where(*mine).values(answer=conflict.answer))


def pages_of(database: Database, ids: sa.Column[str], where: Sequence[sa.ColumnElement[bool]]) -> Iterator[list[str]]:
    """Stream ids in their order, a page at a time. Two tables are not joined: planners without statistics go astray."""
    query, after = sa.select(ids).where(*where).order_by(ids).limit(PAGE), None
    while True:
        with database.ask() as cx:
            page = list(cx.execute(query if after is None else query.where(ids > after)).scalars())
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1]


def unseen(database: Database, entity_map_id: str) -> Iterator[list[str]]:
    """Stream the ids of live links that are not staged, a page at a time. Both sides of a page are bounded: see above."""
    linked, staged, after = LINK.c.external_id, SEEN.c.external_id, ""
    live = (LINK.c.entity_map_id == entity_map_id, ~LINK.c.is_tombstone)
    mine = (SEEN.c.entity_map_id == entity_map_id, SEEN.c.kind.in_(("seen", "deleted")))
    ends = sa.select(linked).where(*live).order_by(linked).offset(PAGE - 1).limit(1)
    while True:
        with database.ask() as cx:
            last = cx.execute(ends.where(linked > after)).scalar()
            page = [sa.select(ids).where(*of, ids > after) for ids, of in ((linked, live), (staged, mine))]
            if last is not None:
                page = [side.where(side.selected_columns[0] <= last) for side in page]
            yield list(cx.execute(sa.except_(*page).order_by("external_id")).scalars())
        if last is None:
            return
        after = last


class History:
    """Reads conflicts and changes, whose values need the columns of their entities to be understood."""

    def __init__(self, database: Database, entity_of: Callable[[str], tuple[Entity, Grid]]) -> None:
        self._database, self._entity_of = database, entity_of

    def conflicts(self, where: Mapping[str, JSON]) -> Iterator[Conflict]:
        query = sa.select(CONFLICT).where(*_conditions(CONFLICT, where, self._entities(where)))
        entity_of = cache(self._entity_of)
        for row in _pages(self._database, query, (CONFLICT.c.entity_map_id, CONFLICT.c.external_id)):
            entity, grid = entity_of(row.entity_id)
            key = text_to_key(key_codecs(entity, grid), row.record_key) if row.record_key else ()
            base, source, current = (_values(grid, v) for v in (row.base, row.source, row.current))
            yield Conflict(row.external_id, key, base, source, current, row.entity_map_id, row.answer, row.is_deleted)

    def changes(self, where: Mapping[str, Any], *, newest_first: bool) -> Iterator[RecordChange]:
        narrowed = dict(where)
        query = sa.select(CHANGE).where(CHANGE.c.id > narrowed.pop("after", 0))
        keys = narrowed.pop("keys", [narrowed.pop("key")] if "key" in narrowed else None)
        if keys is not None:
            entity, grid = self._entity_of(str(where["entity"]))
            codecs = key_codecs(entity, grid)
            query = query.where(CHANGE.c.record_key.in_([key_to_text(codecs, key) for key in keys]))
        query = query.where(*_conditions(CHANGE, narrowed, self._entities(where)))
        entity_of = cache(self._entity_of)
        for row in _pages(self._database, query, (CHANGE.c.id,), descending=newest_first):
            entity, grid = entity_of(row.entity_id)
            key = text_to_key(key_codecs(entity, grid), row.record_key)
            old, new = _values(grid, row.old), _values(grid, row.new)
            yield RecordChange(
                *(row.id, row.kind, row.entity_id, key, old, new, row.external_id, row.rule),
                *(row.run_id, row.entity_map_id, row.map_version, row.origin, row.changed_at),
            )

    def _entities(self, where: Mapping[str, JSON]) -> Sequence[str]:
        """An entity is named as in the metadata."""
        return [self._entity_of(str(where["entity"]))[0].id] if "entity" in where else []


def _conditions(table: sa.Table, where: Mapping[str, JSON], entities: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    for name, value in where.items():
        if name == "entity":
            yield table.c.entity_id.in_(entities)
        elif name in table.c:
            yield table.c[name] == value
        else:
            raise StoreError(f"mj-storage-sql: {table.name} cannot be narrowed by {name!r}")


def _values(grid: Grid, values: Mapping[str, Any]) -> Fields:
    """Turn JSON back into what the columns hold; of a column that is gone, what JSON has."""
    return {name: _value(grid.codecs.get(name), value) for name, value in values.items()}


def _value(codec: Codec | None, value: Any) -> Any:
    if codec is None or value is None or codec.kind == "json":
        return value
    return codec.of_text(value) if isinstance(value, str) else value


def _pages(
    database: Database, query: sa.Select[Any], order: Sequence[sa.ColumnElement[Any]], *, descending: bool = False
) -> Iterator[Any]:
    after: tuple[Any, ...] | None = None
    ordered = query.order_by(*(column.desc() if descending else column for column in order)).limit(PAGE)
    while True:
        page = ordered
        if after is not None:
            key, last = sa.tuple_(*order), sa.tuple_(*map(sa.literal, after))
            page = ordered.where(key < last if descending else key > last)
        with database.ask() as cx:
            rows = cx.execute(page).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = tuple(getattr(rows[-1], column.key or "") for column in order)
