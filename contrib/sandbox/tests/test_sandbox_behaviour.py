"""Limits, faults, tokens, scopes, the control endpoint and the command."""

import os
import re
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, IncompleteRead
from itertools import pairwise
from typing import Any

import pytest
from mj_sandbox import Handle, Options, serve
from mj_sandbox.__main__ import main
from mj_sandbox.faults import Faults
from mj_sandbox.limits import Limits
from mj_sandbox.problems import Problem

CONTACTS = "/crm/v3/objects/contacts"


def test_a_token_is_needed(call: Any) -> None:
    for sent in ("", "Bearer nonsense", "Basic x"):
        answer = call("GET", CONTACTS, headers={"Authorization": sent})
        assert (answer.status, answer.json["category"], answer.json["status"]) == (401, "INVALID_AUTHENTICATION", "error")
        assert answer.json["correlationId"]


def test_scopes_and_types_may_be_missing(caller: Any) -> None:
    with serve(contacts=20, missing_scopes=["deals"], without=["machines"]) as handle:
        call = caller(handle)
        for path in ("/crm/v3/properties/deals", "/crm/v3/objects/0-3", "/crm/v3/pipelines/deals"):
            answer = call("GET", path)
            assert (answer.status, answer.json["category"]) == (403, "MISSING_SCOPES")
            assert answer.json["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.deals.read"]
        assert call("GET", "/crm/v3/properties/machines").status == 404
        assert call("GET", "/crm/v3/schemas").json == {"results": []}
        assert call("GET", CONTACTS).status == 200


def test_unknown_pages_and_methods(call: Any) -> None:
    assert call("GET", "/crm/v3/nonsense").status == 404
    assert call("PUT", CONTACTS).status == 405
    assert call("GET", f"{CONTACTS}?properties={'x' * 17_000}").status == 414


