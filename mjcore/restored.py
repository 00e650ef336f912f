"""Rows that are there again, though the engine has deleted them: a table was restored from a backup, say."""

from collections.abc import Iterator, Sequence

from mjcore.chunks import chunks
from mjcore.history import RecordChange
from mjcore.models import Entity, SyncContext
from mjcore.records import Fields, Link, RowKey
from mjcore.store import Store

BATCH = 1000


def restored(store: Store, context: SyncContext) -> Iterator[Link]:
    """Yield the tombstones of such rows. Those that were only unlinked, or that others hold, are as they should be."""
    if context.entity_map.delete_behavior != "DoNothing":
        for links in chunks(store.tombstones(context), BATCH):
            yield from _restored(store, context.entity, links)


def _restored(store: Store, entity: Entity, links: Sequence[Link]) -> list[Link]:
    mark = entity.soft_delete_field
    rows = store.read(entity, sorted({link.key for link in links}), (mark,) if mark else ())
    alive = [link for link in links if link.key in rows and not _is_marked(rows[link.key], mark)]
    keys = sorted({link.key for link in alive})
    if not keys:
        return []
    held = store.linked(entity, keys)
    last: dict[RowKey, RecordChange] = {}
    for change in store.changes(entity=entity.name, keys=keys, newest_first=True):
        last.setdefault(change.key, change)
    return [link for link in alive if link.key not in held and link.key in last and _is_delete(last[link.key], mark)]


def _is_delete(change: RecordChange, mark: str | None) -> bool:
    return change.kind == "delete" or _is_marked(change.new, mark)


def _is_marked(fields: Fields, mark: str | None) -> bool:
    return mark is not None and fields.get(mark) not in (None, False)
