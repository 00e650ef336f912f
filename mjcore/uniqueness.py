"""Unique columns: who holds which value, so that a record that would break one fails before any SQL."""

from collections.abc import Iterable, Sequence

from attrs import define, field

from mjcore.compare import key_text
from mjcore.fitting import shown
from mjcore.models import Entity
from mjcore.records import Fields, MappedRecord, RowKey, Value
from mjcore.store import Rows

NEW: RowKey = ()
"""The key of a row that is not there yet."""


@define
class Uniques:
    """The holders of unique values in one batch: rows, and what the batch decided before."""

    constraints: Sequence[tuple[str, ...]]
    holders: dict[tuple[tuple[str, ...], tuple[Value, ...]], RowKey] = field(factory=dict)

    @classmethod
    def of(cls, entity: Entity, mapped: Iterable[str], records: Sequence[MappedRecord], rows: Rows) -> "Uniques":
        """Look up, per constraint that the map fills, the values of all records at once."""
        filled = set(mapped)
        columns = [f.name for f in entity.fields if f.is_unique and f.type != "json"]
        constraints = [names for names in {(n,): None for n in columns} | {entity.primary_key: None} if filled.issuperset(names)]
        holders: dict[tuple[tuple[str, ...], tuple[Value, ...]], RowKey] = {}
        for names in constraints:
            values = {v: None for r in records if None not in (v := tuple(r.values.get(name) for name in names))}
            found = rows.find(names, list(values)) if values else {}
            holders |= {(names, v): keys[0] for v, keys in found.items() if keys}
        return cls(constraints, holders)

    def clash(self, key: RowKey, new: Fields) -> str | None:
        """Return what is wrong with writing `new` to the row `key`, or take its values for it."""
        wanted = [(names, tuple(new[n] for n in names)) for names in self.constraints if set(new).issuperset(names)]
        for names, values in wanted:
            holder = self.holders.get((names, values))
            if holder is not None and (holder != key or key == NEW):
                told = ", ".join(map(shown, values))
                by = f"row {key_text(holder)}" if holder else "another record of this batch"
                return f"{', '.join(names)}: {told} is held by {by} already, and must be unique"
        self.holders |= {taken: key for taken in wanted if None not in taken[1]}
        return None
