"""Many at once: threads on one store, stores on one database, processes; no row is created twice."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mjcore.errors import RowsMoved
from mjcore.models import Entity, EntityField, IntegrationRun
from mjcore.recording import counts_of
from mjcore.records import Counts, Position, RowChange, Watermark

EVERYWHERE = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)
PEOPLE = Entity("People", "people", fields=(EntityField("Email"), EntityField("Count", "number", number="integer")))


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run tasks that start together, each in a thread; return their results."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        ready.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@EVERYWHERE
def test_many_threads_use_one_store(database: Any, stage: Callable[..., Any]) -> None:
    """As many connections run side by side: each reads and commits on its own, none waits for ever, none mixes up."""
    store = database.stores[0] if database.stores else database.open()
    scenes = [stage(store, PEOPLE if not i % 2 else Entity("Sites", "sites", fields=PEOPLE.fields)) for i in range(8)]

    def work(number: int) -> None:
        scene = scenes[number]
        for batch in range(8):
            ids = [f"{batch}-{i}" for i in range(20)]
            keys = scene.create({i: {"Email": f"{i}@{number}", "Count": 0} for i in ids}, counts=Counts(processed=20, created=20))
            assert store.rows(scene.entity).find(("Email",), [(f"{ids[0]}@{number}",)]) == {
                (f"{ids[0]}@{number}",): [keys[ids[0]]]
            }
            assert set(store.linked(scene.entity, list(keys.values()))) == set(keys.values())
            changes = [RowChange("update", k, {"Count": 0}, {"Count": 1}, i) for i, k in sorted(keys.items(), key=lambda p: p[1])]
            scene.commit(changes=changes, position=Position(Watermark("Cursor", f"{number} {batch}")))
            assert sum(1 for _ in store.changes(run_id=scene.run.id)) == 40 * (batch + 1)
            store.renew(scene.lease, scene.lease.expires_at - scene.run.started_at)

    at_once([lambda n=n: work(n) for n in range(8)])  # type: ignore[misc]  # mypy cannot infer a lambda's default
    for number, scene in enumerate(scenes):
        assert store.count_links(scene.context) == 160
        assert store.position(scene.context) == Position(Watermark("Cursor", f"{number} 7"))
        (run,) = store.load(IntegrationRun, id=scene.run.id)
        assert counts_of(run) == Counts(processed=160, created=160)
        assert all(value == 1 for _, (value,) in store.rows(scene.entity).scan(("Count",)))


@EVERYWHERE
def test_of_two_runs_that_create_the_same_values_one_must_look_again(database: Any, stage: Callable[..., Any]) -> None:
    first = stage(database.stores[0] if database.stores else database.open(), PEOPLE)
    second = stage(first.store if database.kind == "memory" else database.open(), first.entity)

    def commit(scene: Any, value: str) -> bool:
        try:
            scene.commit(changes=[scene.creation(value, {"Email": value, "Count": 1}, ("Email",))])
        except RowsMoved:
            return False
        return True

    for i in range(30):
        tasks = [lambda s=s, i=i: commit(s, f"{i}@x") for s in (first, second)]
        assert sorted(at_once(tasks)) == [False, True]
    assert len(list(first.store.rows(first.entity).scan(("Email",)))) == 30


@EVERYWHERE
def test_of_two_runs_that_update_a_row_one_must_look_again(database: Any, stage: Callable[..., Any]) -> None:
    first = stage(database.stores[0] if database.stores else database.open(), PEOPLE)
    second = stage(first.store if database.kind == "memory" else database.open(), first.entity)
    key = first.create({"x": {"Count": 0}})["x"]

    def commit(scene: Any, count: int) -> bool:
        try:
            scene.commit(changes=[RowChange("update", key, {"Count": count}, {"Count": count + 1}, "x")])
        except RowsMoved:
            return False
        return True

    for i in range(30):
        tasks = [lambda s=s, i=i: commit(s, i) for s in (first, second)]
        assert sorted(at_once(tasks)) == [False, True]
    assert first.read(key)["Count"] == 30


def test_crossing_batches_do_not_lock_each_other_out(database: Any, stage: Callable[..., Any]) -> None:
    """Two runs that write the rows of each other's entity: rows are sorted, tables are not."""
    scenes = [stage(database.open(), PEOPLE)]
    scenes.append(stage(database.open(), scenes[0].entity))
    keys = sorted(scenes[0].create({str(i): {"Count": 0, "Email": str(i)} for i in range(50)}).values())

    def work(scene: Any, name: str) -> None:
        for turn in range(15):
            half = keys[:25] if name == "a" else keys[25:]
            before = scene.store.read(scene.entity, half, ("Email",))
            changes = [RowChange("update", k, {"Email": before[k]["Email"]}, {"Email": f"{name}{turn}"}, "x") for k in half]
            scene.commit(changes=changes, links=[scene.link(f"{i}", k) for i, k in enumerate(keys)])

    at_once([lambda: work(scenes[0], "a"), lambda: work(scenes[1], "b")])
    assert sorted({v for _, (v,) in scenes[0].store.rows(scenes[0].entity).scan(("Email",))}) == ["a14", "b14"]


