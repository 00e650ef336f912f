"""Deletes of a drained window: staged first, guarded, then applied through the links of one map."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Literal

from attrs import define, evolve, field

from mjcore.batch import ATTEMPTS, Batches
from mjcore.chunks import chunks
from mjcore.compare import same
from mjcore.errors import MJError, RowRefused, RowsMoved
from mjcore.locking import in_order
from mjcore.merge import is_newer
from mjcore.models import Entity
from mjcore.records import BatchWrite, Conflict, Counts, Fields, Link, RecordError, RowChange, RowKey, Value
from mjcore.restored import restored

BATCH = 500
DELETE_REFUSED = "delete_refused"
"""Code of deletes that the database refuses, for a row that others refer to, say: they are tried again by every run."""
Why = Literal["told", "swept", "retried", "answered"]
"""The source reported it in this window, a complete read did not deliver it, an earlier run failed to, or a person decided."""


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
        """Apply what the source reported; with `sweep` also what a complete read did not deliver.

        A repair deletes again what is there again.
        """
        store, context = self.batches.store, self.batches.context
        if context.entity_map.delete_behavior != "DoNothing" and not self.allowed:
            self._guard(sweep=sweep)
        for some in chunks(store.staged_deletes(context), BATCH):
            self.write(some, "told")
        for some in chunks(self._unread() if sweep else (), BATCH):
            self.write(some, "swept")
            self.swept += len(some)

    def _unread(self) -> Iterator[Link]:
        store, context = self.batches.store, self.batches.context
        yield from store.unseen(context)
        if self.batches.is_repair:
            yield from restored(store, context)

    def _guard(self, *, sweep: bool) -> None:
        store, context = self.batches.store, self.batches.context
        going = sum(1 for _ in store.staged_deletes(context)) + (sum(1 for _ in self._unread()) if sweep else 0)
        guard(context.entity_map.external_object_name, going, store.count_links(context))

    def write(self, links: Sequence[Link], why: Why) -> Counts:
        """Apply the deletes of records whose links are live; return what became of them. The run counts what it was told."""
        for _ in range(ATTEMPTS):
            with suppress(RowsMoved):
                write = Deletion(self.batches, links, why, self.now).decide()
                try:
                    return self._commit(write, why)
                except RowRefused as refused:
                    return self._isolate(links, why, refused)
        table = self.batches.context.entity.table
        raise MJError(f"{table}: rows changed under {ATTEMPTS} attempts to delete one batch; nothing was lost")

    def _commit(self, write: BatchWrite, why: Why) -> Counts:
        counts = evolve(write.counts, processed=sum(write.counts.as_tuple()))
        self.batches.write(evolve(write, counts=counts if why == "told" else Counts()))
        return counts

    def _isolate(self, links: Sequence[Link], why: Why, refused: RowRefused) -> Counts:
        """Set aside what the database refuses: as the store names it, else found by halves."""
        named = {link.external_id: refused.refused.get(link.external_id) for link in links}
        if len(links) == 1:
            named = {link.external_id: str(refused) for link in links}
        errors = [RecordError(i, "persist", DELETE_REFUSED, text) for i, text in named.items() if text]
        if not errors:
            middle = len(links) // 2
            return self.write(links[:middle], why) + self.write(links[middle:], why)
        others = [link for link in links if not named[link.external_id]]
        counts = self.write(others, why) if others else Counts()
        ids, nothing = [error.external_id for error in errors if error.external_id], self.batches.position
        write = BatchWrite((), (), errors, (), (), Counts(errored=len(errors)), nothing, unstaged=ids)
        return counts + self._commit(write, why)


@define
class Deletion:
    """Decides the deletes of one batch: what becomes of each row, by the map's behaviour, its holders, and the policy."""

    batches: Batches
    links: Sequence[Link]
    why: Why
    now: Callable[[], datetime]
    rows: Mapping[RowKey, Fields] = field(init=False)
    holders: Mapping[RowKey, Sequence[tuple[str, str]]] = field(init=False)
    made: Collection[RowKey] = field(init=False)
    bases: Mapping[str, Fields] = field(init=False)
    """By external id; what a local edit differs from."""
    taken: Mapping[RowKey, frozenset[str]] = field(init=False)
    """Fields that belong to other maps."""

    @property
    def entity(self) -> Entity:
        return self.batches.context.entity

    @property
    def behavior(self) -> str:
        return self.batches.context.entity_map.delete_behavior

    @property
    def policy(self) -> str:
        """What a person has decided is no question any more."""
        return "SourceWins" if self.why == "answered" else self.batches.context.entity_map.conflict_resolution

    def __attrs_post_init__(self) -> None:
        store, decider, keys = self.batches.store, self.batches.decider, sorted({link.key for link in self.links})
        self.rows = store.read(self.entity, keys, _names(self.entity)) if self.behavior != "DoNothing" else {}
        self.holders = store.linked(self.entity, keys) if self.rows else {}
        self.made = set(store.made_rows(self.entity, keys)) if self.rows and self.behavior == "HardDelete" else set()
        asks = self.rows and self.policy != "SourceWins"
        self.bases = decider.bases(self.links) if asks else {}
        self.taken = decider.precedence.taken(list(self.rows)) if asks else {}

    def decide(self) -> BatchWrite:
        store, context, ids = self.batches.store, self.batches.context, [link.external_id for link in self.links]
        times = store.staged(context, "deleted", ids) if self.why == "told" else {}
        changes, links, conflicts = list[RowChange](), list[Link](), list[Conflict]()
        for link in self.links:
            at = times.get(link.external_id) or link.source_modified_at
            change = self._change(link)
            if change and self._is_edited(link):
                if self.policy == "Manual":
                    conflicts.append(self._conflict(link))
                    links.append(evolve(link, content_hash=b"", source_modified_at=at))  # whatever comes again is decided anew
                    continue
                if self.policy == "DestWins" or not is_newer(self.entity, self.rows[link.key], times.get(link.external_id)):
                    change = None
            links.append(evolve(link, is_tombstone=True, source_modified_at=at))
            changes += [change] if change else []
        gone = [link.external_id for link in links if link.is_tombstone]
        return BatchWrite(
            changes=in_order(changes),
            links=links,
            failed=(),
            cleared=ids,
            conflicts=conflicts,
            counts=Counts(deleted=len(changes), skipped=len(gone) - len(changes), conflicted=len(conflicts)),
            position=self.batches.position,
            unstaged=ids,
            resolved=gone,
            held=sorted({link.key for link in self.links if self._is_held(link)} if self.rows else ()),
            settled=gone if self.batches.has_conflicts else (),
        )

    def _is_held(self, link: Link) -> bool:
        """Another live link, of whatever map, holds the row."""
        mine = (self.batches.context.entity_map.id, link.external_id)
        return any(holder != mine for holder in self.holders.get(link.key, ()))

    def _is_edited(self, link: Link) -> bool:
        """A field differs from what the source said last; where that is unknown, somebody may have edited it."""
        if self.policy == "SourceWins":
            return False
        base, row, others = self.bases.get(link.external_id), self.rows[link.key], self.taken.get(link.key, ())
        return base is None or any(
            name not in others and not same(self.entity.field(name), value, row.get(name)) for name, value in base.items()
        )

    def _conflict(self, link: Link) -> Conflict:
        base, row = self.bases.get(link.external_id, {}), self.rows[link.key]
        current = {column.name: row.get(column.name) for column in self.batches.plan.columns}
        return Conflict(link.external_id, link.key, base, {}, current, self.batches.context.entity_map.id, is_deleted=True)

    def _change(self, link: Link) -> RowChange | None:
        """Return what happens to the row; None where it stays: gone already, or held by another link."""
        row = self.rows.get(link.key)
        if row is None or self._is_held(link):
            return None
        if self.behavior == "HardDelete":
            return RowChange("delete", link.key, row, {}, link.external_id) if link.key in self.made else None
        name = self.entity.soft_delete_field or ""
        if row.get(name) not in (None, False):
            return None
        new = {name: self._deleted(name)}
        if self.entity.updated_at_field:
            new[self.entity.updated_at_field] = self.now()
        return RowChange("update", link.key, {n: row.get(n) for n in new}, new, link.external_id)

    def _deleted(self, name: str) -> Value:
        column = self.entity.field(name)
        kind = column.type if column else "datetime"
        return True if kind == "boolean" else date.today() if kind == "date" else self.now()  # noqa: DTZ011


def _names(entity: Entity) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(f.name for f in entity.fields), *entity.primary_key]))
