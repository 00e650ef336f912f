"""Killed while a plan is applied: what was planned is not applied twice, and the next run goes on where it ended."""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

SMALL = {"sizes": {"companies": 200, "contacts": 2500}}


def test_killed_while_a_plan_is_applied(
    pulls: Any, nursery: Any, databases: Any, told: Callable[..., Any], kind: str, tmp_path: Path
) -> None:
    """The source has not moved since: applied in full, in part, or not at all, the next run makes the same of it."""
    smooth, _ = pulls.smooth(kind, (1, 2), **SMALL)
    planned, path, job = databases.new(kind), str(tmp_path / "plan"), pulls.job(2, **SMALL)
    nursery.run(planned, **pulls.job(1, **SMALL))
    pulls.prepare(planned, 2)
    assert nursery.run(planned, plan=path, **job)["status"] == "Completed"
    for call, when in zip(range(1, 100, 2), cycle(["before", "inside", "after"]), strict=False):
        database = databases.copy(planned)
        is_killed = nursery.run(database, planned=path, blow={"call": call, "when": when}, **job) is None
        if is_killed:
            again = nursery.run(database, planned=path, **job)
            assert again.get("status") == "Completed" or "make it anew" in again["error"], again
            if "raised" in again:
                assert nursery.run(database, **job)["status"] == "Completed"
        differences = told(smooth, apart=True).differences(told(database, apart=True))
        assert not differences, "\n".join([f"killed {when} commit {call}", *differences])
        if not is_killed:
            assert call > 6
            return
