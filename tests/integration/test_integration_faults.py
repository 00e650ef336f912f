"""Sources that answer late, badly or not at all: nothing lost, nothing twice, and the next run goes on."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen
from mj_sandbox.faults import Faults

from mjcore.records import Counts
from mjcore.retry import Patience

CONTACTS = 2000
CREATED = {name: Counts(processed=n, created=n) for name, n in (("companies", 200), ("contacts", CONTACTS), ("deals", 200))}
SHORT = Patience(first=0.01, longest=0.05, total=0.4)


def shorten_timeout(document: Any) -> None:
    document["Connections"][0]["Configuration"]["Timeout"] = 1


def struck(account: Any, kind: str) -> int:
    """Return how many of the requests so far a fault hit."""
    service = account.handle.service
    with account.handle.account.lock:
        return sum(service.faults.kind(number) == kind for number in range(1, service.requests.total() + 1))


@pytest.mark.parametrize(
    ("faults", "options"),
    [
        ({"429": 0.15}, {}),
        ({"429": 0.08}, {"retry_after": 1}),
        ({"500": 0.05, "502": 0.05, "503": 0.05}, {}),
        ({"503": 0.08}, {"retry_after": 0}),
        ({"cut": 0.15}, {}),
        ({"slow": 0.04}, {}),
        ({"slow": 0.04}, {"change": shorten_timeout}),
        ({"429": 0.08, "500": 0.08, "503": 0.08, "cut": 0.08}, {"retry_after": 0}),
    ],
    ids=["429", "429-retry-after", "5xx", "503-retry-after", "cut", "slow", "too-slow", "all"],
)
def test_faults_lose_nothing_and_write_nothing_twice(
    scene: Callable[..., Any], once: Callable[..., None], faults: dict[str, float], options: dict[str, Any]
) -> None:
    acme = scene(contacts=CONTACTS, faults=faults, seed=3, **options)
    began = time.monotonic()
    assert acme.pull() == CREATED
    if options.get("retry_after") and "429" in faults:
        assert time.monotonic() - began >= 1, "the source said when to come back"
    assert acme.database.watermarks().keys() == CREATED.keys()
    edited = acme.account.control("edit", count=500)
    acme.account.control("archive", count=20)
    counts = acme.pull()["contacts"]
    assert (counts.deleted, counts.processed - counts.updated - counts.unchanged) == (20, 20)
    assert counts.updated + 20 >= len(edited)
    hits = {kind: struck(acme.account, kind) for kind in faults}
    assert all(hits.values()), hits
    up(acme.account)
    acme.check_mirror()
    once(acme.database)


@frozen
class Down(Faults):
    """A service that answers the first `after` requests and is down from then on."""

    after: int = 0

    def kind(self, number: int) -> str | None:
        return "503" if number > self.after else None


def down(account: Any, requests: int) -> None:
    """Let so many more requests through, and none after them until it is `up`."""
    service = account.handle.service
    with account.handle.account.lock:
        service.faults = Down({}, 1, None, service.requests.total() + requests)


def up(account: Any) -> None:
    account.handle.service.faults = Faults({}, 1, None)


def test_a_source_that_stays_down_fails_the_run_and_the_next_one_goes_on(
    scene: Callable[..., Any], once: Callable[..., None]
) -> None:
    acme = scene(contacts=CONTACTS, patience=SHORT)
    down(acme.account, requests=18)
    first = acme.sync()
    assert first.status == "Failed"
    assert re.search(r"GET /crm\S*/\w+: 503: ", str(first.error))
    unfinished = {m.external_object_name for m in first.maps if m.status == "Failed"}
    assert unfinished
    marks = acme.database.watermarks()
    assert not unfinished & marks.keys(), "the watermark stays where the window did not end"
    assert 0 < first.counts.created < CONTACTS
    assert acme.database.value("SELECT count(*) FROM mj_record_link") == first.counts.created
    second = acme.sync()
    assert (second.status, second.counts) == ("Failed", Counts())
    assert acme.database.watermarks() == marks
    up(acme.account)
    counts = acme.pull()
    assert sum(c.created for c in counts.values()) == 2400 - first.counts.created, "what was read is not read again"
    acme.check_mirror()
    once(acme.database)
    assert acme.database.value("SELECT count(*) FROM mj_record_change") == 2400

    acme.account.control("edit", count=900)
    marks = acme.database.watermarks()
    down(acme.account, requests=5)
    third = acme.sync()
    assert third.status == "Failed"
    assert acme.database.watermarks()["contacts"] == marks["contacts"]
    acme.account.control("edit", count=100)
    up(acme.account)
    acme.pull()
    acme.pull()
    acme.check_mirror()
    assert acme.database.watermarks()["contacts"] > marks["contacts"]


def test_a_source_that_goes_away_is_named_and_taken_up_again(
    scene: Callable[..., Any], serve: Callable[..., Any], once: Callable[..., None]
) -> None:
    acme = scene(contacts=CONTACTS, patience=SHORT, latency_ms=5)

    def leave(progress: Any) -> None:
        if progress.external_object_name == "contacts" and progress.counts.processed:
            acme.account.stop()

    first = acme.sync(progress=leave)
    assert first.status == "Failed"
    assert re.search(r"(GET|POST) /crm/v3/objects/\w+\S*: (ConnectError|RemoteProtocolError|ReadError)", str(first.error))
    assert "contacts" not in acme.database.watermarks()
    assert 0 < first.counts.created < 2400
    acme.account = serve(contacts=CONTACTS, port=int(acme.account.address.rpartition(":")[2]))
    counts = acme.pull()
    assert sum(c.created for c in counts.values()) == 2400 - first.counts.created
    acme.check_mirror()
    once(acme.database)
