"""Which records a record is associated with."""

from collections.abc import Sequence

from mj_provider_hubspot.api import BATCH_LIMIT, Api
from mj_provider_hubspot.messages import Record
from mj_provider_hubspot.records import Links
from mjcore.errors import ProviderError

LISTED = frozenset({"contacts", "companies", "deals", "tickets", "products", "line_items", "quotes"})
"""Objects whose associations a list shows under a name that is known."""


def associations(api: Api, object_name: str, targets: Sequence[str], records: Sequence[Record], *, listed: bool) -> Links:
    """Return the associations of the records to each target. `listed`: what the list shows is used and only its rest read."""
    if not targets:
        return {}
    found: dict[str, dict[str, tuple[str, ...]]] = {record.id: {} for record in records}
    for target in targets:
        unknown = []
        for record in records:
            ids = _listed(record, target) if listed and target in LISTED else None
            if ids is None:
                unknown.append(record.id)
            else:
                found[record.id][target] = ids
        for start in range(0, len(unknown), BATCH_LIMIT):
            for record_id, ids in _read(api, object_name, target, unknown[start : start + BATCH_LIMIT]).items():
                found[record_id][target] = ids
    return found


def _listed(record: Record, target: str) -> tuple[str, ...] | None:
    """Return the ids that the list shows, or None if it does not show all."""
    for name, shown in (record.associations or {}).items():
        if name.lower().replace(" ", "_") == target:  # line items come as `line items`
            return None if shown.paging and shown.paging.next else tuple(dict.fromkeys(one.id for one in shown.results))
    return ()


def _read(api: Api, object_name: str, target: str, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {i: [] for i in ids}
    inputs = [{"id": i} for i in ids]
    while inputs:
        more = []
        for one in api.read_associations(object_name, target, inputs):
            found.setdefault(one.source.id, []).extend(str(to.to_object_id) for to in one.to)
            if one.paging and one.paging.next:
                more.append({"id": one.source.id, "after": one.paging.next.after})
        if any(one in inputs for one in more):
            raise ProviderError(f"{object_name}: associations to {target}: the source repeats itself")
        inputs = more
    return {record_id: tuple(dict.fromkeys(found[record_id])) for record_id in ids}
