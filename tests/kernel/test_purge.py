"""A purge ends retention, and what it has taken away is not missed in silence: undo refuses, explain says so."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mjcore import Kernel
from mjcore.errors import ConfigError, LeaseHeld, UnknownName
from mjcore.history import Purged
from mjcore.results import SyncResult

PEOPLE = {
    "ExternalObjectName": "people",
    "Entity": "People",
    "DeleteBehavior": "HardDelete",
    "FieldMaps": [
        {"SourceFieldName": "name", "DestinationFieldName": "Name"},
        {"SourceFieldName": "age", "DestinationFieldName": "Age"},
    ],
}
ENTITY = {"Name": "People", "Table": "people", "Fields": [{"Name": "Name"}, {"Name": "Age", "Type": "number"}]}


def document(folder: Path, **parts: Any) -> dict[str, Any]:
    connection = {"Name": "Files", "Company": "Acme", "Provider": "Files", "Configuration": {"Folder": str(folder)}}
    maps = [{**PEOPLE, **parts}]
    return {"Companies": [{"Name": "Acme"}], "Entities": [ENTITY], "Connections": [{**connection, "EntityMaps": maps}]}


@define
class Scene:
    """A folder of one file, and a kernel that reads it."""

    folder: Path
    kernel: Kernel

    def sync(self, people: dict[str, Any], **options: Any) -> SyncResult:
        lines = [f"{id_},Person {id_},{age}" for id_, age in people.items()]
        (self.folder / "people.csv").write_text("\n".join(["id,name,age", *lines]) + "\n")
        return self.kernel.sync("Files", full=True, allow_deletes=True, **options)

    def rows(self) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "t.db")) as database:
            return database.execute("SELECT id, Name, Age FROM people ORDER BY Name, id").fetchall()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        kernel.apply(document(tmp_path))
        yield Scene(tmp_path, kernel)


def test_undo_of_what_is_known_in_part_is_refused_before_anything_is_written(scene: Scene) -> None:
    began = datetime.now(UTC)
    first = scene.sync({"1": 1, "2": 2})
    older = scene.rows()
    scene.sync({"1": 1, "2": 3})
    before = datetime.now(UTC)
    scene.sync({"1": 1, "2": 4})
    rows = scene.rows()
    assert scene.kernel.purge("Files", before).purged == Purged(changes=3)
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match=r"began before .*purged.*mj verify --repair"):
            scene.kernel.undo(first.run_id, dry_run=dry_run)
        with pytest.raises(ConfigError, match=r"began before .*purged"):
            scene.kernel.undo.since("Files", "people", began, dry_run=dry_run)
    assert scene.rows() == rows
    (undone,) = scene.kernel.undo.since("Files", "people", before)
    assert (undone.reverted, undone.skipped) == (1, 0)
    assert [row[2] for row in scene.rows()] == [1, 3]
    assert older != scene.rows()


def test_undo_since_a_time_whose_runs_are_all_gone_is_refused(scene: Scene) -> None:
    scene.sync({"1": 1})
    began = datetime.now(UTC)
    gone = scene.sync({"1": 2})
    for _ in range(3):
        scene.sync({"1": 2})
    result = scene.kernel.purge("Files", datetime.now(UTC))
    assert result.purged == Purged(changes=2, runs=3)
    with pytest.raises(UnknownName, match=gone.run_id):
        scene.kernel.undo(gone.run_id)
    with pytest.raises(ConfigError, match="purged"):
        scene.kernel.undo.since("Files", "people", began)


def test_explain_says_up_to_when_changes_are_unknown(scene: Scene) -> None:
    scene.sync({"1": 1})
    key = scene.rows()[0][0]
    assert scene.kernel.explain("People", key).purged_before is None
    before = datetime.now(UTC)
    scene.sync({"1": 2, "2": 2})
    scene.kernel.purge("Files", before)
    found = scene.kernel.explain("People", key)
    assert (found.purged_before, [change.kind for change in found.changes]) == (before, ["update"])
    assert scene.kernel.explain("People", scene.rows()[1][0]).purged_before is None, "all of it is known"


def test_the_next_syncs_and_a_comparison_miss_nothing(scene: Scene) -> None:
    scene.sync({"1": 1, "2": 2, "3": "three"})
    assert scene.kernel.purge("Files", datetime.now(UTC)).purged == Purged(changes=2, failed_records=1)
    assert list(scene.kernel.queues.failed("Files")) == []
    counts = scene.sync({"1": 1, "2": 3, "3": 3}).counts
    assert (counts.created, counts.updated, counts.unchanged) == (1, 1, 1)
    (found,) = scene.kernel.verify("Files")
    assert found.is_equal
    scene.sync({"2": 3})
    assert [row[1] for row in scene.rows()] == ["Person 2"], "a row that a purged run made is still known to be the engine's"


@pytest.mark.parametrize("answer", [None, "source"])
def test_conflicts_that_were_queued_before_go_answered_or_not(tmp_path: Path, answer: Any) -> None:
    with Kernel(f"sqlite:///{tmp_path}/t.db") as kernel:
        kernel.apply(document(tmp_path, ConflictResolution="Manual"))
        scene = Scene(tmp_path, kernel)
        scene.sync({"1": 1})
        with closing(sqlite3.connect(tmp_path / "t.db")) as database:
            database.execute("UPDATE people SET Age = 5")
            database.commit()
        assert scene.sync({"1": 2}).counts.conflicted == 1
        if answer:
            kernel.queues.resolve("Files", answer)
        assert kernel.purge("Files", datetime.now(UTC)).purged.conflicts == 1
        assert list(kernel.queues.conflicts("Files")) == []
        kernel.retry("Files")
        assert [row[2] for row in scene.rows()] == [5], "the row stays as it is"


def test_a_dry_run_counts_and_removes_nothing(scene: Scene) -> None:
    for age in ("1", "one"):
        scene.sync({"1": age})
    scene.sync({"1": "2"})
    scene.sync({"1": "2"})
    before = datetime.now(UTC)
    for _ in range(2):
        would = scene.kernel.purge("Files", before, dry_run=True)
    assert (would.is_dry_run, would.purged) == (True, Purged(changes=2, runs=2))
    done = scene.kernel.purge("Files", before)
    assert (done.is_dry_run, done.purged) == (False, would.purged)


def test_a_purge_stops_between_two_transactions_and_goes_on_where_it_was(scene: Scene) -> None:
    run = scene.sync({f"{i:04}": i for i in range(2500)})
    before, told = datetime.now(UTC), list[tuple[int, int]]()
    stopped = scene.kernel.purge(
        "Files", before, progress=lambda done, total: told.append((done.total, total)), cancel=lambda: bool(told[1:])
    )
    assert (stopped.status, stopped.purged.changes, told[-1]) == ("Cancelled", 1000, (1000, 2500))
    assert len(list(scene.kernel.store.changes())) == 1500
    with pytest.raises(ConfigError, match="purged"):
        scene.kernel.undo(run.run_id)
    assert scene.kernel.purge("Files", before).purged == Purged(changes=1500)
    assert scene.sync({f"{i:04}": i for i in range(2500)}).counts.unchanged == 2500


def test_no_run_writes_meanwhile(scene: Scene) -> None:
    scene.sync({"1": 1})
    (metadata,) = scene.kernel.connections("Files")
    lease = scene.kernel.store.acquire(metadata.connection, "another", timedelta(minutes=1), lambda _: False)
    with pytest.raises(LeaseHeld):
        scene.kernel.purge("Files", datetime.now(UTC))
    assert scene.kernel.purge("Files", datetime.now(UTC), dry_run=True).purged.changes == 1
    scene.kernel.store.release(lease)
    held = list[str]()

    def sync(*_: Any) -> None:
        try:
            scene.kernel.sync("Files")
        except LeaseHeld as error:
            held.append(str(error))

    scene.kernel.purge("Files", datetime.now(UTC), progress=sync)
    assert held
    assert scene.kernel.sync("Files").status == "Completed"


def test_a_time_is_one_of_the_past_with_a_zone(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="not come yet"):
        scene.kernel.purge("Files", datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(ConfigError, match="zone"):
        scene.kernel.purge("Files", datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake
    with pytest.raises(UnknownName):
        scene.kernel.purge("File", datetime.now(UTC))


MADE = iter(range(10_000))
STATE = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), min_size=1)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(states=st.lists(STATE, min_size=2, max_size=5), data=st.data())
def test_an_undo_after_a_purge_is_refused_or_does_what_it_did_before(
    tmp_path: Path, states: list[dict[str, int]], data: st.DataObject
) -> None:
    """The oracle is a copy of the database that was never purged."""
    folder = tmp_path / f"{next(MADE)}"
    folder.mkdir()
    times, runs = list[datetime](), list[str]()
    with Kernel(f"sqlite:///{folder}/t.db") as kernel:
        kernel.apply(document(folder))
        scene = Scene(folder, kernel)
        for state in states:
            times.append(datetime.now(UTC))
            runs.append(scene.sync(state).run_id)
    copied = folder / "copy"
    shutil.copytree(folder, copied)
    index = data.draw(st.integers(0, len(states) - 1))
    with Kernel(f"sqlite:///{folder}/t.db") as kernel, Kernel(f"sqlite:///{copied}/t.db") as whole:
        kernel.purge("Files", times[index])
        for run in reversed(runs[index:]):
            done, expected = kernel.undo(run), whole.undo(run)
            assert (done.removed, done.reverted, done.recreated, done.skipped) == (
                *(expected.removed, expected.reverted, expected.recreated, expected.skipped),
            )
            assert Scene(folder, kernel).rows() == Scene(copied, whole).rows()
        for run in runs[:index]:
            with pytest.raises((ConfigError, UnknownName), match=run):
                kernel.undo(run)
