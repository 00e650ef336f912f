"""One page of a window: live records by list (full) or search (changed since), then the archived ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from attrs import frozen

from mj_provider_hubspot.api import BATCH_LIMIT, SEARCH_BODY_LIMIT, SEARCH_LIMIT, Api
from mj_provider_hubspot.associations import LISTED, associations
from mj_provider_hubspot.config import Config
from mj_provider_hubspot.messages import Record
from mj_provider_hubspot.records import Wanted, wanted
from mjcore.errors import CheckpointExpired, NotSupported, ProviderError
from mjcore.records import Checkpoint, ExternalRecord, FetchRequest, Page

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MILLISECOND = timedelta(milliseconds=1)


@frozen
class Windows:
    """Reads the windows of CRM objects."""

    api: Api
    config: Config

    def page(self, request: FetchRequest) -> Page:
        """Return the page at the request's checkpoint, or the window's first."""
        at = request.checkpoint or {"phase": "list" if request.since is None else "search"}
        match at.get("phase"):
            case "list":
                return self._list(request, _text(at, "after"))
            case "search":
                return self._search(request, _text(at, "last") or "0")
            case "archived":
                return self._archived(request, _text(at, "after"))
        raise CheckpointExpired(f"{request.object_name}: a checkpoint of another version of this provider: {at.get('phase')}")

    def _list(self, request: FetchRequest, after: str | None) -> Page:
        """Everything. What the source archived is missing from the list, and found by the kernel's sweep."""
        want = wanted(request.object_name, request.fields)
        shown = [target for target in want.associated if target in LISTED]
        fits = self.api.list_fits(want.object_name, want.properties, shown)
        asked = want.properties if fits else (want.modified,)
        try:
            found = self.api.list_records(want.object_name, asked, after=after, limit=request.limit, associations=shown)
        except NotSupported as error:
            if after is None:
                raise
            raise CheckpointExpired(str(error)) from None
        records = found.results if fits else self._complete(want, found.results)
        following = {"phase": "list", "after": found.after} if found.after else None
        return Page(self._external(want, records, listed=True), following, self._count(request) if after is None else None)

    def _search(self, request: FetchRequest, last: str) -> Page:
        """What was modified in the window, by id alone: neither edits meanwhile nor the search's cap can hide a record."""
        want = wanted(request.object_name, request.fields)
        query = self._query(want, request, last)
        fits = len(msgspec.json.encode(query)) <= SEARCH_BODY_LIMIT
        if not fits:
            query = {**query, "properties": [want.modified], "limit": min(request.limit, BATCH_LIMIT)}
        found = self.api.search(want.object_name, query)
        _check_order(want.object_name, last, found.results)
        records = found.results if fits else self._complete(want, found.results)
        if found.results and (found.after or len(found.results) >= query["limit"]):
            following: Checkpoint | None = {"phase": "search", "last": found.results[-1].id}
        else:
            following = {"phase": "archived"} if self._archived_since(request) else None
        return Page(self._external(want, records, listed=False), following, found.total if last == "0" else None)

    def _query(self, want: Wanted, request: FetchRequest, last: str) -> Mapping[str, Any]:
        filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": last}]
        if request.since:
            start = request.since.instant - timedelta(seconds=self.config.index_lag)
            filters.append({"propertyName": want.modified, "operator": "GTE", "value": _milliseconds(start)})
        if request.until:
            filters.append({"propertyName": want.modified, "operator": "LT", "value": _milliseconds(request.until.instant)})
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": want.properties,
            "limit": min(request.limit, SEARCH_LIMIT),
        }

    def _archived(self, request: FetchRequest, after: str | None) -> Page:
        """The archived records, walked in full, because HubSpot cannot filter them by time."""
        since = self._archived_since(request)
        try:
            found = self.api.list_archived(request.object_name, after=after, limit=request.limit)
        except NotSupported as error:
            if after is None:
                raise
            raise CheckpointExpired(str(error)) from None
        gone = [
            ExternalRecord(record.id, {}, record.archived_at, is_deleted=True)
            for record in found.results
            if since is None or record.archived_at is None or record.archived_at >= since
        ]
        return Page(gone, {"phase": "archived", "after": found.after} if found.after else None)

    def _archived_since(self, request: FetchRequest) -> datetime | None:
        """Return the time from which archived records count, or None if this window does not walk them.

        Walks lie on a fixed grid of time, so that whether one is due follows from the window alone: the one that crosses
        a grid line walks, and looks back to the grid line before its start, which earlier windows cannot have passed.
        """
        if request.since is None or request.until is None:
            return None
        since = request.since.instant
        if not self.config.archived_interval:
            return since
        interval = timedelta(minutes=self.config.archived_interval)
        line = (since - EPOCH) // interval
        return EPOCH + line * interval if (request.until.instant - EPOCH) // interval > line else None

    def _complete(self, want: Wanted, found: Sequence[Record]) -> Sequence[Record]:
        """Read the properties that had no room in the request that found the records; who is gone meanwhile is left out."""
        if not found:
            return ()
        links = {record.id: record.associations for record in found}
        read = self.api.read_records(want.object_name, list(links), want.properties).results
        records = [record for record in read if record.id in links]
        for record in records:
            record.associations = links[record.id]
        return records

    def _external(self, want: Wanted, records: Sequence[Record], *, listed: bool) -> Sequence[ExternalRecord]:
        links = associations(self.api, want.object_name, want.associated, records, listed=listed)
        return want.records(records, links)

    def _count(self, request: FetchRequest) -> int | None:
        """Return how many records there are: a list does not say it, a search without filters does."""
        try:
            return self.api.search(request.object_name, {"limit": 1, "properties": ["hs_object_id"]}).total
        except NotSupported:
            return None

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        """Return records by id. One that was merged is reported as deleted, with the survivor; one that is gone is left out."""
        want = wanted(object_name, fields)
        asked: set[str] = set(ids)
        delivered: list[ExternalRecord] = []
        for start in range(0, len(ids), BATCH_LIMIT):
            found = self.api.read_records(want.object_name, ids[start : start + BATCH_LIMIT], want.properties).results
            delivered += self._external(want, found, listed=False)
        return [record for record in delivered if record.external_id in asked]


def _check_order(object_name: str, last: str, found: Sequence[Record]) -> None:
    """Refuse a page on which paging by id would lose records."""
    ids = [int(last), *(int(record.id) if record.id.isdecimal() else -1 for record in found)]
    if any(one >= following for one, following in pairwise(ids)):
        raise ProviderError(f"{object_name}: the search did not keep to the filter and order of ids that were asked for")


def _milliseconds(moment: datetime) -> str:
    return str((moment - EPOCH) // MILLISECOND)


def _text(at: Checkpoint, key: str) -> str | None:
    value = at.get(key)
    return None if value is None else str(value)
