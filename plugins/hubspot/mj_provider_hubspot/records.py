"""From HubSpot's records to the kernel's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from mj_provider_hubspot.messages import Record
from mjcore.records import ExternalRecord

ASSOCIATION = "associations."
"""A field `associations.companies` holds the ids of the companies that a record is associated with."""
MERGED = "hs_merged_object_ids"

Links = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By record id, by associated object: ids."""


@frozen
class Wanted:
    """What to read of each record of an object."""

    object_name: str
    fields: tuple[str, ...]
    modified: str = field(init=False)
    """The property that says when a record was last modified."""
    properties: tuple[str, ...] = field(init=False)
    """Properties to ask for: the fields, and what tells of changes and merges."""
    hidden: tuple[str, ...] = field(init=False)
    """Properties that are asked for, and are no fields."""
    is_ascii: bool = field(init=False)
    """Of records with such names, nothing else is decoded."""
    associated: tuple[str, ...] = field(init=False)
    """Objects whose associations to ask for."""

    @modified.default
    def _modified(self) -> str:
        return "lastmodifieddate" if self.object_name in ("contacts", "contact", "0-1") else "hs_lastmodifieddate"

    @properties.default
    def _properties(self) -> tuple[str, ...]:
        names = (name for name in self.fields if not name.startswith(ASSOCIATION))
        return tuple(dict.fromkeys((*names, self.modified, MERGED)))

    @hidden.default
    def _hidden(self) -> tuple[str, ...]:
        return tuple(name for name in self.properties if name not in self.fields)

    @is_ascii.default
    def _is_ascii(self) -> bool:
        return all(map(str.isascii, self.properties))

    @associated.default
    def _associated(self) -> tuple[str, ...]:
        return tuple(name.removeprefix(ASSOCIATION) for name in self.fields if name.startswith(ASSOCIATION))

    def records(self, page: Sequence[Record], links: Links) -> Sequence[ExternalRecord]:
        """Return each record, and before it the ones that were merged into it, as deleted. Takes the records' properties over."""
        found = []
        for record, written in zip(page, moments([record.properties.get(self.modified) for record in page]), strict=True):
            fields, modified = record.properties, written or record.updated_at
            if merged := fields.get(MERGED):
                losers = (loser for loser in str(merged).split(";") if loser not in ("", record.id))
                found += [ExternalRecord(loser, {}, modified, is_deleted=True, merged_into=record.id) for loser in losers]
            for name in self.hidden if self.is_ascii else fields.keys() - set(self.fields):
                fields.pop(name, None)
            for target in self.associated:
                fields[ASSOCIATION + target] = links[record.id][target]
            found.append(ExternalRecord(record.id, fields, modified))
        return found


@lru_cache(maxsize=100)
def wanted(object_name: str, fields: tuple[str, ...]) -> Wanted:
    """Return what to read, the same for every page."""
    return Wanted(object_name, fields)


def moments(texts: Sequence[Any]) -> Sequence[datetime | None]:
    """Return the instants of a page of HubSpot's texts."""
    try:
        instants = list(map(datetime.fromisoformat, texts))
    except (TypeError, ValueError):
        return list(map(moment, texts))
    return [instant if instant.tzinfo else None for instant in instants]


def moment(text: Any) -> datetime | None:
    """Return HubSpot's text of an instant, or None."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None