def test_lists_tell_the_limit_and_keep_to_it(caller: Any) -> None:
    with serve(contacts=20, rate_limit=30, search_limit=2, retry_after=3) as handle:
        call = caller(handle)
        answers = [call("GET", CONTACTS) for _ in range(4)]
        assert [each.status for each in answers] == [200, 200, 200, 429]
        first = {name.lower(): value for name, value in answers[0].headers.items()}
        assert first["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
        assert (first["x-hubspot-ratelimit-max"], first["x-hubspot-ratelimit-remaining"]) == ("30", "29")
        assert (first["x-hubspot-ratelimit-secondly"], first["x-hubspot-ratelimit-secondly-remaining"]) == ("3", "2")
        refused = answers[-1]
        assert (refused.json["errorType"], refused.json["policyName"]) == ("RATE_LIMIT", "SECONDLY")
        assert refused.headers["Retry-After"] == "3"
        assert [call("POST", f"{CONTACTS}/search", {}).status for _ in range(3)] == [200, 200, 429]


def test_limits_roll() -> None:
    now = 0.0
    limits = Limits(20, clock=lambda: now)
    for second in range(10):
        now = float(second)
        limits.take(search=False)
        limits.take(search=False)
        with pytest.raises(Problem) as error:
            limits.take(search=False)
        assert error.value.more["policyName"] == ("SECONDLY" if second < 9 else "TEN_SECONDLY_ROLLING")
    now = 9.9
    with pytest.raises(Problem) as error:
        limits.take(search=False)
    assert error.value.more["policyName"] == "TEN_SECONDLY_ROLLING"
    now = 10.0
    limits.take(search=False)
    limits.take(search=False)
    with pytest.raises(Problem):
        limits.take(search=False)


def test_faults_are_the_same_every_time(caller: Any) -> None:
    options: dict[str, Any] = {"contacts": 20, "seed": 5, "faults": {"429": 0.2, "500": 0.2, "503": 0.1, "cut": 0.2}}
    expected = [Faults.of(Options(**options)).kind(number) for number in range(1, 61)]
    assert {None, "429", "500", "503", "cut"} == set(expected)
    with serve(**options) as handle:
        call, seen = caller(handle), []
        for _ in expected:
            try:
                answer = call("GET", CONTACTS)
                seen.append(None if answer.status == 200 else str(answer.status))
                assert "Retry-After" not in answer.headers
            except IncompleteRead:
                seen.append("cut")
    assert seen == expected


def test_latency_and_slow_answers(caller: Any) -> None:
    with serve(contacts=5, latency_ms=120) as handle:
        start = time.monotonic()
        caller(handle)("GET", CONTACTS)
        assert time.monotonic() - start >= 0.12


def test_connections_are_kept(account: Handle) -> None:
    connection = HTTPConnection(account.address.removeprefix("http://"))
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", CONTACTS, headers={"Authorization": f"Bearer {account.token}"})
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_edits_by_hand_have_their_own_times_and_go_round(account: Handle, call: Any) -> None:
    table = account.account.tables["contacts"]
    before = {each: table.value(each, "jobtitle") for each in table.page(0, 1000)}
    ids = account.edit(250)
    assert sorted(ids) == sorted(before)
    assert all(table.value(each, "jobtitle") != before[each] for each in ids)
    times = [table.times(each)[1] for each in ids]
    assert all(one < other for one, other in pairwise(times))
    again = call("POST", "/_sandbox/edit", {"count": 3}).json["ids"]
    assert again == [str(each) for each in ids[:3]]


def test_edits_on_wall_time_are_past_when_they_return() -> None:
    with serve(contacts=50) as handle:
        ids = handle.edit(30)
        now = time.time_ns() // 1_000_000
        assert all(now - 5_000 < handle.account.tables["contacts"].times(each)[1] < now for each in ids)


def test_the_control_endpoint(call: Any) -> None:
    ids = [int(each["id"]) for each in call("GET", f"{CONTACTS}?limit=6").json["results"]]
    edited = call("POST", "/_sandbox/edit", {"ids": ids[:2], "properties": {"city": "Bern"}, "modified": "2026-07-01T00:00:00Z"})
    assert edited.json["ids"] == [str(each) for each in ids[:2]]
    for each in ids[:2]:
        record = call("GET", f"{CONTACTS}/{each}?properties=city").json
        assert (record["properties"]["city"], record["updatedAt"]) == ("Bern", "2026-07-01T00:00:00.000Z")
    call("POST", "/_sandbox/archive", {"ids": [ids[0]]})
    assert call("GET", f"{CONTACTS}/{ids[0]}").status == 404
    call("POST", "/_sandbox/merge", {"winner": ids[1], "loser": ids[2]})
    assert call("GET", f"{CONTACTS}/{ids[2]}").json["id"] == str(ids[1])
    (made,) = call("POST", "/_sandbox/create", {"records": [{"email": "x@example.com"}]}).json["ids"]
    company = call("GET", "/crm/v3/objects/companies?limit=1").json["results"][0]["id"]
    call("POST", "/_sandbox/associate", {"from": {"id": made}, "to": {"id": company}})
    assert call("GET", f"{CONTACTS}/{made}?associations=companies").json["associations"]["companies"]["results"]
    now = call("POST", "/_sandbox/clock", {"milliseconds": 86_400_000}).json["now"]
    assert now > edited.json["now"]
    stats = call("GET", "/_sandbox/stats").json
    assert stats["records"]["contacts"] == 249
    assert stats["byResource"]["GET objects/contacts"] == 1
    assert stats["byStatus"] == {"200": 6, "404": 1}
    assert call("POST", "/_sandbox/archive", {"ids": [17]}).status == 400


def test_a_token_ends_after_so_many_requests_or_when_another_takes_its_place(call: Any) -> None:
    call("POST", "/_sandbox/token", {"requests": 2})
    assert [call("GET", CONTACTS).status for _ in range(3)] == [200, 200, 401]
    assert call("GET", CONTACTS, headers={"Authorization": "Bearer new"}).status == 401
    call("POST", "/_sandbox/token", {"token": "new"})
    assert call("GET", CONTACTS).status == 401, "the old one has ended"
    assert call("GET", CONTACTS, headers={"Authorization": "Bearer new"}).status == 200


def test_a_property_gets_another_name_with_its_values(call: Any) -> None:
    first = call("GET", f"{CONTACTS}?limit=1").json["results"][0]["id"]
    call("POST", "/_sandbox/edit", {"ids": [int(first)], "properties": {"jobtitle": "Written by hand"}})
    before = {each["id"]: each for each in call("GET", f"{CONTACTS}?limit=100&properties=jobtitle").json["results"]}
    assert before[first]["properties"]["jobtitle"] == "Written by hand"
    call("POST", "/_sandbox/property", {"name": "jobtitle", "to": "role"})
    names = {each["name"] for each in call("GET", "/crm/v3/properties/contacts").json["results"]}
    assert ("role" in names, "jobtitle" in names) == (True, False)
    for record in call("GET", f"{CONTACTS}?limit=100&properties=role,jobtitle").json["results"]:
        was = before[record["id"]]
        assert "jobtitle" not in record["properties"]
        assert (record["properties"]["role"], record["updatedAt"]) == (was["properties"]["jobtitle"], was["updatedAt"])
    query = {"filterGroups": [{"filters": [{"propertyName": "role", "operator": "HAS_PROPERTY"}]}], "limit": 1}
    assert call("POST", f"{CONTACTS}/search", query).json["total"] > 100
    assert call("POST", "/_sandbox/property", {"name": "role"}).status == 200
    assert "role" not in {each["name"] for each in call("GET", "/crm/v3/properties/contacts").json["results"]}
    assert call("POST", "/_sandbox/property", {"name": "role", "to": "x"}).status == 400
    assert call("POST", "/_sandbox/property", {"name": "email", "to": "phone"}).status == 400


def test_a_child_process_says_where_it_is_and_ends_cleanly(caller: Any) -> None:
    command = [sys.executable, "-m", "mj_sandbox", "hubspot", "--port", "0", "--contacts", "5", "--token", "t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        address = child.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        connection = HTTPConnection(address.removeprefix("http://"))
        connection.request("GET", CONTACTS, headers={"Authorization": "Bearer t"})
        assert connection.getresponse().read().count(b'"url"') == 5
        os.kill(child.pid, signal.SIGTERM)
        _, errors = child.communicate(timeout=20)
        connection.close()
    assert (child.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "service"),
        (["nonsense"], "invalid choice"),
        (["hubspot", "--port", "x"], "--port"),
        (["hubspot", "--port", "99999"], "port"),
        (["hubspot", "--fault", "429"], "429=0.05"),
        (["hubspot", "--port", "0", "--fault", "teapot=0.1"], "teapot"),
        (["hubspot", "--port", "0", "--fault", "429=0.9", "--fault", "500=0.9"], "shares"),
        (["hubspot", "--port", "0", "--contacts", "-1"], "contacts"),
        (["hubspot", "--port", "0", "--without", "nonsense"], "nonsense"),
        (["hubspot", "--clock", "soon"], "soon"),
    ],
)
def test_bad_arguments_end_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_port_in_use_is_named(account: Handle, capsys: pytest.CaptureFixture[str]) -> None:
    port = account.address.rpartition(":")[2]
    assert main(["hubspot", "--port", port]) == 2
    assert port in capsys.readouterr().err
