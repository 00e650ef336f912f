"""Turns changes of the audit trail back: which rows still are as a run left them, and what becomes of their links."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Literal

from attrs import define, evolve, field, frozen

from mjcore.compare import same
from mjcore.history import UNDONE, RecordChange
from mjcore.locking import in_order
from mjcore.models import EntityField, SyncContext
from mjcore.records import Counts, Fields, Link, RowChange, RowKey
from mjcore.store import Store

OPPOSITE = {"create": "delete", "update": "update", "delete": "create"}
Fate = Literal["turn", "done", "stay"]


@frozen
class Skipped:
    """A change that stays, since its row is no longer as the run left it."""

    entity: str
    key: RowKey
    external_id: str
    reason: str


@define
class Unwound:
    """What a batch of changes turned back comes to. Counted by what is written: a create that is undone counts as deleted."""

    changes: list[RowChange] = field(factory=list)
    links: list[Link] = field(factory=list)
    unlinked: list[str] = field(factory=list)
    skipped: list[Skipped] = field(factory=list)
    done: Counts = field(factory=Counts)

    @property
    def counts(self) -> Counts:
        counts = evolve(self.done, skipped=len(self.skipped))
        return evolve(counts, processed=sum(counts.as_tuple()))


@frozen
class Unwinder:
    """Turns changes of one entity map back; `context` is the undo's own. `undone`: the runs that are being reversed."""

    store: Store
    context: SyncContext
    undone: Collection[str]
    is_undo: bool = False
    """What is reversed was an undo itself: the links that it removed come back."""
    _columns: Mapping[str, EntityField | None] = field(init=False)

    @_columns.default
    def _of_entity(self) -> Mapping[str, EntityField | None]:
        return {**dict.fromkeys(self.context.entity.primary_key), **{f.name: f for f in self.context.entity.fields}}

    def decide(self, changes: Sequence[RecordChange]) -> Unwound:
        """The changes are of different rows and different records."""
        keys = [self._key(change) for change in changes]
        rows = self.store.read(self.context.entity, keys, tuple(self._columns))
        trails = self.trails(keys, min(change.id for change in changes) - 1)
        links = self.store.links(self.context, [change.external_id for change in changes])
        creates = {key: c.external_id for key, c in zip(keys, changes, strict=True) if c.kind == "create" and key in rows}
        held = self._held(creates) if creates else set()
        unwound, tally = Unwound(), dict.fromkeys(("create", "update", "delete", "done"), 0)
        for key, change in zip(keys, changes, strict=True):
            later = [step for step in trails.get(key, ()) if step.id > change.id]
            fate, reason = self._judge(rows.get(key), change, later)
            if fate == "turn" and key in held:
                fate, reason = "stay", "another record holds the row"
            if fate == "stay":
                unwound.skipped.append(Skipped(self.context.entity.name, key, change.external_id, reason))
                continue
            is_mine = any(step.run_id == self.context.run_id for step in later)
            tally[change.kind if fate == "turn" or is_mine else "done"] += 1
            if fate == "turn":
                unwound.changes += self._turned(key, rows.get(key), change)
            self._relink(unwound, key, change, links.get(change.external_id))
        unwound.changes = in_order(unwound.changes)
        unwound.done = Counts(created=tally["delete"], updated=tally["update"], deleted=tally["create"], unchanged=tally["done"])
        return unwound

    def trails(self, keys: Sequence[RowKey], after: int) -> Mapping[RowKey, Sequence[RecordChange]]:
        """Return, per row, its changes after one of the audit trail, oldest first."""
        found: dict[RowKey, list[RecordChange]] = {}
        for change in self.store.changes(entity=self.context.entity.name, keys=list(dict.fromkeys(keys)), after=after):
            found.setdefault(change.key, []).append(change)
        return found

    def _known(self, values: Fields) -> Fields:
        """Leave out columns that are gone: nothing can be put back there."""
        return {name: value for name, value in values.items() if name in self._columns}

    def _key(self, change: RecordChange) -> RowKey:
        """Return where the row is after its change, which may have moved it."""
        if change.kind == "delete":
            return change.key
        return tuple(change.new.get(name, part) for name, part in zip(self.context.entity.primary_key, change.key, strict=True))

    def _held(self, creates: Mapping[RowKey, str]) -> set[RowKey]:
        """Return the rows that live links of other runs hold, besides those of the records that they were created for."""
        me, entity_map = self.context, self.context.entity_map
        linked = self.store.linked(me.entity, sorted(creates))
        others = {h: key for key, holders in linked.items() for h in holders if h != (entity_map.id, creates[key])}
        for of, some in groupby(sorted(others), key=lambda holder: holder[0]):
            found = self.store.links(evolve(me, entity_map=evolve(entity_map, id=of)), [i for _, i in some])
            for external_id in [i for i, link in found.items() if link.run_id in self.undone]:
                del others[of, external_id]
        return set(others.values())

    # --- one row ------------------------------------------------------------------------------------------

    def _judge(self, row: Fields | None, change: RecordChange, later: Sequence[RecordChange]) -> tuple[Fate, str]:
        """Tell whether a change can be turned back, when what is undone of the same row and came after it is."""
        state = row
        for i, step in reversed(list(enumerate(later))):
            if step.run_id in self.undone and not self._moved(state, step, later[i + 1 :]):
                state = None if step.kind == "create" else {**(state or {}), **self._known(step.old)}
        reason = self._moved(state, change, later)
        if not reason:
            return "turn", ""
        return ("done", "") if self._is_before(row, change) or self._is_undone(row, change, later) else ("stay", reason)

    def _is_undone(self, row: Fields | None, change: RecordChange, later: Sequence[RecordChange]) -> bool:
        """Tell whether an undo took the change back, and nothing but undos has written the row since."""
        if not later or later[-1].rule != UNDONE or self._moved(row, later[-1], ()):
            return False
        undos = [step for step in later if step.rule == UNDONE and step.kind == OPPOSITE[change.kind]]
        return row is None or any(change.kind != "update" or step.new.items() <= change.old.items() for step in undos)

    def _is_before(self, row: Fields | None, change: RecordChange) -> bool:
        if row is None or change.kind == "create":
            return row is None and change.kind == "create"
        return not self._differing(row, change.old)

    def _moved(self, row: Fields | None, change: RecordChange, later: Sequence[RecordChange]) -> str:
        """Return why a row is no longer as its change left it, or nothing."""
        if change.kind == "delete":
            return "" if row is None else "there is a row with its key again"
        if row is None:
            return "the row was deleted since"
        left = dict(change.new)
        if change.kind == "create":  # what it did not write was as the first later change found it
            for name, value in (pair for step in later for pair in step.old.items()):
                left.setdefault(name, value)
            if self.context.entity.origin == "Created":  # no column has a default
                left = {**dict.fromkeys(name for name in self._columns if name not in self.context.entity.primary_key), **left}
        differing = self._differing(row, left)
        return f"changed since: {', '.join(differing)}" if differing else ""

    def _differing(self, row: Fields, values: Fields) -> list[str]:
        known = self._known(values)
        return [name for name, value in known.items() if not same(self._columns[name], row[name], value)]

    def _turned(self, key: RowKey, row: Fields | None, change: RecordChange) -> list[RowChange]:
        external_id, old = change.external_id, self._known(change.old)
        if change.kind == "delete":
            return [RowChange("create", change.key, {}, old, external_id, UNDONE)] if row is None else []
        if row is None:
            return []
        if change.kind == "create":
            return [RowChange("delete", key, row, {}, external_id, UNDONE)]
        names = self._differing(row, old)
        return [RowChange("update", key, {n: row[n] for n in names}, {n: old[n] for n in names}, external_id, UNDONE)]

    def _relink(self, unwound: Unwound, key: RowKey, change: RecordChange, link: Link | None) -> None:
        """Links that the run made go; the others lose their hash, so that the next sync decides their records anew."""
        if link is None:
            if change.kind == "delete" or (self.is_undo and change.kind == "update"):
                created = change.kind == "delete"  # nobody else's row is ever deleted
                unwound.links.append(Link(change.external_id, change.key, b"", {}, created_row=created))
        elif link.run_id in self.undone and change.kind != "delete":
            unwound.unlinked.append(link.external_id)
        elif link.key in (key, change.key):
            was = self._was_tombstone(change, link)
            unwound.links.append(evolve(link, key=change.key, content_hash=b"", is_tombstone=was))

    def _was_tombstone(self, change: RecordChange, link: Link) -> bool:
        """A link of before that got a row created was a tombstone; a delete made it one, a revival took that back."""
        name = self.context.entity.soft_delete_field
        if change.kind == "update":
            return change.old.get(name) not in (None, False) if name and name in change.new else link.is_tombstone
        return change.kind == "create"