WORKER = """
    import random, sys
    from datetime import timedelta
    from mj_storage_sql import mj_store_types
    from mjcore.errors import RowsMoved
    from mjcore.ids import new_id
    from mjcore.models import CompanyIntegration, EntityMap, IntegrationRun, SyncContext
    from mjcore.records import BatchWrite, Counts, Link, Position, RowChange

    url, map_id, run_id, seed = sys.argv[1:]
    (kind,) = mj_store_types()
    store = kind.open(url)
    (entity_map,) = store.load(EntityMap, id=map_id)
    (connection,) = store.load(CompanyIntegration, id=entity_map.company_integration_id)
    (run,) = store.load(IntegrationRun, id=run_id)
    context = SyncContext(run.id, connection.name, "Acme", entity_map, "Pull", "Manual", run.started_at, connection.id)
    lease = store.acquire(connection, f"worker {seed}", timedelta(minutes=5), lambda _: False)
    emails = [f"{i}@x" for i in range(200)]
    random.Random(seed).shuffle(emails)
    print("ready", flush=True)
    sys.stdin.readline()
    moved = 0
    while emails:
        batch = emails[:10]
        there = store.rows(entity_map.entity).find(("Email",), [(email,) for email in batch])
        new = [email for email in batch if not there.get((email,))]
        ids = sorted(new_id() for _ in new)
        changes = [
            RowChange("create", (id_,), {}, {"id": id_, "Email": email, "Count": 1}, email, "none", ("Email",))
            for id_, email in zip(ids, new)
        ]
        links = [Link(c.external_id, c.key, b"0" * 16, {}) for c in changes]
        counts = Counts(processed=len(new), created=len(new))
        try:
            store.commit(context, BatchWrite(changes, links, (), (), (), counts, Position()), lease)
            emails = emails[10:]
        except RowsMoved:
            moved += 1
    store.release(lease)
    store.close()
    print(moved)
"""


def test_processes_that_create_the_same_values_create_each_once(database: Any, stage: Callable[..., Any]) -> None:
    first = stage(database.open(), PEOPLE)
    scenes = [first, *(stage(first.store, first.entity) for _ in range(2))]
    workers = []
    for seed, scene in enumerate(scenes):
        scene.store.release(scene.lease)
        arguments = [database.url, scene.context.entity_map.id, scene.run.id, str(seed)]
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(WORKER), *arguments]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        workers.append(worker)
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    ended = _finish(workers)
    assert [error for _, error in ended] == ["", "", ""]
    found = sorted(email for _, (email,) in first.store.rows(first.entity).scan(("Email",)))
    assert found == sorted(f"{i}@x" for i in range(200))
    assert sum(1 for change in first.store.changes() if change.kind == "create") == 200
    assert sum(run.total_records_created for run in first.store.load(IntegrationRun)) == 200


def _finish(workers: Sequence["subprocess.Popen[str]"]) -> list[tuple[str, str]]:
    """Let all go at once, and wait."""
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [worker.communicate(timeout=60) for worker in workers]
