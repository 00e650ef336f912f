"""From HubSpot's records to the kernel's."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from mj_provider_hubspot.messages import Record
from mjcore.records import ExternalRecord, Fields

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

    @property
    def modified(self) -> str:
        """The property that says when a record was last modified."""
        return "lastmodifieddate" if self.object_name in ("contacts", "contact", "0-1") else "hs_lastmodifieddate"

    @property
    def properties(self) -> Sequence[str]:
        """Properties to ask for: the fields, and what tells of changes and merges."""
        names = (name for name in self.fields if not name.startswith(ASSOCIATION))
        return list(dict.fromkeys((*names, self.modified, MERGED)))

    @property
    def associated(self) -> Sequence[str]:
        """Objects whose associations to ask for."""
        return [name.removeprefix(ASSOCIATION) for name in self.fields if name.startswith(ASSOCIATION)]

    def records(self, page: Sequence[Record], links: Links) -> Iterator[ExternalRecord]:
        """Yield each record, and before it the ones that were merged into it, as deleted."""
        targets = self.associated
        for record in page:
            modified = moment(record.properties.get(self.modified)) or record.updated_at
            for loser in str(record.properties.get(MERGED) or "").split(";"):
                if loser not in ("", record.id):
                    yield ExternalRecord(loser, {}, modified, is_deleted=True, merged_into=record.id)
            yield ExternalRecord(record.id, self._fields(record, targets, links), modified)

    def _fields(self, record: Record, targets: Sequence[str], links: Links) -> Fields:
        sent = record.properties
        values: dict[str, Any] = {name: sent[name] for name in self.fields if name in sent}
        for target in targets:
            values[ASSOCIATION + target] = links[record.id][target]
        return values


def moment(text: Any) -> datetime | None:
    """Return HubSpot's text of an instant, or None."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None
