"""Sources that move while they are read, and more records on one millisecond than a search shows."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mjcore.records import Counts


def test_more_records_on_one_millisecond_than_a_search_shows(scene: Callable[..., Any], once: Callable[..., None]) -> None:
    acme = scene(contacts=10_800)
    acme.pull()
    ids = [int(i) for i in acme.account.ids("contacts")]
    instant = time.time_ns() // 1_000_000
    acme.account.control("edit", ids=ids, properties={"jobtitle": "Everyone at once"}, modified=instant)
    assert acme.pull()["contacts"] == Counts(processed=10_800, updated=10_800)
    acme.check_mirror()
    once(acme.database)
    assert acme.database.value("SELECT count(DISTINCT external_id) FROM mj_record_change WHERE kind = 'update'") == 10_800
    assert acme.pull()["contacts"] == Counts(processed=10_800, unchanged=10_800)


@contextmanager
def disturbed(account: Any, taken: Iterator[int]) -> Iterator[dict[str, int]]:
    """Edit, archive and create contacts from another thread, again and again while the context lasts."""
    done = {"edit": 0, "archive": 0, "create": 0}
    ended = threading.Event()
    faults: list[BaseException] = []

    def disturb() -> None:
        try:
            while not ended.is_set():
                number = done["create"]
                account.control("edit", count=7)
                account.control("archive", ids=[next(taken)])
                account.control("create", records=[{"email": f"n{time.time_ns()}@example.org", "lastname": f"New {number}"}])
                for kind, count in (("edit", 7), ("archive", 1), ("create", 1)):
                    done[kind] += count
                ended.wait(0.03)
        except BaseException as error:  # noqa: BLE001 - raised by the test
            faults.append(error)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()
    assert not faults


def test_pages_that_shift_while_they_are_read_lose_nothing(scene: Callable[..., Any], once: Callable[..., None]) -> None:
    acme = scene(contacts=2500, latency_ms=15)
    account = acme.account
    ids = [int(i) for i in account.ids("contacts")]
    victims = iter([*ids[::-11], *ids[5::11]])  # from both ends, so that some are read before they go and some after
    for options in ({}, {}, {"full": True, "allow_deletes": True}):
        if options == {}:
            account.control("edit", ids=ids[1::11], properties={"city": "Elsewhere", "jobtitle": f"Title {time.time_ns()}"})
        with disturbed(account, victims) as done:
            acme.pull(**options)
        assert min(done.values()) > 2, "the account has to change while it is read"
        acme.pull(allow_deletes=True)
        acme.check_mirror()
        once(acme.database)
    acme.database.watch()
    assert acme.pull()["contacts"].processed > 0
    assert not acme.database.touched()
