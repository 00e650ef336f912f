"""What one batch asks before it is decided: links, rows, and where the entity map stands."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mj_storage_sql.database import Database, driver
from mj_storage_sql.grid import Columns, Grid
from mj_storage_sql.shapes import key_codecs, schema_and_name
from mj_storage_sql.tables import LINK, WATERMARK
from mj_storage_sql.values import Codec, key_to_text, text_to_key
from mjcore.models import Entity, SyncContext
from mjcore.records import Fields, LastSeen, Link, Position, RowKey, Value, Watermark

LINK_NAMES = (
    "external_id", "record_key", "content_hash", "source_values", "source_modified_at", "created_row", "is_tombstone",
    "map_version", "run_id",
)  # fmt: skip
PAGE = 1000
"""Rows per page of a stream: each is a statement of its own, so that nothing stays open between them."""


def position(cx: sa.Connection, context: SyncContext) -> Position:
    """Return where the entity map stands."""
    row = cx.execute(sa.select(WATERMARK).where(*_mine(context))).first()
    if row is None:
        return Position()
    return Position(
        Watermark(row.watermark_type, row.watermark_value) if row.watermark_type else None,
        row.run_id,
        row.map_version,
        Watermark(*row.since) if row.since else None,
        Watermark(*row.until) if row.until else None,
        row.checkpoint,
        row.is_full,
        row.has_gaps,
        row.closed_by,
    )


def _mine(context: SyncContext) -> tuple[sa.ColumnElement[bool], ...]:
    return (WATERMARK.c.entity_map_id == context.entity_map.id, WATERMARK.c.direction == context.direction)


# --- Links -------------------------------------------------------------------------------------------


def link_of(row: Sequence[Any], codecs: Sequence[Codec]) -> Link:
    """Return a link from a row of `LINK_NAMES`."""
    external_id, record_key, content_hash, *rest = row
    return Link(external_id, text_to_key(codecs, record_key), bytes(content_hash), *rest)


def links(database: Database, grid: Grid, entity: Grid, context: SyncContext, ids: Sequence[str]) -> Mapping[str, Link]:
    """Return the links of one map by external id, tombstones too."""
    codecs = key_codecs(context.entity, entity)
    keys = [(context.entity_map.id, external_id) for external_id in dict.fromkeys(ids)]
    with database.read() as cx:
        rows = database.bulk.select(driver(cx), grid, LINK_NAMES, ("entity_map_id", "external_id"), keys)
    return {row[0]: link_of(row, codecs) for row in rows}


def last_seen(database: Database, grid: Grid, context: SyncContext, ids: Sequence[str]) -> Mapping[str, LastSeen]:
    """Return what links know of the last delivery of their records, by external id."""
    keys = [(context.entity_map.id, external_id) for external_id in dict.fromkeys(ids)]
    names = ("external_id", "content_hash", "source_modified_at", "is_tombstone")
    with database.read() as cx:
        rows = database.bulk.select(driver(cx), grid, names, ("entity_map_id", "external_id"), keys)
    return {row[0]: LastSeen(*row[1:]) for row in rows}


def differing(database: Database, grid: Grid, context: SyncContext, seen: Mapping[str, LastSeen]) -> Sequence[str]:
    """Return the external ids whose links do not know just this."""
    ids, last = list(seen), seen.values()
    columns: Columns = [
        [context.entity_map.id] * len(ids),
        ids,
        [one.content_hash for one in last],
        [one.modified_at for one in last],
        [one.is_tombstone for one in last],
    ]
    names = ("content_hash", "source_modified_at", "is_tombstone")
    with database.read() as cx:
        return [ids[i] for i in database.bulk.absent(driver(cx), grid, ("entity_map_id", "external_id"), names, columns)]


def linked(
    database: Database, grid: Grid, entity: Grid, of: Entity, keys: Sequence[RowKey]
) -> Mapping[RowKey, Sequence[tuple[str, str]]]:
    """Return the live links of rows, of whatever map."""
    with database.read() as cx:
        return holders(database, cx, grid, entity, of, keys)


def holders(
    database: Database, cx: sa.Connection, grid: Grid, entity: Grid, of: Entity, keys: Sequence[RowKey]
) -> dict[RowKey, list[tuple[str, str]]]:
    """Return the live links of rows as (entity map id, external id), inside a transaction."""
    held: dict[RowKey, list[tuple[str, str]]] = {}
    names = ("entity_map_id", "external_id", "is_tombstone")
    for key, (entity_map_id, external_id, is_tombstone) in sorted(_of_rows(database, cx, grid, entity, of, keys, names)):
        if not is_tombstone:
            held.setdefault(key, []).append((entity_map_id, external_id))
    return held


def made_rows(database: Database, grid: Grid, entity: Grid, of: Entity, keys: Sequence[RowKey]) -> set[RowKey]:
    """Return the rows that the engine created, as any link says, tombstones too."""
    with database.read() as cx:
        found = _of_rows(database, cx, grid, entity, of, keys, ("created_row",))
    return {key for key, (created_row,) in found if created_row}


def _of_rows(
    database: Database,
    cx: sa.Connection,
    grid: Grid,
    entity: Grid,
    of: Entity,
    keys: Sequence[RowKey],
    names: tuple[str, ...],
) -> list[tuple[RowKey, tuple[Any, ...]]]:
    """Return what the links of rows hold, with the rows' keys."""
    codecs = key_codecs(of, entity)
    texts = {key_to_text(codecs, key): key for key in keys}
    wanted = [(of.id, text) for text in texts]
    rows = database.bulk.select(driver(cx), grid, ("record_key", *names), ("entity_id", "record_key"), wanted)
    return [(texts[row[0]], tuple(row[1:])) for row in rows]


