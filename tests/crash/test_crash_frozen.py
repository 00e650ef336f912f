"""Frozen past its lease, a worker writes nothing more; and who may take a connection over, and when."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

SMALL = {"sizes": {"companies": 200, "contacts": 2500}}
EXPIRE = "UPDATE mj_lease SET expires_at = '2026-01-01 00:00:00'"
IDLE = "1s"
"""Instead of half a minute: how long PostgreSQL bears a frozen transaction."""


@pytest.fixture
def job() -> dict[str, Any]:
    return {"account": {"phase": 1, **SMALL}}


def test_a_worker_frozen_before_a_commit_writes_nothing_more(
    nursery: Any, databases: Any, pulls: Any, told: Callable[..., Any], job: Any, kind: str
) -> None:
    database = databases.new(kind)
    frozen = nursery.start(database, blow={"call": 3, "when": "before", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    refused = nursery.run(database, **job)
    assert refused["raised"] == "LeaseHeld"
    assert f"held by process {frozen.pid} on " in refused["error"]
    database.query(EXPIRE)
    assert nursery.run(database, **job)["status"] == "Completed"
    before = database.dump()
    frozen.send(signal.SIGCONT)
    lost = frozen.result()
    assert lost["raised"] == "LeaseLost"
    assert "another run took the connection over while this one" in lost["error"]
    assert database.dump() == before
    assert not told(pulls.smooth(kind, (1,), **SMALL)[0]).differences(told(database))


def test_a_worker_that_outlives_its_lease_unnoticed_goes_on(nursery: Any, databases: Any, job: Any, kind: str) -> None:
    """Nobody took over: its lease is renewed, and nothing is lost."""
    database = databases.new(kind)
    frozen = nursery.start(database, lease=0.9, blow={"call": 2, "when": "after", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    time.sleep(1)
    frozen.send(signal.SIGCONT)
    assert frozen.result()["status"] == "Completed"


def test_a_heartbeat_keeps_the_lease_of_a_slow_worker(nursery: Any, databases: Any, job: Any, kind: str) -> None:
    database = databases.new(kind)
    slow = nursery.start(database, lease=0.9, blow={"call": 2, "when": "slow", "delay": 2.5}, **job)
    time.sleep(2.2)
    assert nursery.run(database, **job)["raised"] == "LeaseHeld"
    assert slow.result()["status"] == "Completed"


def test_frozen_inside_a_transaction_on_postgresql_its_session_is_ended(
    nursery: Any, databases: Any, pulls: Any, told: Callable[..., Any], job: Any
) -> None:
    database = databases.new("postgresql")
    frozen = nursery.start(database, idle=IDLE, blow={"call": 3, "when": "inside", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    assert database.value(sessions) == 1
    while database.value(sessions):
        time.sleep(0.05)
    database.query(EXPIRE)
    assert nursery.run(database, **job)["status"] == "Completed"
    before = database.dump()
    frozen.send(signal.SIGCONT)
    lost = frozen.result()
    assert lost["raised"] == "LeaseLost", lost
    assert "another run took the connection over" in lost["error"]
    assert database.dump() == before
    assert not told(pulls.smooth("postgresql", (1,), **SMALL)[0]).differences(told(database))


def test_frozen_inside_a_transaction_on_postgresql_the_refusal_says_who(nursery: Any, databases: Any, job: Any) -> None:
    database = databases.new("postgresql")
    frozen = nursery.start(database, blow={"call": 3, "when": "inside", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    refused = nursery.run(database, lock="300ms", **job)
    assert refused["raised"] == "LeaseHeld", refused
    assert f"process {frozen.pid}" in refused["error"]
    frozen.send(signal.SIGCONT)
    assert frozen.result()["status"] == "Completed"


def test_frozen_inside_a_transaction_on_sqlite_it_blocks_takeover_until_it_is_gone(
    nursery: Any, databases: Any, pulls: Any, told: Callable[..., Any], job: Any
) -> None:
    database = databases.new("sqlite")
    frozen = nursery.start(database, lease=1, blow={"call": 3, "when": "inside", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    time.sleep(1)  # past the lease
    refused = nursery.run(database, busy=0.3, **job)
    assert refused["raised"] == "LeaseHeld"
    assert f"process {frozen.pid}" in refused["error"]
    assert any("inside a transaction" in note for note in refused["notes"])
    frozen.send(signal.SIGKILL)
    frozen.wait()
    assert nursery.run(database, **job)["status"] == "Completed"
    assert not told(pulls.smooth("sqlite", (1,), **SMALL)[0]).differences(told(database))


def test_frozen_inside_a_transaction_on_sqlite_it_goes_on_where_it_stood(
    nursery: Any, databases: Any, pulls: Any, told: Callable[..., Any], job: Any
) -> None:
    database = databases.new("sqlite")
    frozen = nursery.start(database, lease=1, blow={"call": 3, "when": "inside", "signal": signal.SIGSTOP}, **job)
    frozen.until("T")
    time.sleep(1)
    frozen.send(signal.SIGCONT)
    assert frozen.result()["status"] == "Completed"
    assert not told(pulls.smooth("sqlite", (1,), **SMALL)[0]).differences(told(database))


# --- Takeover ----------------------------------------------------------------------------------------


def killed(nursery: Any, database: Any, job: Any, *, waited_for: bool = True) -> Any:
    child = nursery.start(database, blow={"call": 2, "when": "after"}, **job)
    if waited_for:
        assert child.result() is None
    else:
        while child.state() != "Z":
            time.sleep(0.01)
    return child


def forge(database: Any, **parts: Any) -> None:
    """Let the lease be held by somebody who differs in `parts`."""
    holder = json.loads(database.value("SELECT holder FROM mj_lease"))
    text = json.dumps({**holder, **parts}).replace("'", "''")
    database.query(f"UPDATE mj_lease SET holder = '{text}'")


@pytest.mark.parametrize("waited_for", [True, False], ids=["gone", "zombie"])
def test_the_lease_of_a_killed_process_is_taken_at_once(
    nursery: Any, databases: Any, job: Any, kind: str, waited_for: bool
) -> None:
    """Until its parent waits for it, a killed process is still listed: in a container, for ever."""
    database = databases.new(kind)
    killed(nursery, database, job, waited_for=waited_for)
    assert nursery.run(database, **job).get("status") == "Completed"


@pytest.mark.parametrize("parts", [{"boot": "before"}, {"started": "1", "pid": 1}], ids=["rebooted", "pid taken by another"])
def test_a_holder_of_this_machine_that_cannot_be_alive_is_gone(nursery: Any, databases: Any, job: Any, parts: Any) -> None:
    database = databases.new("sqlite")
    killed(nursery, database, job)
    forge(database, **parts)
    assert nursery.run(database, **job).get("status") == "Completed"


@pytest.mark.parametrize(
    "parts", [{"host": "another.example"}, {"namespace": "pid:[1]"}, {"boot": ""}], ids=["host", "namespace", "unknown boot"]
)
def test_a_holder_that_may_be_alive_elsewhere_keeps_its_lease_until_it_expires(
    nursery: Any, databases: Any, job: Any, parts: Any
) -> None:
    database = databases.new("sqlite")
    gone = killed(nursery, database, job)
    forge(database, **parts)
    refused = nursery.run(database, **job)
    assert refused["raised"] == "LeaseHeld"
    assert f"process {gone.pid} on {parts.get('host', '')}" in refused["error"]
    database.query(EXPIRE)
    assert nursery.run(database, **job)["status"] == "Completed"
