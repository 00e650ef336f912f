"""Windows over an account that changes while it is read: nothing is lost, and every page can be gone on from."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from mj_http import HttpClient
from mj_provider_hubspot.api import Api
from mj_provider_hubspot.config import Config
from mj_provider_hubspot.paths import Paths
from mj_provider_hubspot.windows import Windows

from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark

START = 1_772_366_400_000
"""Milliseconds since 1970."""


def instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


@define
class Deal:
    name: str
    modified: int
    archived: int | None = None


@define
class Account:
    """A transport to deals in memory, as HubSpot pages, filters and sorts them."""

    deals: dict[int, Deal] = field(factory=dict)
    clock: int = START
    before_request: Callable[[], None] = lambda: None
    requests: int = 0

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        self.requests += 1
        self.before_request()
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        answer = self.search(msgspec.json.decode(body)) if body else self.list(query)
        return 200, {}, msgspec.json.encode(answer)

    def list(self, query: dict[str, str]) -> dict[str, Any]:
        archived = query["archived"] == "true"
        ids = [i for i, deal in sorted(self.deals.items()) if (deal.archived is not None) is archived]
        left = [i for i in ids if i >= int(query.get("after", 0))]
        limit = int(query["limit"])
        more = {"paging": {"next": {"after": str(left[limit])}}} if len(left) > limit else {}
        return {"results": [self.shown(i) for i in left[:limit]], **more}

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        assert "after" not in body, "an offset into a moving set"
        found = sorted(i for i, deal in self.deals.items() if deal.archived is None and self.passes(i, deal, body))
        limit = body["limit"]
        more = {"paging": {"next": {"after": str(limit)}}} if len(found) > limit else {}
        return {"total": len(found), "results": [self.shown(i) for i in found[:limit]], **more}

    def passes(self, number: int, deal: Deal, body: dict[str, Any]) -> bool:
        compare = {"GT": int.__gt__, "GTE": int.__ge__, "LT": int.__lt__}
        values = {"hs_object_id": number, "hs_lastmodifieddate": deal.modified}
        filters = [one for group in body.get("filterGroups", ()) for one in group["filters"]]
        return all(compare[one["operator"]](values[one["propertyName"]], int(one["value"])) for one in filters)

    def shown(self, number: int) -> dict[str, Any]:
        deal = self.deals[number]
        modified = instant(deal.modified).isoformat()
        gone = {} if deal.archived is None else {"archivedAt": instant(deal.archived).isoformat()}
        properties = {"dealname": deal.name, "hs_lastmodifieddate": modified, "hs_object_id": str(number)}
        return {"id": str(number), "properties": properties, "updatedAt": modified, **gone}

    def close(self) -> None:
        """Nothing is open."""


def reader(account: Account) -> Windows:
    return Windows(Api(HttpClient("http://crm.test", lambda: None, transport=account), Paths("v3"), {}), Config())


def window(since: int | None, until: int, limit: int) -> FetchRequest:
    start, end = (Watermark("Timestamp", instant(m).isoformat()) if m is not None else None for m in (since, until))
    return FetchRequest("deals", ("dealname",), start, end, None, limit)


def pages(account: Account, request: FetchRequest) -> Iterator[Page]:
    """Read on with a new reader for every page, from nothing but the checkpoint as it was stored."""
    while True:
        page = reader(account).page(request)
        yield page
        if page.next is None:
            return
        stored = msgspec.json.encode(page.next)
        assert len(stored) <= 4096
        request = evolve(request, checkpoint=msgspec.json.decode(stored))


def apply(table: dict[str, ExternalRecord], page: Page) -> None:
    """Take a page as the kernel does: deletes remove, an older delivery is skipped."""
    for record in page.records:
        held = table.get(record.external_id)
        if record.is_deleted:
            table.pop(record.external_id, None)
        elif held is None or held.modified_at is None or record.modified_at is None or record.modified_at >= held.modified_at:
            table[record.external_id] = record


def names(table: dict[str, ExternalRecord]) -> dict[str, str]:
    return {i: record.fields["dealname"] for i, record in table.items()}


def live(account: Account) -> dict[str, str]:
    return {str(i): deal.name for i, deal in account.deals.items() if deal.archived is None}


ages = st.lists(st.integers(1, 1_000_000), min_size=1, max_size=40)
limits = st.integers(1, 7)
edits = st.lists(st.tuples(st.sampled_from(["edit", "create", "archive", "wait"]), st.integers(0, 60)), max_size=60)


def account_of(ages: list[int]) -> Account:
    """An account whose deals were modified so many milliseconds before the start; ids have gaps."""
    return Account({7 * i + 1: Deal(f"deal {i}", START - age) for i, age in enumerate(ages)})


@given(ages=ages, limit=limits, full=st.booleans())
def test_a_window_delivers_its_records_once_and_announces_them(ages: list[int], limit: int, full: bool) -> None:
    account, since = account_of(ages), START - 500_000
    expected = [str(i) for i, deal in account.deals.items() if full or deal.modified >= since]
    read = list(pages(account, window(None if full else since, START, limit)))
    assert [record.external_id for page in read for record in page.records] == expected
    assert read[0].total == len(expected)


@given(ages=ages, limit=limits, full=st.booleans(), broken=st.integers(0, 50))
def test_a_page_that_is_read_again_is_the_same(ages: list[int], limit: int, full: bool, broken: int) -> None:
    account = account_of(ages)
    request = window(None if full else START - 500_000, START, limit)
    whole = list(pages(account, request))
    at = whole[broken % len(whole)].next
    if at is not None:
        rest = list(pages(account, evolve(request, checkpoint=at)))
        assert rest == whole[broken % len(whole) + 1 :]


@given(ages=ages, limit=limits, edits=edits)
def test_what_changes_during_a_full_read_is_there_after_the_next_window(
    ages: list[int], limit: int, edits: list[tuple[str, int]]
) -> None:
    account, table = account_of(ages), dict[str, ExternalRecord]()
    todo, fresh = iter(edits), count(1000)

    def change() -> None:
        account.clock += 1000
        what, which = next(todo, ("wait", 0))
        alive = [deal for deal in account.deals.values() if deal.archived is None]
        if what == "create":
            account.deals[next(fresh)] = Deal("created", account.clock)
        elif alive and what == "edit":
            deal = alive[which % len(alive)]
            deal.name, deal.modified = f"{deal.name}!", account.clock
        elif alive and what == "archive":
            alive[which % len(alive)].archived = account.clock

    account.before_request = change
    for page in pages(account, window(None, START, limit)):
        apply(table, page)
    middle = account.clock
    for page in pages(account, window(START, middle, limit)):
        apply(table, page)
    account.before_request = lambda: None
    for page in pages(account, window(middle, account.clock + 1, limit)):
        apply(table, page)
    assert names(table) == live(account)


def test_more_records_on_one_millisecond_than_a_search_shows_all_arrive() -> None:
    account = Account({i: Deal("tied", START - 1) for i in range(1, 10_502)})
    read = list(pages(account, window(START - 1, START, 200)))
    ids = [record.external_id for page in read for record in page.records]
    assert len(ids) == len(set(ids)) == read[0].total == 10_501
    assert account.requests == 54  # 53 of the search, one of the archive


@pytest.mark.parametrize("full", [True, False])
def test_an_empty_account_is_one_empty_window(full: bool) -> None:
    read = list(pages(Account(), window(None if full else START - 1, START, 200)))
    assert [list(page.records) for page in read] == ([[]] if full else [[], []])
    assert read[0].total == 0
