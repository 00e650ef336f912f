"""Failures: a bad record is put aside and tried again; a bad run ends with an error that tells what to do."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mjcore.errors import AuthFailed, NotSupported, ProviderError, RateLimited

FIELDS = [
    {"Name": "Name", "MaxLength": 8},
    {"Name": "Badge", "Type": "number", "IsUnique": True},
    {"Name": "Email", "IsRequired": True},
]
KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "good": ({}, None),
    "long": ({"name": "x" * 9}, ("transform", "does_not_fit")),
    "type": ({"badge": "seven"}, ("transform", "does_not_fit")),
    "null": ({"email": None}, ("transform", "required")),
    "taken": ({"badge": "0"}, ("persist", "unique")),
    "refused": ({"name": "Nobody"}, ("persist", "refused")),
    "unreadable": ({}, ("fetch", "unreadable")),
}
"""What may be wrong with a record, and where that is found."""


@pytest.mark.parametrize("page", [1, 3, 50])
def test_what_is_good_is_written_and_what_is_bad_is_put_aside_with_it(
    prove: Any, scenes: Any, document: Callable[..., Any], page: int
) -> None:
    """Any mix of good and bad records, bad in every way that mapping, fitting, constraints and the database know."""

    @given(st.lists(st.sampled_from([*KINDS, "good"]), max_size=12))
    def check(kinds: Any) -> None:
        world = scenes.world(page=page)
        with scenes.open(document(fields=FIELDS), world) as scene:
            refuse(scene)
            world.put("!", name="First", badge="0", email="!")
            for i, kind in enumerate(kinds):
                id_ = f"{i:02}"
                world.put(id_, **{"name": f"N{i}", "badge": str(i + 1), "email": id_, **KINDS[kind][0]})
                if kind == "unreadable":
                    world.unreadable.add(id_)
            bad = {f"{i:02}": KINDS[kind][1] for i, kind in enumerate(kinds) if kind != "good"}
            result = scene.settle()
            assert scene.ledger() == [(id_, *fault) for id_, fault in sorted(bad.items())]
            assert (result.counts.created, result.counts.errored) == (1 + len(kinds) - len(bad), len(bad))
            good = {f"{i:02}": (f"N{i}", i + 1, f"{i:02}") for i, kind in enumerate(kinds) if kind == "good"}
            assert scene.linked("Name", "Badge", "Email") == good | {"!": ("First", 0, "!")}
            assert len(scene.rows("Name")) == 1 + len(good)

    prove(check, examples=8)


def refuse(scene: Any) -> None:
    """Add a rule to the database that nothing but the database knows."""
    if scene.database.kind == "sqlite":
        scene.database.execute(
            "CREATE TRIGGER IF NOT EXISTS nobody BEFORE INSERT ON people WHEN NEW.\"Name\" = 'Nobody' "
            "BEGIN SELECT RAISE(ABORT, 'nobody is not wanted'); END"
        )
        return
    scene.database.execute("ALTER TABLE people DROP CONSTRAINT IF EXISTS nobody")
    scene.database.execute("ALTER TABLE people ADD CONSTRAINT nobody CHECK (\"Name\" <> 'Nobody')")


@pytest.mark.parametrize("can_read", [True, False])
def test_what_failed_is_tried_again_until_it_is_good_or_gone_and_never_older_than_what_is_there(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any], can_read: bool
) -> None:
    """After each run: good rows are the source's, bad ones are in the ledger, and nothing comes back from there."""
    metadata = document(fields=[{"Name": "Name", "MaxLength": 8}], DeleteBehavior="HardDelete")
    moves = histories.moves(histories.bad, histories.deletes, histories.hides)

    @given(st.lists(st.lists(moves, max_size=5), min_size=1, max_size=4))
    @example([[("put", "d", "Ada", timedelta(minutes=1)), ("delete", "d")], [("hide", "d")]])
    def check(runs: Any) -> None:
        world = scenes.world(can_read=can_read)
        with scenes.open(metadata, world) as scene:
            for moves in runs:
                for move in moves:
                    world.act(move)
                scene.settle()
                live, held = world.live(), scene.linked("Name")
                failed = {id_ for id_, _, _ in scene.ledger()}
                for id_, values in live.items():
                    assert id_ in failed or len(values["name"] or "") < 9
                    if id_ not in failed:
                        assert held.get(id_) == (values["name"],)
                assert failed | held.keys() <= live.keys() | world.unreadable
            hidden_deletes = world.unreadable - world.live().keys()  # where no record is read by id, only a full read ends them
            world.unreadable.clear()
            for id_ in sorted(world.live()):
                world.put(id_, name="Good")
            scene.settle(full=bool(hidden_deletes) and not can_read)
            scenes.check_mirror(scene)

    prove(check)


