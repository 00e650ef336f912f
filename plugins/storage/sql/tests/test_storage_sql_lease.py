"""The lease: one run per connection at a time, and the fence that keeps the one who lost it from writing."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import LeaseHeld, LeaseLost
from mjcore.models import CompanyIntegration, IntegrationRun
from mjcore.records import Lease, Position, RecordError, Watermark
from mjcore.store import Store

pytestmark = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)

MINUTE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=50)


def alive(holder: str) -> bool:
    return False


def gone(holder: str) -> bool:
    return True


@pytest.fixture
def connection(scene: Any) -> CompanyIntegration:
    """A connection that nobody holds."""
    scene.store.release(scene.lease)
    held: CompanyIntegration = scene.connection
    return held


def test_a_lease_tells_who_holds_what_until_when(store: Store, connection: CompanyIntegration) -> None:
    before = datetime.now(UTC)
    lease = store.acquire(connection, "first", MINUTE, alive)
    assert lease.holder == "first"
    assert lease.expires_at.tzinfo is not None
    assert before + MINUTE - timedelta(seconds=5) <= lease.expires_at <= datetime.now(UTC) + MINUTE + timedelta(seconds=5)


def test_a_connection_that_is_held_is_refused_with_holder_and_time(store: Store, connection: CompanyIntegration) -> None:
    lease = store.acquire(connection, "first", MINUTE, alive)
    asked: list[str] = []

    def ask(holder: str) -> bool:
        asked.append(holder)
        return False

    with pytest.raises(LeaseHeld) as held:
        store.acquire(connection, "second", MINUTE, ask)
    assert asked == ["first"]
    assert held.value.holder == "first"
    assert abs(held.value.until - lease.expires_at) < timedelta(seconds=1)
    message = str(held.value)
    assert connection.name in message
    assert "first" in message
    assert f"{lease.expires_at.astimezone(UTC):%Y-%m-%d %H:%M}" in message


def test_two_runs_of_one_process_do_not_share_a_lease(store: Store, connection: CompanyIntegration) -> None:
    store.acquire(connection, "this process", MINUTE, alive)
    with pytest.raises(LeaseHeld):
        store.acquire(connection, "this process", MINUTE, alive)


def test_connections_are_held_one_by_one(store: Store, connection: CompanyIntegration, stage: Callable[..., Any]) -> None:
    store.acquire(connection, "first", MINUTE, alive)
    other = stage(store)
    store.release(other.lease)
    store.acquire(other.connection, "second", MINUTE, alive)


@pytest.mark.parametrize("how", ["released", "expired", "gone"])
def test_a_lease_that_ended_is_taken_over_with_a_greater_fence(store: Store, connection: CompanyIntegration, how: str) -> None:
    first = store.acquire(connection, "first", MOMENT if how == "expired" else MINUTE, alive)
    if how == "released":
        store.release(first)
    elif how == "expired":
        time.sleep(0.1)
    second = store.acquire(connection, "second", MINUTE, gone if how == "gone" else alive)
    assert second.fence > first.fence
    assert second.holder == "second"
    with pytest.raises(LeaseHeld, match="second"):
        store.acquire(connection, "third", MINUTE, alive)


def test_fences_grow_with_every_holder(store: Store, connection: CompanyIntegration) -> None:
    fences = []
    for i in range(5):
        lease = store.acquire(connection, f"holder {i}", MINUTE, gone)
        fences.append(lease.fence)
        if i % 2:
            store.release(lease)
    assert fences == sorted(set(fences))


def test_renewing_prolongs_and_keeps_the_fence(store: Store, connection: CompanyIntegration) -> None:
    lease = store.acquire(connection, "first", timedelta(seconds=1), alive)
    renewed = store.renew(lease, MINUTE)
    assert (renewed.fence, renewed.holder, renewed.connection) == (lease.fence, lease.holder, lease.connection)
    assert renewed.expires_at > lease.expires_at + timedelta(seconds=50)
    time.sleep(1.1)
    with pytest.raises(LeaseHeld):
        store.acquire(connection, "second", MINUTE, alive)
    store.renew(lease, MINUTE)


def test_what_was_lost_is_neither_renewed_nor_given_back(store: Store, connection: CompanyIntegration) -> None:
    first = store.acquire(connection, "first", MINUTE, alive)
    second = store.acquire(connection, "second", MINUTE, gone)
    with pytest.raises(LeaseLost):
        store.renew(first, MINUTE)
    store.release(first)
    with pytest.raises(LeaseHeld, match="second"):
        store.acquire(connection, "third", MINUTE, alive)
    store.renew(second, MINUTE)
    store.release(second)
    store.release(second)
    store.acquire(connection, "third", MINUTE, alive)


def test_of_many_that_ask_at_once_one_gets_it(store: Store, connection: CompanyIntegration) -> None:
    ready, got, refused = threading.Barrier(8), list[Lease](), list[Exception]()

    def ask(holder: str) -> None:
        ready.wait()
        try:
            got.append(store.acquire(connection, holder, MINUTE, alive))
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            refused.append(error)

    threads = [threading.Thread(target=ask, args=(f"holder {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert {type(error) for error in refused} == {LeaseHeld}, refused


# --- The fence ---------------------------------------------------------------------------------------


def test_who_lost_the_lease_writes_nothing(store: Store, scene: Any) -> None:
    keys, stood = scene.create({"x": {"Name": "before"}}), store.position(scene.context)
    taken = store.acquire(scene.connection, "another", MINUTE, gone)
    late = scene.creation("late", {"Name": "late"})
    with pytest.raises(LeaseLost):
        scene.commit(
            changes=[late], links=[scene.link("late", late.key)], failed=[RecordError("e", "fetch", "c", "m")],
            position=Position(Watermark("Cursor", "late")), seen=["x"],
        )  # fmt: skip
    assert scene.read(late.key) is None
    assert list(store.links(scene.context, ["x", "late"])) == ["x"]
    assert list(store.failed(scene.context)) == []
    assert store.position(scene.context) == stood
    assert [c.external_id for c in store.changes()] == ["x"]
    assert [link.external_id for link in store.unseen(scene.context)] == ["x"]
    scene.lease = taken
    scene.commit(changes=[late])
    assert scene.read(late.key) is not None
    assert scene.read(keys["x"])["Name"] == "before"


def test_a_new_lease_of_the_same_holder_ends_the_old_one(store: Store, scene: Any) -> None:
    store.release(scene.lease)
    store.acquire(scene.connection, scene.lease.holder, MINUTE, alive)
    with pytest.raises(LeaseLost):
        scene.commit(position=Position(Watermark("Cursor", "late")))
    assert store.position(scene.context) == Position()


def test_a_renewed_lease_commits_with_the_lease_first_given(store: Store, scene: Any) -> None:
    """A run renews in a thread of its own, and commits with what `acquire` returned."""
    store.renew(scene.lease, MINUTE)
    scene.commit(position=Position(Watermark("Cursor", "on")))
    assert store.position(scene.context) == Position(Watermark("Cursor", "on"))


# --- What a run records about itself -----------------------------------------------------------------


def test_who_lost_the_lease_records_nothing(store: Store, scene: Any) -> None:
    ended = evolve(scene.run, status="Completed")
    store.save([ended], lease=scene.lease)
    taken = store.acquire(scene.connection, "another", MINUTE, gone)
    with pytest.raises(LeaseLost):
        store.save([scene.run], lease=scene.lease)
    assert list(store.load(IntegrationRun)) == [ended]
    store.save([scene.run], lease=taken)
    assert list(store.load(IntegrationRun)) == [scene.run]


def test_a_run_is_asked_to_stop_and_no_later_one(store: Store, scene: Any) -> None:
    assert not store.is_cancelled(scene.lease)
    store.cancel(scene.connection, scene.run)
    assert store.is_cancelled(scene.lease)
    later = scene.next_run()
    assert not store.is_cancelled(later.lease)
