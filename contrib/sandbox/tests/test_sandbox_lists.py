"""Listing, and that a seed makes one account and no other."""

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mj_sandbox import serve
from mj_sandbox.account import Account
from mj_sandbox.options import Options

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(limits=st.lists(st.integers(1, 100), min_size=1, max_size=8), follow_links=st.booleans())
def test_every_record_comes_once_whatever_the_page_size(standing: Any, limits: list[int], follow_links: bool) -> None:
    ids, path, turn = [], f"/crm/v3/objects/contacts?limit={max(limits[0], 20)}&properties=email", 0
    while path:
        page = standing("GET", path).json
        ids += [int(each["id"]) for each in page["results"]]
        following = page.get("paging", {}).get("next")
        turn += 1
        limit = max(limits[turn % len(limits)], 20)
        path = following and (
            following["link"].removeprefix(standing.handle.address)
            if follow_links
            else f"/crm/v3/objects/contacts?limit={limit}&properties=email&after={following['after']}"
        )
    assert ids == sorted(set(ids))
    assert len(ids) == 1231


@pytest.mark.parametrize("contacts", [250, 300])
def test_many_records_that_were_created_are_listed(caller: Any, contacts: int) -> None:
    """Their ids go on where the generated ones end: in a block of the same hundred, and in blocks of their own."""
    with serve(contacts=contacts, seed=7) as handle:
        call = caller(handle)
        inputs = [{"properties": {"email": f"new{i}@example.org"}} for i in range(100)]
        for _ in range(2):
            assert call("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs}).status in (201, 207)
            inputs = [{"properties": {"email": f"newer{i}@example.org"}} for i in range(100)]
        ids: list[str] = []
        after: str | None = ""
        while after is not None:
            page = call("GET", f"/crm/v3/objects/contacts?limit=100{after and f'&after={after}'}").json
            ids += [each["id"] for each in page["results"]]
            after = page.get("paging", {}).get("next", {}).get("after")
    assert len(set(ids)) == len(ids) == contacts + 200


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/contacts",
        "/crm/v3/objects/contact",
        "/crm/v3/objects/0-1",
        "/crm/objects/2026-03/contacts",
        "/crm/objects/2026-09/0-1",
        "/crm/objects/v3/contacts",
    ],
)
def test_one_resource_has_several_paths(standing: Any, path: str) -> None:
    page = standing("GET", f"{path}?limit=2").json
    assert page["results"] == standing("GET", "/crm/v3/objects/contacts?limit=2").json["results"]
    link = urlsplit(page["paging"]["next"]["link"])
    assert (f"http://{link.netloc}", link.path) == (standing.handle.address, path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/crm/v3/schemas", "/crm-object-schemas/v3/schemas"),
        ("/crm/v3/schemas", "/crm-object-schemas/2026-03/schemas"),
        ("/crm/v3/properties/contacts", "/crm/properties/2026-09/contacts"),
        ("/crm/v3/owners", "/crm/owners/2026-03/"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v4/associations/contacts/companies/labels", "/crm/associations/v4/contacts/companies/labels"),
        ("/crm/v4/associations/contacts/companies/labels", "/crm/associations/2026-03/contacts/companies/labels"),
    ],
)
def test_versions_agree(standing: Any, one: str, other: str) -> None:
    assert standing("GET", one).body == standing("GET", other).body
    assert standing("GET", one).json["results"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=x", "limit=60&propertiesWithHistory=email"])
def test_pages_against_the_rules_are_refused(standing: Any, query: str) -> None:
    assert standing("GET", f"/crm/v3/objects/contacts?{query}").status == 400


def test_values_are_texts_or_null_and_ids_gain_digits(standing: Any) -> None:
    for name, table in standing.handle.account.tables.items():
        page = standing("GET", f"/crm/v3/objects/{name}?limit=100&properties={','.join(table.properties)}").json
        for record in page["results"]:
            assert record["properties"].keys() == table.properties.keys()
            assert all(value is None or isinstance(value, str) for value in record["properties"].values())
            assert record["properties"]["hs_object_id"] == record["id"]
            assert record["properties"][table.kind.modified] == record["updatedAt"] >= record["createdAt"]
            assert all(value is None or value in table.properties[key].options
                       for key, value in record["properties"].items()
                       if table.properties[key].type == "enumeration" and table.properties[key].field_type == "select"
                       and table.properties[key].options)  # fmt: skip
    ids = [each["id"] for each in standing("GET", "/crm/v3/objects/contacts?limit=100").json["results"]]
    assert {len(each) for each in ids} == {11, 12}


def test_data_is_as_untidy_as_asked_and_no_more(standing: Any) -> None:
    def emails(**options: Any) -> list[str]:
        source = Account(Options(contacts=3000, seed=5, **options)).tables["contacts"].source
        return [value.lower() for number in source.blocks() for value in source.block(number).values("email") if value]

    tidy, untidy = emails(), emails(duplicates=0.05)
    assert len(set(tidy)) == len(tidy) > 2700
    assert 60 < len(untidy) - len(set(untidy)) < 240
    assert all(re.fullmatch(r"[\w.-]+@[\w.-]+\.(example\.com|example\.org|test)", each) for each in tidy)
    source = Account(Options(contacts=3000, seed=5)).tables["contacts"].source
    raw = [value for number in source.blocks() for value in source.block(number).values("email")]
    assert any(each is None for each in raw)
    assert any(each and each.isupper() for each in raw)


def test_the_same_seed_gives_the_same_bytes(caller: Any) -> None:
    def pages(seed: int) -> list[bytes]:
        with serve(contacts=300, seed=seed, clock=1_780_000_000_000) as handle:
            handle.edit(20)
            call = caller(handle)
            listed = [call("GET", f"/crm/v3/objects/{name}?limit=100").body for name in handle.account.tables]
            return [each.replace(handle.address.encode(), b"") for each in listed]

    assert pages(11) == pages(11) != pages(12)


@pytest.mark.parametrize("name", ["contacts", "companies", "deals", "machines", "line_items"])
def test_a_record_is_the_same_alone_and_in_its_block(name: str) -> None:
    source = Account(Options(contacts=1500, seed=9)).tables[name].source
    block = source.block(0)
    for index in range(0, block.stop, 7):
        alone = source.single(index)
        assert (alone.created[0], alone.modified[0]) == (block.created[index], block.modified[index])
        for column in source.columns:
            assert alone.value(index, column) == block.value(index, column), column


def test_blocks_hold_valid_json_and_keep_their_bounds() -> None:
    account = Account(Options(contacts=2_000_000, seed=4))
    table = account.tables["contacts"]
    for number in (0, 7_777, 19_999):
        low, high = table.source.span(number)
        block = table.source.block(number)
        assert low <= min(block.modified) and max(block.modified) <= high  # noqa: PT018  one bound
        for row in block.rows(tuple(table.properties), "x"):
            msgspec.json.decode(row)
    assert table.page(table.end - 3, 100) == [table.end - 3, table.end - 2, table.end - 1]


def test_associations_hold_both_ways(standing: Any) -> None:
    account = standing.handle.account
    for one, other in (("contacts", "companies"), ("deals", "contacts"), ("tickets", "companies"), ("line_items", "deals")):
        pairs = {(a, b) for a in account.tables[one].page(0, 10_000) for b in account.links.of(one, a, other)}
        back = {(a, b) for b in account.tables[other].page(0, 10_000) for a in account.links.of(other, b, one)}
        assert pairs == back
        assert len(pairs) > 50