@pytest.mark.parametrize("can_read", [True, False])
def test_a_record_that_no_page_could_show_is_read_by_id_or_waits_until_it_comes(
    scenes: Any, document: Callable[..., Any], can_read: bool
) -> None:
    """Nothing is known of it, so that nothing may be written until the source has given it."""
    world = scenes.world(can_read=can_read)
    with scenes.open(document("Name"), world) as scene:
        world.put("a", name="Ada")
        world.unreadable.add("a")
        world.now += timedelta(days=1)  # beyond the overlap of the next window
        scene.settle()
        waiting: Any = ([], [("a", "fetch", "unreadable")])
        assert (scene.rows("Name"), scene.ledger()) == waiting
        world.unreadable.clear()
        scene.settle()
        assert (scene.rows("Name"), scene.ledger()) == (([("Ada",)], []) if can_read else waiting)
        world.put("a", name="Eve")
        scene.settle()
        assert (scene.rows("Name"), scene.ledger()) == ([("Eve",)], [])


def test_attempts_are_counted_and_what_a_run_delivered_itself_is_not_tried_again(
    scenes: Any, document: Callable[..., Any]
) -> None:
    world = scenes.world()
    with scenes.open(document(fields=FIELDS), world) as scene:
        world.put("a", name="x" * 9, badge="1", email="a")
        world.now += timedelta(days=1)  # beyond the overlap of the next window
        for attempt in range(1, 4):
            scene.settle()
            assert scene.database.execute("SELECT attempts FROM mj_failed_record") == [(attempt,)]
            assert world.asked == ["a"] * (attempt - 1)


@pytest.mark.parametrize("kind", [AuthFailed, NotSupported, ProviderError])
def test_a_failure_of_the_source_is_a_result_that_says_what_the_source_said(
    scenes: Any, document: Callable[..., Any], kind: type[ProviderError]
) -> None:
    world = scenes.world()
    with scenes.open(document("Name"), world) as scene:
        world.put("a", name="Ada")
        for call in (0, 1):
            world.plan({call: kind("the source is closed")})
            result = scene.sync()
            assert (result.status, result.refusal) == ("Failed", None)
            assert "the source is closed" in str(result.error)
            assert "the source is closed" in str(result.maps[0].error)
        assert scene.settle().counts.created == 1


def test_faults_that_pass_are_waited_out(prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]) -> None:
    @given(st.dictionaries(st.integers(0, 5), histories.passing), st.lists(histories.moves(), max_size=8))
    def check(script: Any, moves: Any) -> None:
        world = scenes.world()
        with scenes.open(document(fields=[{"Name": "Name", "MaxLength": 8}]), world) as scene:
            for move in moves:
                world.act(move)
            world.plan(script)
            began = time.monotonic()
            result = scene.sync()
            waits = [e.retry_after for n, e in script.items() if n < world.calls and isinstance(e, RateLimited)]
            assert time.monotonic() - began >= sum(w.total_seconds() for w in waits if w)
            assert (result.status, result.error) == ("Completed", None)
            scenes.check_mirror(scene)

    prove(check)


def test_more_than_half_of_two_hundred_records_failing_stops_the_run(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    @given(st.integers(195, 210), st.integers(95, 115))
    def check(records: int, bad: int) -> None:
        world = scenes.world(page=500)
        with scenes.open(document(fields=[{"Name": "Name", "MaxLength": 8}]), world) as scene:
            for i in range(records):
                world.put(f"{i:03}", name="x" * 9 if i < bad else "Good")
            result = scene.sync()
            stops = records >= 200 and bad > records / 2
            assert (result.status == "Failed") == stops
            assert ("the mapping is probably wrong" in str(result.error)) == stops
            assert (scene.watermark() is None) == stops

    prove(check, examples=8)
