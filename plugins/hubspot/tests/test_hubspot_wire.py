"""What is asked of HubSpot, and what its answers become, one request at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mj_provider_hubspot.source import HubSpotSource

from mjcore.capabilities import RecordReader
from mjcore.errors import (
    AuthFailed,
    CheckpointExpired,
    NotSupported,
    ProviderError,
    RateLimited,
    Unavailable,
)
from mjcore.records import Checkpoint, FetchRequest, Watermark

Connect = Callable[..., HubSpotSource]
CONTACTS = "/crm/v3/objects/contacts"
MODIFIED = "2026-02-25T16:23:49.023Z"


def request(
    fields: tuple[str, ...] = ("email",),
    *,
    name: str = "contacts",
    since: str | None = None,
    until: str | None = "2026-03-01T12:00:00.000+00:00",
    checkpoint: Checkpoint | None = None,
    limit: int = 200,
) -> FetchRequest:
    def mark(text: str | None) -> Watermark | None:
        return Watermark("Timestamp", text) if text else None

    return FetchRequest(name, fields, mark(since), mark(until), checkpoint, limit)


def contact(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "properties": {"hs_object_id": str(number), "lastmodifieddate": MODIFIED, **properties},
        "updatedAt": MODIFIED,
        "archived": False,
    }


def empty(script: Any) -> None:
    """An account without records."""
    script.on(f"GET {CONTACTS}", 200, {"results": []})
    script.on(f"POST {CONTACTS}/search", 200, {"total": 0, "results": []})


# --- Values --------------------------------------------------------------------------------------


def test_a_record_holds_what_was_asked_for_and_sent(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1, email="a@b.test", phone=None, extra="x")]})
    (record,) = source.fetch(request(("email", "phone", "absent"))).records
    assert record.fields == {"email": "a@b.test", "phone": None}
    assert record.external_id == "1"
    assert record.modified_at == datetime(2026, 2, 25, 16, 23, 49, 23000, UTC)
    assert not record.is_deleted


def test_a_name_that_is_not_ascii_is_found(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1, prénom="Ada", email="a@b.test", extra="x")]})
    (record,) = source.fetch(request(("prénom", "email"))).records
    assert record.fields == {"prénom": "Ada", "email": "a@b.test"}


def test_ids_only(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1, email="a@b.test")]})
    (record,) = source.fetch(request(())).records
    assert (record.external_id, record.fields) == ("1", {})


@pytest.mark.parametrize("modified", [None, "", "yesterday", "2026-02-25T16:23:49", 5])
def test_a_record_without_a_modified_property_has_the_time_of_the_record(
    script: Any, source: HubSpotSource, modified: Any
) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1, lastmodifieddate=modified)]})
    (record,) = source.fetch(request()).records
    assert record.modified_at == datetime.fromisoformat(MODIFIED)


def test_a_merged_record_is_deleted_in_favour_of_the_survivor(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(9, hs_merged_object_ids="3;4")]})
    records = source.fetch(request()).records
    assert [(r.external_id, r.is_deleted, r.merged_into) for r in records] == [
        ("3", True, "9"),
        ("4", True, "9"),
        ("9", False, None),
    ]


# --- Full windows --------------------------------------------------------------------------------


def test_a_full_window_lists_and_counts(script: Any, source: HubSpotSource) -> None:
    page = {"results": [contact(1)], "paging": {"next": {"after": "2", "link": "x"}}}
    script.on(f"GET {CONTACTS}", 200, page)
    script.on(f"POST {CONTACTS}/search", 200, {"total": 70123, "results": [contact(1)]})
    first = source.fetch(request())
    assert first.total == 70123
    assert script.asked[0].query == {
        "limit": "100",
        "archived": "false",
        "properties": "email,lastmodifieddate,hs_merged_object_ids",
    }
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(2)]})
    last = source.fetch(request(checkpoint=first.next))
    assert script.asked[-1].query["after"] == "2"
    assert (last.next, last.total) == (None, None)


def test_objects_that_cannot_be_searched_are_not_counted(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1)]})
    assert source.fetch(request()).total is None


def test_a_lost_page_position_restarts_the_window(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 400, {"message": "after is invalid", "category": "VALIDATION_ERROR"})
    for phase in ("list", "archived"):
        with pytest.raises(CheckpointExpired, match="after is invalid"):
            source.fetch(request(checkpoint={"phase": phase, "after": "gone"}))
    with pytest.raises(CheckpointExpired, match="another version"):
        source.fetch(request(checkpoint={"phase": "scroll"}))
    with pytest.raises(NotSupported):
        source.fetch(request())


# --- Changed-since windows -----------------------------------------------------------------------


def search(script: Any) -> dict[str, Any]:
    return next(asked.body for asked in reversed(script.asked) if asked.path.endswith("/search"))


@pytest.mark.parametrize(
    ("name", "modified"), [("contacts", "lastmodifieddate"), ("deals", "hs_lastmodifieddate"), ("p_car", "hs_lastmodifieddate")]
)
def test_changes_are_searched_in_the_frozen_window_by_id(script: Any, source: HubSpotSource, name: str, modified: str) -> None:
    script.on(f"POST /crm/v3/objects/{name}/search", 200, {"total": 0, "results": []})
    page = source.fetch(request(name=name, since="2026-03-01T11:00:00.001+00:00"))
    assert search(script) == {
        "filterGroups": [
            {
                "filters": [
                    {"propertyName": "hs_object_id", "operator": "GT", "value": "0"},
                    {"propertyName": modified, "operator": "GTE", "value": "1772362800001"},
                    {"propertyName": modified, "operator": "LT", "value": "1772366400000"},
                ]
            }
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": ["email", modified, "hs_merged_object_ids"],
        "limit": 200,
    }
    assert page.next == {"phase": "archived"}


def test_a_search_goes_on_after_its_last_id_and_takes_no_offset(script: Any, source: HubSpotSource) -> None:
    found = {"total": 3, "results": [contact(5), contact(1000)], "paging": {"next": {"after": "2"}}}
    script.on(f"POST {CONTACTS}/search", 200, found)
    first = source.fetch(request(since="2026-03-01T11:00:00+00:00"))
    assert (first.total, first.next) == (3, {"phase": "search", "last": "1000"})
    script.on(f"POST {CONTACTS}/search", 200, {"total": 1, "results": [contact(1001)]})
    second = source.fetch(request(since="2026-03-01T11:00:00+00:00", checkpoint=first.next))
    assert search(script)["filterGroups"][0]["filters"][0]["value"] == "1000"
    assert "after" not in search(script)
    assert (second.total, second.next) == (None, {"phase": "archived"})


@pytest.mark.parametrize("ids", [(7, 6), (5, 5), (4,), (3, 7)])
def test_a_search_that_ignores_the_order_or_the_filter_is_refused(
    script: Any, source: HubSpotSource, ids: tuple[int, ...]
) -> None:
    script.on(f"POST {CONTACTS}/search", 200, {"total": 9, "results": [contact(i) for i in ids]})
    with pytest.raises(ProviderError, match="filter and order"):
        source.fetch(request(since="2026-03-01T11:00:00+00:00", checkpoint={"phase": "search", "last": "4"}))


def test_a_slower_index_reaches_further_back(script: Any, connect: Connect) -> None:
    empty(script)
    connect(script.url, index_lag=60).fetch(request(since="2026-03-01T11:01:00+00:00"))
    assert search(script)["filterGroups"][0]["filters"][1]["value"] == "1772362800000"


# --- Long property lists -------------------------------------------------------------------------

LONG = tuple(f"a_property_with_a_rather_long_name_{i:04}" for i in range(400))


def read(asked: Any) -> tuple[int, Any]:
    """Answer a batch read in an order of its own."""
    ids = [int(one["id"]) for one in asked.body["inputs"]]
    properties = {name: f"{name} sent" for name in asked.body["properties"] if name.startswith("a_")}
    return 200, {"status": "COMPLETE", "results": [contact(i, **properties) for i in reversed(ids)]}


def test_a_list_whose_address_would_be_too_long_reads_the_properties_by_id(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1), contact(2)]})
    script.routes[f"POST {CONTACTS}/batch/read"] = read
    records = source.fetch(request(LONG)).records
    assert {r.external_id for r in records} == {"1", "2"}
    assert all(r.fields == {name: f"{name} sent" for name in LONG} for r in records)
    assert max(len(asked.url) for asked in script.asked) < 8000


def test_a_search_whose_body_would_be_too_long_reads_the_properties_by_id(script: Any, source: HubSpotSource) -> None:
    script.on(f"POST {CONTACTS}/search", 200, {"total": 2, "results": [contact(1), contact(2)]})
    script.routes[f"POST {CONTACTS}/batch/read"] = read
    records = source.fetch(request(LONG, since="2026-03-01T11:00:00+00:00")).records
    assert all(r.fields == {name: f"{name} sent" for name in LONG} for r in records)
    assert search(script)["limit"] == 100
    assert len(str(search(script))) < 3000


def test_who_is_gone_between_the_two_requests_is_left_out(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1), contact(2), contact(3)]})
    errors = [{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "…", "context": {"ids": ["3"]}}]
    answer = {"status": "COMPLETE", "results": [contact(9), contact(1)], "numErrors": 1, "errors": errors}
    script.on(f"POST {CONTACTS}/batch/read", 207, answer)
    assert [r.external_id for r in source.fetch(request(LONG)).records] == ["1"]


# --- Associations --------------------------------------------------------------------------------


def link(*ids: int, after: str | None = None) -> dict[str, Any]:
    kinds = ("contact_to_company", "contact_to_company_unlabeled")
    links: dict[str, Any] = {"results": [{"id": str(i), "type": kind} for i in ids for kind in kinds]}
    return {**links, "paging": {"next": {"after": after, "link": "x"}}} if after else links


def test_associations_come_with_the_list(script: Any, source: HubSpotSource) -> None:
    one, two = contact(1), contact(2)
    one["associations"] = {"companies": link(70, 71), "line items": link(5)}
    script.on(f"GET {CONTACTS}", 200, {"results": [one, two]})
    fields = ("email", "associations.companies", "associations.line_items")
    records = source.fetch(request(fields)).records
    assert script.asked[0].query["associations"] == "companies,line_items"
    assert records[0].fields == {"associations.companies": ("70", "71"), "associations.line_items": ("5",)}
    assert records[1].fields == {"associations.companies": (), "associations.line_items": ()}


def test_long_associations_are_read_to_their_end(script: Any, source: HubSpotSource) -> None:
    one = contact(1)
    one["associations"] = {"companies": link(70, after="70")}
    script.on(f"GET {CONTACTS}", 200, {"results": [one]})

    def associations(asked: Any) -> tuple[int, Any]:
        more = {"paging": {"next": {"after": "8"}}}
        found = {None: ([70], more), "8": ([80], {})}[asked.body["inputs"][0].get("after")]
        return 207, {"results": [{"from": {"id": "1"}, "to": [{"toObjectId": i} for i in found[0]], **found[1]}], "errors": []}

    script.routes["POST /crm/v4/associations/contacts/companies/batch/read"] = associations
    (record,) = source.fetch(request(("associations.companies",))).records
    assert record.fields == {"associations.companies": ("70", "80")}


def test_associations_that_repeat_themselves_end_with_an_error(script: Any, source: HubSpotSource) -> None:
    one = {"from": {"id": "1"}, "to": [{"toObjectId": 70}], "paging": {"next": {"after": "8"}}}
    script.on(f"POST {CONTACTS}/search", 200, {"total": 1, "results": [contact(1)]})
    script.on("POST /crm/v4/associations/contacts/companies/batch/read", 200, {"results": [one]})
    with pytest.raises(ProviderError, match="repeats itself"):
        source.fetch(request(("associations.companies",), since="2026-03-01T11:00:00+00:00"))


def test_associations_of_search_results_and_to_custom_objects_are_read_in_batches(script: Any, source: HubSpotSource) -> None:
    answer = {"results": [{"from": {"id": "2"}, "to": [{"toObjectId": 12345678901}]}], "numErrors": 1, "errors": [{}]}
    script.on(f"POST {CONTACTS}/search", 200, {"total": 2, "results": [contact(1), contact(2)]})
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1), contact(2)]})
    for target in ("companies", "p1_cars"):
        script.on(f"POST /crm/v4/associations/contacts/{target}/batch/read", 207, answer)
    for field, since in [("associations.companies", "2026-03-01T11:00:00+00:00"), ("associations.p1_cars", None)]:
        records = source.fetch(request((field,), since=since)).records
        assert [r.fields for r in records] == [{field: ()}, {field: ("12345678901",)}]
    assert not [asked for asked in script.asked if "associations" in asked.query]


# --- Archived records ----------------------------------------------------------------------------


def archived(number: int, at: str) -> dict[str, Any]:
    return {**contact(number), "archived": True, "archivedAt": at}


def test_the_archived_walk_tells_of_what_the_window_archived(script: Any, source: HubSpotSource) -> None:
    gone = [archived(1, "2026-03-01T10:59:59.999Z"), archived(2, "2026-03-01T11:00:00Z"), archived(3, "2026-03-01T12:00:01Z")]
    script.on(f"GET {CONTACTS}", 200, {"results": gone, "paging": {"next": {"after": "4"}}})
    first = source.fetch(request(since="2026-03-01T11:00:00+00:00", checkpoint={"phase": "archived"}))
    assert script.asked[-1].query == {"limit": "100", "archived": "true", "properties": "hs_object_id"}
    assert [(r.external_id, r.is_deleted, r.fields) for r in first.records] == [("2", True, {}), ("3", True, {})]
    assert first.next == {"phase": "archived", "after": "4"}
    script.on(f"GET {CONTACTS}", 200, {"results": []})
    assert source.fetch(request(since="2026-03-01T11:00:00+00:00", checkpoint=first.next)).next is None


# --- Single records ------------------------------------------------------------------------------


def test_records_are_read_by_id_and_the_missing_left_out(script: Any, source: HubSpotSource) -> None:
    assert isinstance(source, RecordReader)
    survivor = contact(9, hs_merged_object_ids="3;5")
    script.on(f"POST {CONTACTS}/batch/read", 207, {"results": [contact(1, email="a"), survivor], "errors": [{}]})
    records = source.read("contacts", ["1", "2", "3"], ("email",))
    assert [(r.external_id, r.is_deleted, r.merged_into) for r in records] == [("1", False, None), ("3", True, "9")]


def test_many_ids_are_read_by_hundreds(script: Any, source: HubSpotSource) -> None:
    script.routes[f"POST {CONTACTS}/batch/read"] = read
    ids = [str(i) for i in range(1, 252)]
    assert {r.external_id for r in source.read("contacts", ids, ("email",))} == set(ids)
    assert [len(asked.body["inputs"]) for asked in script.asked] == [100, 100, 51]


# --- The clock -----------------------------------------------------------------------------------


def test_windows_end_by_the_servers_clock(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": []})
    before = datetime.now(UTC)
    mark = source.high_watermark("contacts")
    assert mark is not None
    assert mark.type == "Timestamp"
    assert before <= mark.instant <= before + timedelta(seconds=3)  # whole seconds: the current one is read, too


# --- Failures ------------------------------------------------------------------------------------

SCOPES = {"message": "no scope", "category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["crm.read"]}}]}
LIMIT = {"message": "ten_secondly_rolling limit", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (401, {"message": "expired", "category": "EXPIRED_AUTHENTICATION"}, AuthFailed, "expired; check the token"),
        (403, SCOPES, AuthFailed, "give the token the scope crm.read"),
        (403, b"<html>", AuthFailed, "give the token the scope"),
        (400, {"message": "bad filter", "category": "VALIDATION_ERROR"}, NotSupported, "bad filter"),
        (404, {"message": "unknown object"}, NotSupported, "unknown object"),
        (429, LIMIT, RateLimited, "ten_secondly_rolling"),
        (429, {**LIMIT, "policyName": "DAILY"}, RateLimited, "daily limit is used up until midnight"),
        (429, b"", RateLimited, "429"),
        (423, {"message": "locked"}, Unavailable, "locked"),
        (477, {"message": "migration"}, Unavailable, "migration"),
        (500, {"message": "oops"}, Unavailable, "oops"),
        (502, b"<html>Bad gateway</html>", Unavailable, "502"),
        (200, b'{"results": [{"id": "1", "prop', Unavailable, "no JSON"),
        (200, {"results": [{"properties": {}}]}, NotSupported, "missing required field `id`"),
    ],
)
def test_a_failure_is_typed_and_says_what_hubspot_said(
    script: Any, source: HubSpotSource, status: int, body: Any, kind: type[ProviderError], says: str
) -> None:
    script.on(f"GET {CONTACTS}", status, body)
    with pytest.raises(kind, match=says) as error:
        source.fetch(request())
    assert str(error.value).startswith(f"GET {CONTACTS}: {status}")


def test_retry_after_reaches_the_kernel(script: Any, source: HubSpotSource) -> None:
    for body, headers, wait in [
        (LIMIT, {"Retry-After": "7"}, timedelta(seconds=7)),
        (LIMIT, {}, None),
        ({**LIMIT, "policyName": "DAILY"}, {"Retry-After": "9"}, timedelta(seconds=9)),
        ({**LIMIT, "policyName": "DAILY"}, {}, timedelta(hours=1)),
    ]:
        script.on(f"GET {CONTACTS}", 429, body, headers)
        with pytest.raises(RateLimited) as error:
            source.fetch(request())
        assert error.value.retry_after == wait


def test_a_body_that_is_cut_is_unavailable(script: Any, source: HubSpotSource) -> None:
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1)]})
    script.cut = True
    with pytest.raises(Unavailable):
        source.fetch(request())


def test_no_message_shows_the_token(script: Any, connect: Connect) -> None:
    token = "pat-na1-never-shown"
    source = connect(script.url, token=token)
    assert token not in repr(source.__dict__)
    for status in (400, 401, 403, 429, 500):
        script.on(f"GET {CONTACTS}", status, {"message": f"the token {token} is not good"})
        with pytest.raises(ProviderError) as error:
            source.fetch(request())
        assert "is not good" in str(error.value)
        assert token not in repr(error.value)


def test_every_request_takes_a_token_of_the_limiter(script: Any, connect: Connect) -> None:
    taken: list[int] = []
    source = connect(script.url, throttle=lambda: taken.append(len(script.asked)))
    script.on(f"GET {CONTACTS}", 200, {"results": [contact(1)]})
    script.on(f"POST {CONTACTS}/search", 200, {"total": 1, "results": [contact(1)]})
    source.fetch(request(("email", "associations.companies")))
    source.high_watermark("contacts")
    assert taken == [0, 1, 2]


# --- Versions ------------------------------------------------------------------------------------


def test_dated_versions_have_paths_of_their_own(script: Any, connect: Connect) -> None:
    source = connect(script.url, api_version="2026-09")
    objects = "/crm/objects/2026-09/contacts"
    script.on(f"GET {objects}", 200, {"results": [contact(1)]})
    script.on(f"POST {objects}/search", 200, {"total": 1, "results": [contact(1)]})
    script.on("POST /crm/associations/2026-09/contacts/companies/batch/read", 200, {"results": []})
    script.on("GET /crm/properties/2026-09/contacts", 200, {"results": [{"name": "email"}]})
    script.on("GET /crm-object-schemas/2026-09/schemas", 200, {"results": []})
    script.on("GET /crm/owners/2026-09", 200, {"results": [{"id": "1"}]})
    script.on("GET /account-info/2026-09/details", 200, {"portalId": 7})
    assert source.fetch(request(("associations.companies",), since="2026-03-01T11:00:00+00:00")).records
    assert source.fetch(request(())).records
    assert [one.name for one in source.objects()] == ["contacts", "owners"]
    assert next(iter(source.fields("contacts"))).name == "email"
    assert source.fetch(request(("id",), name="owners")).records[0].fields == {"id": "1"}
    assert source.test()["account"] == "7"


@pytest.mark.parametrize("version", ["", "v4", "2026", "2026-9", "latest", "v3/../x"])
def test_a_version_that_does_not_exist_is_refused(connect: Connect, version: str) -> None:
    with pytest.raises(ValueError, match="v3 or a dated version"):
        connect("http://127.0.0.1:1", api_version=version)


@pytest.mark.parametrize("url", ["", "api.hubapi.com", "ftp://x", "https://", "https://x?y", "https://user@x"])
def test_an_address_that_is_none_is_refused(connect: Connect, url: str) -> None:
    with pytest.raises(ValueError, match="an address such as"):
        connect(url)


def test_object_names_stay_inside_their_path(script: Any, source: HubSpotSource) -> None:
    with pytest.raises(NotSupported):
        source.fetch(request(name="../owners?x=1"))
    assert script.asked[0].url.startswith("/crm/v3/objects/..%2Fowners%3Fx%3D1?")


# --- Test of the connection ----------------------------------------------------------------------


def test_the_account_is_shown(script: Any, source: HubSpotSource) -> None:
    headers = {
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Max": "110",
        "X-HubSpot-RateLimit-Daily": "650000",
        "X-HubSpot-RateLimit-Daily-Remaining": "649999",
    }
    body = {"portalId": 147893286, "accountType": "STANDARD", "timeZone": "US/Eastern", "companyCurrency": "USD"}
    script.on("GET /account-info/v3/details", 200, body, headers)
    assert source.test() == {
        "account": "147893286",
        "type": "STANDARD",
        "time zone": "US/Eastern",
        "currency": "USD",
        "rate limit": "110 requests per 10 s",
        "daily limit": "649999 of 650000 requests left",
    }


def test_a_token_that_may_not_see_the_account_still_passes(script: Any, source: HubSpotSource) -> None:
    script.on("GET /account-info/v3/details", 403, SCOPES)
    script.on("GET /crm/v3/properties/contacts", 200, {"results": []})
    assert "not shown" in source.test()["account"]


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_token_does_not_pass(script: Any, source: HubSpotSource, status: int) -> None:
    script.on("GET /account-info/v3/details", status, {"message": "no"})
    script.on("GET /crm/v3/properties/contacts", 401, {"message": "no"})
    with pytest.raises(AuthFailed):
        source.test()
