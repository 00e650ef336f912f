"""Deletes of a drained window: staged first, guarded, then applied through the links of one map."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from attrs import define, evolve

from mjcore.batch import ATTEMPTS, Batches
from mjcore.chunks import chunks
from mjcore.errors import MJError, RowsMoved
from mjcore.models import Entity
from mjcore.records import BatchWrite, Counts, Fields, Link, RowChange, RowKey, Value

BATCH = 500


class TooManyDeletes(MJError):
    """More rows would go than the guard lets pass without a person's word."""


def guard(name: str, going: int, held: int, share: float = 0.2, floor: int = 10) -> None:
    """Stop before the first delete, when more than `share` and more than `floor` of the links go."""
    if going > floor and going > share * held:
        raise TooManyDeletes(
            f"{name}: {going} of {held} linked records would be deleted; "
            "nothing was deleted. If that is right, run again with --allow-deletes"
        )


@define
class Deletes:
    """Applies deletes, behind the guard unless a person has `allowed` them."""

    batches: Batches
    now: Callable[[], datetime]
    allowed: bool = False
    swept: int = 0
    """Links that a complete read did not deliver."""

    def apply(self, *, sweep: bool) -> None:
        """Apply what the source reported; with `sweep` also what a complete read did not deliver."""
        store, context = self.batches.store, self.batches.context
        if context.entity_map.delete_behavior != "DoNothing" and not self.allowed:
            self._guard(sweep=sweep)
        self._apply(store.staged_deletes(context), is_delivered=True)
        if sweep:
            self._apply(store.unseen(context), is_delivered=False)

    def _guard(self, *, sweep: bool) -> None:
        store, context = self.batches.store, self.batches.context
        going = sum(1 for _ in store.staged_deletes(context)) + (sum(1 for _ in store.unseen(context)) if sweep else 0)
        guard(context.entity_map.external_object_name, going, store.count_links(context))

    def _apply(self, links: Iterable[Link], *, is_delivered: bool) -> None:
        for some in chunks(links, BATCH):
            self._write(some, is_delivered=is_delivered)
            self.swept += 0 if is_delivered else len(some)

    def _write(self, links: Sequence[Link], *, is_delivered: bool) -> None:
        for _ in range(ATTEMPTS):
            with suppress(RowsMoved):
                self.batches.write(self._decide(links, is_delivered=is_delivered))
                return
        table = self.batches.context.entity.table
        raise MJError(f"{table}: rows changed under {ATTEMPTS} attempts to delete one batch; nothing was lost")

    def _decide(self, links: Sequence[Link], *, is_delivered: bool) -> BatchWrite:
        store, context = self.batches.store, self.batches.context
        entity, behavior = context.entity, context.entity_map.delete_behavior
        keys = sorted({link.key for link in links})
        rows = store.read(entity, keys, _names(entity)) if behavior != "DoNothing" else {}
        holders = store.linked(entity, keys) if rows else {}
        made = set(store.made_rows(entity, keys)) if rows and behavior == "HardDelete" else set()
        changes = [change for link in links if (change := self._change(link, rows, holders, made))]
        counts = Counts(deleted=len(changes), skipped=len(links) - len(changes))
        return BatchWrite(
            changes=sorted(changes, key=lambda change: tuple(map(str, change.key))),
            links=[evolve(link, is_tombstone=True) for link in links],
            failed=(),
            cleared=[link.external_id for link in links],
            conflicts=(),
            counts=evolve(counts, processed=len(links)) if is_delivered else Counts(),
            position=self.batches.position,
            unstaged=[link.external_id for link in links],
            resolved=[link.external_id for link in links],
            held=sorted({link.key for link in links if self._is_held(link, holders)} if rows else ()),
        )

    def _is_held(self, link: Link, holders: Mapping[RowKey, Sequence[tuple[str, str]]]) -> bool:
        """Another live link, of whatever map, holds the row."""
        mine = (self.batches.context.entity_map.id, link.external_id)
        return any(holder != mine for holder in holders.get(link.key, ()))

    def _change(
        self,
        link: Link,
        rows: Mapping[RowKey, Fields],
        holders: Mapping[RowKey, Sequence[tuple[str, str]]],
        made: Collection[RowKey],
    ) -> RowChange | None:
        """Return what happens to the row; None where it stays: gone already, or held by another link."""
        context = self.batches.context
        entity, row = context.entity, rows.get(link.key)
        if row is None or self._is_held(link, holders):
            return None
        if context.entity_map.delete_behavior == "HardDelete":
            return RowChange("delete", link.key, row, {}, link.external_id) if link.key in made else None
        name = entity.soft_delete_field or ""
        if row.get(name) not in (None, False):
            return None
        new = {name: self._deleted(entity, name)}
        if entity.updated_at_field:
            new[entity.updated_at_field] = self.now()
        return RowChange("update", link.key, {n: row.get(n) for n in new}, new, link.external_id)

    def _deleted(self, entity: Entity, name: str) -> Value:
        column = entity.field(name)
        kind = column.type if column else "datetime"
        return True if kind == "boolean" else date.today() if kind == "date" else self.now()  # noqa: DTZ011


def _names(entity: Entity) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(f.name for f in entity.fields), *entity.primary_key]))
