"""The engine's tables that are written with every batch, as bulk statements see them."""

import sqlalchemy as sa
from attrs import frozen

from mj_storage_sql.grid import Bulk, Grid
from mj_storage_sql.tables import CHANGE, CONFLICT, FAILED, LINK, SEEN, Document, Instant
from mj_storage_sql.text import dumps, dumps_all, loads
from mj_storage_sql.values import Codec, DialectName, codec_of
from mjcore.models import EntityField

_DOCUMENT = Codec("text", dumps, loads, encode_all=dumps_all)
_AS_IT_IS = Codec("text")


@frozen
class EngineGrids:
    link: Grid
    change: Grid
    failed: Grid
    conflict: Grid
    seen: Grid

    @classmethod
    def of(cls, dialect: DialectName, bulk: Bulk) -> "EngineGrids":
        return cls(*(_grid(table, dialect, bulk) for table in (LINK, CHANGE, FAILED, CONFLICT, SEEN)))


def _grid(table: sa.Table, dialect: DialectName, bulk: Bulk) -> Grid:
    flag, instant = (codec_of(EntityField("", kind), dialect) for kind in ("boolean", "datetime"))
    codecs = {
        column.name: _DOCUMENT
        if isinstance(column.type, Document)
        else instant
        if isinstance(column.type, Instant)
        else flag
        if isinstance(column.type, sa.Boolean)
        else _AS_IT_IS
        for column in table.c
    }
    return Grid(bulk.quote(table.name), codecs)
