"""What a purge removes and what it leaves, batch by batch, under the lease."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import LeaseLost
from mjcore.history import PURGED_BEFORE, Purged
from mjcore.ids import new_id
from mjcore.models import IntegrationRun, IntegrationRunDetail
from mjcore.records import Conflict, Position, RecordError, RowChange
from mjcore.store import Store

pytestmark = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)


def ended(scene: Any, at: datetime) -> None:
    """Record that the scene's run ended, and what its detail says."""
    store = scene.store
    (run,), (detail,) = store.load(IntegrationRun, id=scene.run.id), store.load(IntegrationRunDetail, id=scene.detail.id)
    details = {"Errors": [{"ExternalID": "a", "Message": "'ada@x.org' does not fit"}], "Notes": []}
    store.save([evolve(run, status="Completed", completed_at=at)])
    store.save([evolve(detail, status="Completed", completed_at=at, details=details)])


def idle(scene: Any, count: int, at: datetime) -> list[str]:
    """Record runs that did nothing."""
    ids = [new_id() for _ in range(count)]
    runs = [IntegrationRun(i, scene.connection.id, "Pull", "Completed", at, completed_at=at) for i in ids]
    of = scene.context.entity_map.id
    details = [IntegrationRunDetail(new_id(), i, of, "Completed", at, completed_at=at) for i in ids]
    scene.store.save([*runs, *details])
    return ids


def fill(scene: Any, *ids: str) -> None:
    """Let every part of the past have something to say."""
    of = scene.context.entity_map.id
    scene.create({i: {"Name": i} for i in ids})
    failed = [RecordError(f"failed {i}", "transform", "code", "message", {"x": i}) for i in ids]
    queued = [Conflict(f"open {i}", (i,), {}, {"Name": i}, {}, of) for i in ids]
    scene.commit(failed=failed, conflicts=[*queued, *(Conflict(f"answered {i}", (i,), {}, {}, {}, of, "source") for i in ids)])


def total(steps: Iterator[Purged]) -> Purged:
    return sum(steps, Purged())


def test_what_is_old_goes_and_what_is_new_or_of_others_stays(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        fill(each, "a", "b")
        ended(each, datetime.now(UTC))
    before = datetime.now(UTC)
    later = scene.next_run()
    fill(later, "c")
    theirs = [len(list(store.changes(entity_map_id=other.context.entity_map.id))), len(other.failed())]
    expected = Purged(changes=2, failed_records=2, conflicts=4, runs=0)
    assert store.count_old(scene.connection, before) == expected
    assert total(store.purge(scene.connection, before, later.lease)) == expected
    assert [c.external_id for c in store.changes(entity_map_id=scene.context.entity_map.id)] == ["c"]
    assert [f.external_id for f in later.failed()] == ["failed c"]
    assert {c.external_id for c in store.conflicts(entity_map_id=scene.context.entity_map.id)} == {"answered c", "open c"}
    assert [len(list(store.changes(entity_map_id=other.context.entity_map.id))), len(other.failed())] == theirs
    assert store.count_old(scene.connection, before) == Purged()
    assert total(store.purge(scene.connection, before, later.lease)) == Purged()


def test_runs_that_stay_are_marked_and_forget_what_their_records_said(
    store: Store, scene: Any, stage: Callable[..., Any]
) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        fill(each, "a")
        ended(each, datetime.now(UTC))
    before = datetime.now(UTC)
    later = evolve(scene.next_run(), run=scene.run)
    for time, expected in ((before, before), (before - timedelta(days=1), before)):
        total(store.purge(scene.connection, time, later.lease))
        (run,) = store.load(IntegrationRun, id=scene.run.id)
        assert datetime.fromisoformat(str(run.configuration[PURGED_BEFORE])) == expected
    assert [d.details for d in store.load(IntegrationRunDetail, integration_run_id=scene.run.id)] == [{}]
    (theirs,) = store.load(IntegrationRun, id=other.run.id)
    assert PURGED_BEFORE not in theirs.configuration
    assert store.load(IntegrationRunDetail, integration_run_id=other.run.id)[0].details["Errors"]


def test_a_run_goes_with_its_details_when_nothing_names_it(store: Store, scene: Any) -> None:
    fill(scene, "a")
    ended(scene, datetime.now(UTC))
    at = datetime.now(UTC)
    ids = idle(scene, 6, at)
    named, undone, positioned, newest = ids[0], ids[1], ids[2], ids[5]
    (run,) = store.load(IntegrationRun, id=named)
    store.save([evolve(run, status="Running", completed_at=None)])
    before = datetime.now(UTC)
    later = scene.next_run()
    (mine,) = store.load(IntegrationRun, id=later.run.id)
    started = datetime.now(UTC)
    store.save([evolve(mine, started_at=started, configuration={"Undo": undone})])
    store.save([evolve(later.detail, started_at=started)])
    later.commit(position=Position(run_id=later.run.id, closed_by=positioned))
    assert store.count_old(scene.connection, before).runs == 2
    assert total(store.purge(scene.connection, before, later.lease)).runs == 2
    kept = {run.id for run in store.load(IntegrationRun)}
    assert kept == {scene.run.id, named, undone, positioned, newest, later.run.id}
    assert {d.integration_run_id for d in store.load(IntegrationRunDetail)} == kept


def test_every_transaction_is_of_bounded_size(store: Store, scene: Any) -> None:
    changes = [RowChange("create", (f"{i:05}",), {}, {"id": f"{i:05}", "Name": "x"}, f"{i:05}") for i in range(2500)]
    scene.commit(changes=changes)
    idle(scene, 1500, datetime.now(UTC))
    steps = list(store.purge(scene.connection, datetime.now(UTC), scene.lease))
    assert [step.changes for step in steps if step.changes] == [1000, 1000, 500]
    assert max(step.total for step in steps) <= 1000
    assert sum(step.runs for step in steps) == 1499, "the newest run stays, to say what was purged"


def test_who_lost_the_lease_removes_nothing(store: Store, scene: Any) -> None:
    fill(scene, "a")
    later = scene.next_run()
    with pytest.raises(LeaseLost):
        total(store.purge(scene.connection, datetime.now(UTC), scene.lease))
    assert store.count_old(scene.connection, datetime.now(UTC)).changes == 1
    assert total(store.purge(scene.connection, datetime.now(UTC), later.lease)).changes == 1


def test_what_an_undo_put_back_stays_until_its_record_is_decided_again(store: Store, scene: Any) -> None:
    keys = scene.create({"a": {"Name": "old"}, "b": {"Name": "old"}})
    undone = [RowChange("update", keys[i], {"Name": "old"}, {"Name": "new"}, i, "undo") for i in ("a", "b")]
    undecided = evolve(scene.link("a", keys["a"]), content_hash=b"")
    scene.commit(changes=sorted(undone, key=lambda c: c.key), links=[undecided])
    ended(scene, datetime.now(UTC))
    before = datetime.now(UTC)
    later = scene.next_run()
    later.commit(links=[undecided])
    assert (
        store.count_old(scene.connection, before)
        == total(store.purge(scene.connection, before, later.lease))
        == Purged(changes=3)
    )
    assert [(c.external_id, c.rule) for c in store.changes()] == [("a", "undo")]
    assert store.load(IntegrationRun, id=scene.run.id)
    later.commit(links=[scene.link("a", keys["a"])])
    assert total(store.purge(scene.connection, before, later.lease)).changes == 1
