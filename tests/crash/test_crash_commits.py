"""Killed at every commit, a pull that is run again ends as if nothing had happened."""

import random
import time
from collections.abc import Callable
from typing import Any

STAND = """SELECT (SELECT max(id) FROM mj_record_change), (SELECT count(*) FROM mj_seen),
    (SELECT sum(attempts) FROM mj_failed_record),
    (SELECT sum(records_processed) FROM mj_integration_run_detail), (SELECT count(*) FROM mj_record_link WHERE is_tombstone),
    (SELECT count(*) FROM mj_integration_sync_watermark WHERE run_id IS NULL)"""
"""Changes with each commit that does something."""


def test_killed_at_every_commit(pulls: Any, nursery: Any, databases: Any, told: Callable[..., Any], kind: str) -> None:
    """Each run dies right after its first commit or right before its second: one commit further than the one before."""
    seed = time.time_ns()
    chance, database, kills = random.Random(seed), databases.new(kind), 0
    smooth, results = pulls.smooth(kind)
    for phase in (1, 2, 3):
        pulls.prepare(database, phase)
        stand: Any = None
        call, when = 1, "before"
        while nursery.run(database, blow={"call": call, "when": when}, **pulls.job(phase)) is None:
            kills += 1
            before, stand = stand, database.query(STAND)
            call = call + 1 if stand == before else 1  # the first commits may have nothing to say, in each run again
            when = chance.choice(["before", "after"])
            call += call == 1 and when == "before"
            assert kills < 200, f"it does not get on (seed {seed})"
    assert kills >= 50
    differences = told(smooth).differences(told(database))
    assert not differences, "\n".join([f"seed {seed}, {kills} kills", *differences])
    assert sum(result["commits"] for result in results) <= kills + 10
