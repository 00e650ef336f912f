"""Searches agree with plain Python over a full listing."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mj_sandbox import serve
from mj_sandbox.moments import milliseconds

NAMES = ["firstname", "lastname", "email", "jobtitle", "credit_limit", "contract_start", "customer_tier", "hs_email_optout"]
PATH = "/crm/v3/objects/contacts/search"
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def everyone(standing: Any) -> list[dict[str, Any]]:
    records, after = [], "0"
    while after:
        page = standing("GET", f"/crm/v3/objects/contacts?limit=100&after={after}&properties={','.join(NAMES)}").json
        records += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
    assert len(records) == 1234 - 10 + 7
    return records


def found(call: Any, *filters: dict[str, Any], **more: Any) -> list[str]:
    """Return all ids of a search, paged by offset."""
    ids, after = [], 0
    while True:
        body = {"filterGroups": [{"filters": list(filters)}], "limit": 200, "after": str(after), **more}
        page = call("POST", PATH, body)
        assert page.status == 200, page.json
        ids += [each["id"] for each in page.json["results"]]
        if "paging" not in page.json:
            assert len(ids) == page.json["total"]
            return ids
        after = int(page.json["paging"]["next"]["after"])


ORACLES: list[tuple[dict[str, Any], Callable[[str | None], bool]]] = [
    ({"propertyName": "lastname", "operator": "EQ", "value": "SMITH"}, lambda v: v is not None and v.lower() == "smith"),
    ({"propertyName": "firstname", "operator": "NEQ", "value": "Ada"}, lambda v: v is not None and v != "Ada"),
    ({"propertyName": "credit_limit", "operator": "LT", "value": "9000"}, lambda v: v is not None and float(v) < 9000),
    ({"propertyName": "credit_limit", "operator": "LTE", "value": 9000}, lambda v: v is not None and float(v) <= 9000),
    ({"propertyName": "credit_limit", "operator": "GT", "value": "41000"}, lambda v: v is not None and float(v) > 41000),
    ({"propertyName": "credit_limit", "operator": "GTE", "value": "41000"}, lambda v: v is not None and float(v) >= 41000),
    (
        {"propertyName": "credit_limit", "operator": "BETWEEN", "value": "1000", "highValue": "2000"},
        lambda v: v is not None and 1000 <= float(v) <= 2000,
    ),
    ({"propertyName": "contract_start", "operator": "GTE", "value": "2025-06-01"}, lambda v: v is not None and v >= "2025-06-01"),
    (
        {"propertyName": "contract_start", "operator": "LT", "value": "1748736000000"},
        lambda v: v is not None and v < "2025-06-01",
    ),
    ({"propertyName": "customer_tier", "operator": "IN", "values": ["gold", "silver"]}, lambda v: v in ("gold", "silver")),
    ({"propertyName": "customer_tier", "operator": "NOT_IN", "values": ["gold"]}, lambda v: v is not None and v != "gold"),
    ({"propertyName": "lastname", "operator": "IN", "values": ["smith"]}, lambda v: v is not None and v.lower() == "smith"),
    ({"propertyName": "lastname", "operator": "IN", "values": ["Smith"]}, lambda _: False),
    ({"propertyName": "jobtitle", "operator": "HAS_PROPERTY"}, lambda v: v is not None),
    ({"propertyName": "jobtitle", "operator": "NOT_HAS_PROPERTY"}, lambda v: v is None),
    ({"propertyName": "jobtitle", "operator": "CONTAINS_TOKEN", "value": "manager"}, lambda v: "Manager" in (v or "").split()),
    ({"propertyName": "jobtitle", "operator": "CONTAINS_TOKEN", "value": "eng*"}, lambda v: "Engineer" in (v or "")),
    (
        {"propertyName": "jobtitle", "operator": "NOT_CONTAINS_TOKEN", "value": "manager"},
        lambda v: v is not None and "Manager" not in v.split(),
    ),
    ({"propertyName": "hs_email_optout", "operator": "EQ", "value": True}, lambda v: v == "true"),
]


@pytest.mark.parametrize(("condition", "oracle"), ORACLES, ids=lambda it: it.get("operator") if isinstance(it, dict) else "")
def test_every_operator(
    standing: Any, everyone: list[dict[str, Any]], condition: dict[str, Any], oracle: Callable[[str | None], bool]
) -> None:
    wanted = [each["id"] for each in everyone if oracle(each["properties"][condition["propertyName"]])]
    assert found(standing, condition) == wanted


@quick
@given(low=st.integers(0, 1233), high=st.integers(0, 1233), last=st.integers(0, 1300))
def test_windows_cut_by_id(standing: Any, everyone: list[dict[str, Any]], low: int, high: int, last: int) -> None:
    times = sorted(milliseconds(each["updatedAt"]) for each in everyone)
    start, end = times[low % len(times)], times[high % len(times)]
    past = int(everyone[0]["id"]) + last
    filters = [
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(start)},
        {"propertyName": "lastmodifieddate", "operator": "LTE", "value": str(end)},
        {"propertyName": "hs_object_id", "operator": "GT", "value": str(past)},
    ]
    wanted = [each["id"] for each in everyone if start <= milliseconds(each["updatedAt"]) <= end and int(each["id"]) > past]
    sort = {"propertyName": "hs_object_id", "direction": "ASCENDING"}
    assert found(standing, *filters, sorts=[sort]) == wanted


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_sorts_by_time(standing: Any, everyone: list[dict[str, Any]], direction: str) -> None:
    ids = found(standing, {"propertyName": "hs_object_id", "operator": "HAS_PROPERTY"}, sorts=[
        {"propertyName": "lastmodifieddate", "direction": direction}
    ])  # fmt: skip
    times = {each["id"]: each["updatedAt"] for each in everyone}
    assert [times[each] for each in ids] == sorted(times.values(), reverse=direction == "DESCENDING")


def test_groups_are_alternatives(standing: Any, everyone: list[dict[str, Any]]) -> None:
    groups = [[("customer_tier", "gold"), ("lastname", "Smith")], [("firstname", "Made")]]
    body = [{"filters": [{"propertyName": n, "operator": "EQ", "value": v} for n, v in group]} for group in groups]
    answer = standing("POST", PATH, {"filterGroups": body, "limit": 200}).json
    wanted = [
        each["id"]
        for each in everyone
        if any(all(each["properties"][name] == value for name, value in group) for group in groups)
    ]
    assert [each["id"] for each in answer["results"]] == wanted


def test_a_text_is_looked_for_in_names_and_addresses(standing: Any) -> None:
    answer = standing("POST", PATH, {"query": "made3", "properties": ["email"]}).json
    assert [each["properties"]["email"] for each in answer["results"]] == ["made3@example.com"]


def test_defaults(standing: Any) -> None:
    answer = standing("POST", PATH, {})
    assert answer.json["total"] == 1231
    assert len(answer.json["results"]) == 10
    assert answer.json["paging"] == {"next": {"after": "10"}}
    assert not [name for name in answer.headers if "ratelimit" in name.lower()]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "10000"},
        {"after": "x"},
        {"sorts": [{"propertyName": "email"}, {"propertyName": "city"}]},
        {"sorts": [{"propertyName": "nonsense"}]},
        {"filterGroups": [{"filters": [{"propertyName": "nonsense", "operator": "HAS_PROPERTY"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "IN"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GT", "value": "soon"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 7}]},
        {"filterGroups": [{"filters": []}] * 6},
        b"{nonsense",
    ],
)
def test_searches_against_the_rules_are_refused(standing: Any, body: Any) -> None:
    answer = standing("POST", PATH, body)
    assert answer.status == 400
    assert answer.json["category"] == "VALIDATION_ERROR"


def test_no_more_than_ten_thousand_results(caller: Any) -> None:
    with serve(contacts=10_300, seed=1) as handle:
        call = caller(handle)
        call("POST", "/_sandbox/edit", {"count": 10_250, "modified": 1_770_000_000_000})
        window = {"propertyName": "lastmodifieddate", "operator": "EQ", "value": "1770000000000"}
        body = {"filterGroups": [{"filters": [window]}], "limit": 200, "properties": ["email"]}
        last = call("POST", PATH, body | {"after": "9900"}).json
        assert last["total"] == 10_250
        assert (len(last["results"]), last["paging"]["next"]["after"]) == (100, "10000")
        assert call("POST", PATH, body | {"after": last["paging"]["next"]["after"]}).status == 400


def test_a_write_shows_in_searches_only_after_the_lag(caller: Any) -> None:
    with serve(contacts=20, index_lag_ms=400) as handle:
        call = caller(handle)
        first = call("GET", "/crm/v3/objects/contacts?limit=1").json["results"][0]["id"]
        call("PATCH", f"/crm/v3/objects/contacts/{first}", {"properties": {"city": "Xanadu"}})
        call("POST", "/crm/v3/objects/contacts", {"properties": {"city": "Xanadu"}})
        body = {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Xanadu"}]}]}
        assert call("GET", f"/crm/v3/objects/contacts/{first}?properties=city").json["properties"]["city"] == "Xanadu"
        assert call("POST", PATH, body).json["total"] == 0
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if call("POST", PATH, body).json["total"] == 2:
                return
        pytest.fail("the index never caught up")
