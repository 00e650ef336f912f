"""The records of one object type: generated ones, and what has been changed since."""

import time
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

import msgspec
from attrs import define, evolve, field

from mj_sandbox.blocks import BLOCK, Source
from mj_sandbox.moments import iso
from mj_sandbox.objecttypes import ObjectType
from mj_sandbox.problems import missing
from mj_sandbox.properties import Property

Layout = tuple[str, ...]
"""Names of the properties that records are written with, beside their id."""
FEW = 8
"""So many records of a block are cheaper made one by one."""


@define
class Change:
    """What differs from the generated record; the whole record, if none was generated."""

    values: dict[str, str | None]
    created: int
    modified: int
    archived: int | None = None
    """When it was archived, in ms."""
    merged_into: int | None = None
    purged: bool = False
    before: "Change | None" = field(default=None, repr=False)
    """The state that searches still see, until the index catches up."""
    since: float = 0.0

    @property
    def hidden(self) -> bool:
        """Whether lists of live records leave it out."""
        return self.purged or self.archived is not None or self.merged_into is not None


@define(eq=False)
class Table:
    """Reads and writes of one object type. Not safe for several threads: the account's lock is held around each request."""

    kind: ObjectType
    source: Source
    address: str
    """Where the account's pages are: https://app.hubspot.com/contacts/<portal>/record/<type id>/."""
    index_lag: float = 0.0
    """Seconds until a write shows in searches."""
    properties: dict[str, Property] = field(init=False)
    changes: dict[int, Change] = field(init=False, factory=dict)
    version: int = field(init=False, default=0)
    """Counts writes."""
    _created: list[int] = field(init=False, factory=list)
    _archived: list[int] = field(init=False, factory=list)
    _holders: dict[tuple[str, str], int] = field(init=False, factory=dict)
    _layouts: dict[tuple[str, ...], Layout] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.properties = {each.name: evolve(each, group=each.group or self.kind.group) for each in self.kind.properties}

    def add_property(self, prop: Property) -> None:
        """Add a property, or change its definition."""
        self.properties[prop.name] = prop
        self._layouts.clear()

    def drop_property(self, name: str) -> None:
        """Remove a property, and its values with it."""
        del self.properties[name]
        self._layouts.clear()

    def rename_property(self, name: str, new: str) -> None:
        """Give a property another name; its values and the times of the records stay."""
        prop = self.properties[name]
        self.properties[new] = evolve(prop, name=new)
        self.source.columns = {**self.source.columns, new: lambda block, _: block.values(name)}
        for change in self.changes.values():
            if name in change.values:
                change.values[new] = change.values[name]
        self.drop_property(name)

    # --- reading ---------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """The first id after the generated ones."""
        return self.source.first_id + self.source.count

    def known(self, record_id: int) -> bool:
        """Whether a record, in whatever state, has this id."""
        return self.source.first_id <= record_id < self.end or record_id in self.changes

    def live(self, record_id: int) -> bool:
        change = self.changes.get(record_id)
        return not change.hidden if change else self.known(record_id)

    def resolve(self, record_id: int) -> int:
        """Return the id of the live record meant: that of the winner where records were merged."""
        change = self.changes.get(record_id)
        while change and change.merged_into is not None:
            record_id = change.merged_into
            change = self.changes.get(record_id)
        if not self.live(record_id):
            raise missing()
        return record_id

    def value(self, record_id: int, name: str, change: Change | None = None) -> str | None:
        """Return one property, as of `change` if given."""
        change = change or self.changes.get(record_id)
        if change and name in change.values:
            return change.values[name]
        index = record_id - self.source.first_id
        return self.source.single(index).value(index, name) if 0 <= index < self.source.count else None

    def times(self, record_id: int) -> tuple[int, int]:
        """Return (created, modified), in ms."""
        if change := self.changes.get(record_id):
            return change.created, change.modified
        index = record_id - self.source.first_id
        block = self.source.single(index)
        return block.created[0], block.modified[0]

    def page(self, after: int, limit: int) -> list[int]:
        """Return up to `limit` ids of live records from `after` on, ascending."""
        generated = range(max(after, self.source.first_id), self.end)
        made = islice(self._created, bisect_left(self._created, after), None)
        if not self.changes:
            return list(generated[:limit])
        ids = list(islice((each for each in generated if each not in self.changes or self.live(each)), limit))
        return ids + list(islice((each for each in made if self.live(each)), limit - len(ids)))

    def archived_page(self, after: int, limit: int) -> list[int]:
        return list(islice(self._archived, start := bisect_left(self._archived, after), start + limit))

    def live_count(self) -> int:
        return self.source.count + len(self._created) - sum(change.hidden for change in self.changes.values())

    def find(self, name: str, value: str) -> int | None:
        """Return the live record with this value of a unique property."""
        wanted = value.strip().lower()
        holder = self._holders.get((name, wanted))
        candidates = [] if holder is None else [holder]
        locate = self.properties[name].locate
        if locate:
            candidates += [self.source.first_id + index for index in locate(wanted) if 0 <= index < self.source.count]
        for record_id in candidates:
            if self.live(record_id) and (self.value(record_id, name) or "").strip().lower() == wanted:
                return record_id
        return None

    # --- writing answers -------------------------------------------------------------------

    def layout(self, asked: Iterable[str]) -> Layout:
        """Return the layout for properties asked for; unknown ones are left out, as HubSpot does."""
        key = tuple(asked)
        if key not in self._layouts:
            wanted = {*(key or self.kind.shown), self.kind.created, self.kind.modified} - {"hs_object_id"}
            if len(self._layouts) > 64:
                self._layouts.clear()
            self._layouts[key] = tuple(sorted(wanted & self.properties.keys()))
        return self._layouts[key]

    def rows(self, ids: Iterable[int], layout: Layout) -> list[str]:
        """Return records as JSON."""
        rows: list[str] = []
        for number, members in groupby(ids, lambda record_id: (record_id - self.source.first_id) // BLOCK):
            together = list(members)
            is_made = len(together) > FEW and number in self.source.blocks()
            made = self.source.block(number).rows(layout, self.address) if is_made else []
            rows += [self._row(record_id, layout, made) for record_id in together]
        return rows

    def _row(self, record_id: int, layout: Layout, made: Sequence[str]) -> str:
        """Return a record as JSON, from its block's rows if they are made."""
        if record_id in self.changes:
            return msgspec.json.encode(self.record(record_id, layout)).decode()
        index = record_id - self.source.first_id
        return made[index % BLOCK] if made else self.source.single(index).rows(layout, self.address)[0]

    def record(self, record_id: int, layout: Layout) -> dict[str, Any]:
        """Return one record as an object."""
        created, modified = self.times(record_id)
        change = self.changes.get(record_id)
        archived = change.archived if change else None
        return {
            "id": str(record_id),
            "properties": {"hs_object_id": str(record_id), **{name: self.value(record_id, name) for name in layout}},
            "createdAt": iso(created),
            "updatedAt": iso(modified),
            "archived": archived is not None,
            **({"archivedAt": iso(archived)} if archived is not None else {}),
            "url": f"{self.address}{record_id}",
        }

    # --- changes ---------------------------------------------------------------------------

    def write(self, record_id: int, values: Mapping[str, str | None], at: int) -> None:
        """Set properties of one record at an instant (ms)."""
        change = self._change(record_id)
        change.modified = max(at, change.created)
        change.values.update(values)
        change.values[self.kind.modified] = iso(change.modified)
        self._hold(record_id, values)

    def create(self, values: Mapping[str, str | None], at: int) -> int:
        """Add a record and return its id."""
        record_id = max(self.end, self._created[-1] + 1 if self._created else 0)
        system = {self.kind.created: iso(at), self.kind.modified: iso(at), "hs_object_id": str(record_id)}
        unseen = Change({}, at, at, purged=True) if self.index_lag else None
        self.changes[record_id] = Change({**values, **system}, at, at, before=unseen, since=time.monotonic())
        self._created.append(record_id)
        self.version += 1
        self._hold(record_id, values)
        return record_id

    def archive(self, record_id: int, at: int) -> None:
        change = self._change(record_id)
        change.archived = change.modified = at
        change.values[self.kind.modified] = iso(at)
        insort(self._archived, record_id)

    def merge(self, winner: int, loser: int, at: int) -> None:
        """Let `loser` be known as `winner` from now on; empty properties of the winner take the loser's values."""
        # those that were merged into the loser before are the winner's now, too
        known = (self.value(record, "hs_merged_object_ids") for record in (winner, loser))
        merged = ";".join(filter(None, (*known, str(loser))))
        taken = {
            name: self.value(loser, name)
            for name, prop in self.properties.items()
            if not prop.read_only and self.value(winner, name) is None and self.value(loser, name) is not None
        }
        vids = ";".join(f"{each}:{at}" for each in merged.split(";"))
        history = {"hs_merged_object_ids": merged, "hs_calculated_merged_vids": vids}
        self._change(loser).merged_into = winner
        self.write(winner, {**taken, **{key: value for key, value in history.items() if key in self.properties}}, at)

    def purge(self, record_id: int) -> None:
        """Remove a record for good."""
        self._change(record_id).purged = True

    def searchable(self, record_id: int) -> Change:
        """Return the state of a changed record that searches see."""
        change = self.changes[record_id]
        while change.before and time.monotonic() - change.since < self.index_lag:
            change = change.before
        return change

    def _change(self, record_id: int) -> Change:
        """Return the change of a record to write to, keeping what searches still see."""
        self.version += 1
        created, modified = self.times(record_id)
        change = self.changes.get(record_id) or Change({}, created, modified)
        if self.index_lag:
            seen = self.searchable(record_id) if record_id in self.changes else change
            change = evolve(change, values=dict(change.values), before=evolve(seen, before=None), since=time.monotonic())
        self.changes[record_id] = change
        return change

    def _hold(self, record_id: int, values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            if value and name in self.properties and self.properties[name].unique:
                self._holders[name, value.strip().lower()] = record_id