def links_of(database: Database, entity: Grid, of: Entity, key: RowKey) -> list[tuple[str, Link]]:
    """Return every link of one row with the id of its entity map, tombstones too."""
    codecs = key_codecs(of, entity)
    columns = [LINK.c.entity_map_id, *(LINK.c[name] for name in LINK_NAMES)]
    mine = (LINK.c.entity_id == of.id, LINK.c.record_key == key_to_text(codecs, key))
    with database.read() as cx:
        rows = cx.execute(sa.select(*columns).where(*mine).order_by(LINK.c.entity_map_id, LINK.c.external_id)).all()
    return [(row[0], link_of(row[1:], codecs)) for row in rows]


def staged(database: Database, grid: Grid, context: SyncContext, kind: str, ids: Sequence[str]) -> dict[str, datetime | None]:
    """Return what is staged of these external ids."""
    keys = [(context.entity_map.id, kind, external_id) for external_id in dict.fromkeys(ids)]
    names = ("external_id", "modified_at")
    with database.read() as cx:
        rows = database.bulk.select(driver(cx), grid, names, ("entity_map_id", "kind", "external_id"), keys)
    return {row[0]: row[1] for row in rows}


def stream_links(
    database: Database, entity: Grid, context: SyncContext, where: Sequence[sa.ColumnElement[bool]]
) -> Iterator[Link]:
    """Stream links of one map in the order of their external ids."""
    codecs = key_codecs(context.entity, entity)
    after: str | None = None
    columns = [LINK.c[name] for name in LINK_NAMES]
    while True:
        query = sa.select(*columns).where(LINK.c.entity_map_id == context.entity_map.id, *where)
        if after is not None:
            query = query.where(LINK.c.external_id > after)
        with database.read() as cx:
            rows = cx.execute(query.order_by(LINK.c.external_id).limit(PAGE)).all()
        yield from (link_of(row, codecs) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1].external_id


# --- Rows --------------------------------------------------------------------------------------------


def read(
    database: Database,
    cx: sa.Connection,
    grid: Grid,
    entity: Entity,
    keys: Sequence[RowKey],
    fields: Sequence[str],
    *,
    lock: bool = False,
) -> dict[RowKey, Fields]:
    """Return the rows that exist."""
    names = [*entity.primary_key, *fields]
    width = len(entity.primary_key)
    rows = database.bulk.select(driver(cx), grid, names, entity.primary_key, keys, lock=lock)
    wanted = set(keys)
    return {key: dict(zip(fields, row[width:], strict=True)) for row in rows if (key := tuple(row[:width])) in wanted}


def find(
    database: Database, cx: sa.Connection, grid: Grid, entity: Entity, fields: Sequence[str], keys: Sequence[tuple[Value, ...]]
) -> dict[tuple[Value, ...], list[RowKey]]:
    """Return the keys of the rows that have these values; equal as the kernel sees it, whatever the column's collation."""
    wanted = dict.fromkeys(key for key in keys if None not in key)
    if not wanted:
        return {}
    width, found = len(entity.primary_key), dict[tuple[Value, ...], list[RowKey]]()
    rows = database.bulk.select(driver(cx), grid, [*entity.primary_key, *fields], fields, list(wanted))
    for row in dict.fromkeys(map(tuple, rows)):
        if (key := tuple(row[width:])) in wanted:
            found.setdefault(key, []).append(tuple(row[:width]))
    return {key: sorted(found[key]) for key in wanted if key in found} if found else found


def scan(database: Database, grid: Grid, entity: Entity, fields: Sequence[str]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
    """Stream every row in the order of its key."""
    schema, name = schema_and_name(entity.table, database.dialect)
    names = [*entity.primary_key, *fields]
    table = sa.table(name, *map(sa.column, dict.fromkeys(names)), schema=schema)
    keys, width = [table.c[n] for n in entity.primary_key], len(entity.primary_key)
    shown = [sa.cast(table.c[n], sa.Text) if grid.codecs[n].kind == "json" else table.c[n] for n in names]
    query = sa.select(*(column.label(f"c{i}") for i, column in enumerate(shown))).order_by(*keys).limit(PAGE)
    after: tuple[Value, ...] | None = None
    while True:
        page = query if after is None else query.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
        with database.read() as cx:
            rows = [tuple(row) for row in cx.execute(page)]
        for row in grid.decoded(names, rows):
            yield row[:width], row[width:]
        if len(rows) < PAGE:
            return
        after = rows[-1][:width]
