"""Killed at any instant, and where it is easily forgotten, a pull that is run again ends as if nothing had happened."""

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

KILLS = int(os.environ.get("MJ_CRASHES", "10"))
"""At random instants, per database; beside those at every commit, in another module."""


def test_an_uninterrupted_pull_does_what_the_account_says(pulls: Any, kind: str) -> None:
    """The measure of the others is not an empty one."""
    database, results = pulls.smooth(kind)
    first, second, third = (result["counts"] for result in results)
    assert first["created"] > 20_000
    assert min(second[name] for name in ("created", "updated", "unchanged", "deleted", "skipped", "conflicted", "errored")) > 10
    assert third["unchanged"] > 10_000
    assert any("no longer has" in note for note in results[2]["maps"]["contacts"]["notes"]), "it was swept"
    for result in results:
        counts = [m["counts"] for m in result["maps"].values()]
        assert result["counts"] == {name: sum(c[name] for c in counts) for name in first}
        assert all(c["processed"] == sum(c.values()) - c["processed"] for c in counts)
    for table in ("companies", "contacts", "mj_failed_record", "mj_conflict"):
        assert database.value(f"SELECT count(*) FROM {table}") > 10
    assert database.value('SELECT count(*) FROM companies WHERE "Owner" IS NOT NULL') > 900, "of the second pass"
    assert database.value('SELECT count(*) FROM contacts WHERE "Name" IS NULL') == 0, "what cannot be read is no empty row"


def test_killed_at_any_instant(pulls: Any, nursery: Any, databases: Any, told: Callable[..., Any], kind: str) -> None:
    seed, kills = time.time_ns(), 0
    chance = random.Random(seed)
    while kills < KILLS:
        database = databases.new(kind)
        for phase in (1, 2, 3):
            pulls.prepare(database, phase)
            while killed(nursery, database, chance, pulls.job(phase), may_live=kills >= KILLS):
                kills += 1
                if database.value("SELECT count(*) FROM mj_integration_run WHERE status = 'Completed'") == phase:
                    break  # killed when all was done
        differences = told(pulls.smooth(kind)[0]).differences(told(database))
        assert not differences, "\n".join([f"seed {seed}, {kills} kills", *differences])


def killed(nursery: Any, database: Any, chance: random.Random, job: Any, *, may_live: bool) -> bool:
    """Kill a pull from within, inside one of its first commits, or from outside; return whether it was before its end."""
    if may_live:
        assert nursery.run(database, **job)["status"] == "Completed"
        return False
    if chance.random() < 0.5:
        blow = {"call": chance.randint(1, 8), "when": "within", "delay": chance.random() * 0.15}
        return nursery.run(database, blow=blow, **job) is None
    child = nursery.start(database, **job)
    time.sleep(chance.random() * 1.5)
    child.send(9)
    return child.result() is None


# --- What is easily forgotten -------------------------------------------------------------------------

SMALL = {"sizes": {"companies": 200, "contacts": 2500}}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_page_that_is_written_in_parts_counts_once(
    pulls: Any, nursery: Any, databases: Any, told: Callable[..., Any], kind: str, when: str
) -> None:
    """Twins in one page are matched one after the other, and what only the database refuses is found by halves."""
    smooth, results = pulls.smooth(kind, (1,), splits=True, **SMALL)
    codes = {code for (code,) in smooth.query("SELECT code FROM mj_failed_record")}
    assert codes >= {"refused", "ambiguous_match", "does_not_fit", "unreadable", "no_external_id"}
    for call in range(1, results[0]["commits"] + 1, 2 if kind == "sqlite" else 4):
        database = databases.new(kind)
        job = pulls.job(1, splits=True, **SMALL)
        assert nursery.run(database, blow={"call": call, "when": when}, **job) is None
        assert nursery.run(database, **job)["status"] == "Completed"
        differences = told(smooth).differences(told(database))
        assert not differences, "\n".join([f"killed {when} commit {call}", *differences])


@pytest.mark.parametrize("phase", [1, 3])
def test_killed_between_the_last_commit_and_what_is_told_of_it(
    pulls: Any, nursery: Any, databases: Any, told: Callable[..., Any], kind: str, phase: int
) -> None:
    """The window is closed, the watermark has moved: nothing is read again in the same run."""
    phases = range(1, phase + 1)
    smooth, _ = pulls.smooth(kind, phases, is_plain=True, **SMALL)
    database = databases.new(kind)
    for earlier in phases[:-1]:
        pulls.prepare(database, earlier)
        nursery.run(database, **pulls.job(earlier, is_plain=True, **SMALL))
    pulls.prepare(database, phase)
    job = pulls.job(phase, is_plain=True, **SMALL)
    for _ in job["account"]["sizes"]:
        assert nursery.run(database, blow={"call": 1, "when": "closed"}, **job) is None
    assert nursery.run(database, **job)["status"] == "Completed"
    differences = told(smooth).differences(told(database))
    assert not differences, "\n".join(differences)


def test_a_continued_read_says_nothing_untrue_about_totals(pulls: Any, nursery: Any, databases: Any) -> None:
    """The source tells the total of the window with each page; some of it was delivered before the crash."""
    database, job = databases.new("sqlite"), pulls.job(1, is_plain=True, **SMALL)
    assert nursery.run(database, blow={"call": 1, "when": "after"}, **job) is None
    result = nursery.run(database, **job)
    assert {name: m["notes"] for name, m in result["maps"].items()} == {"companies": [], "contacts": []}


@pytest.mark.parametrize("torn", ["error without an id", "error with an id", "record without an id"])
@pytest.mark.parametrize("is_killed", [False, True], ids=["smooth", "killed"])
def test_a_full_read_that_missed_something_sweeps_nothing_of_it(
    pulls: Any, nursery: Any, databases: Any, torn: str, is_killed: bool
) -> None:
    """Record 0 is on the first page and cannot be read; the read is continued behind it."""
    database = databases.new("sqlite")
    nursery.run(database, **pulls.job(1, is_plain=True, **SMALL))
    job = pulls.job(1, is_plain=True, torn=torn, **SMALL)
    job["request"] = {"full": True}
    if is_killed:
        assert nursery.run(database, blow={"call": 1, "when": "after"}, **job) is None
    assert nursery.run(database, **job)["status"] == "Completed"
    assert database.query("SELECT external_id FROM mj_record_link WHERE is_tombstone") == []
