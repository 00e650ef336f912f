"""One transaction per batch: everything of a batch is there or nothing of it; a broken-off run ends as an unbroken one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjcore.errors import LeaseHeld, LeaseLost, StoreError

NAME = {"Name": "Name", "MaxLength": 8}
EMAIL = {"Strategy": "KeyFields", "KeyFields": ["Email"]}
TARGETS = ("people", "mj_record_link", "mj_record_change", "mj_failed_record", "mj_conflict")


def metadata(document: Callable[..., Any], **entity_map: Any) -> Any:
    return document("Email", fields=[NAME], DeleteBehavior="HardDelete", **entity_map)


def filled(scenes: Any, names: Any, **options: Any) -> Any:
    """Return a world of people, some of which do not fit."""
    world = scenes.world(page=2, **options)
    for i, name in enumerate(names):
        world.put(f"{i:02}", name=name, email=f"{i:02}")
    return world


NAMES = st.lists(st.sampled_from(["Ada", "Bob", "x" * 9]), min_size=1, max_size=9)


def test_after_each_commit_rows_links_changes_ledger_and_counters_agree(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    """Seen from another connection, before and after each commit; events come after it."""

    @given(NAMES)
    def check(names: Any) -> None:
        world = filled(scenes, names)
        with scenes.open(metadata(document), world) as scene:

            def counted() -> tuple[int, ...]:
                tables = ("people", "mj_record_link", "mj_record_change", "mj_failed_record")
                rows, *others, failed = (scene.database.execute(f"SELECT count(*) FROM {name}")[0][0] for name in tables)
                created, errored = scene.database.execute(
                    "SELECT total_records_created, total_records_errored FROM mj_integration_run"
                )[0]
                assert {rows, *others} == {created}
                assert failed == errored
                return created, errored

            told = [(0, 0)]

            def tell(counts: Any) -> None:
                told.append((told[-1][0] + counts.created, told[-1][1] + counts.errored))
                assert counted() == told[-1], "an event tells what is committed"

            scene.plugin.before = scene.plugin.after = lambda _: counted()
            scene.plugin.told = tell
            scene.settle()
            assert scene.kernel.stages.failures == []
            assert told[-1] == (len(names) - names.count("x" * 9), names.count("x" * 9))

    prove(check, examples=6)


@pytest.mark.parametrize("how", ["killed", "unanswered", "refused"])
def test_a_run_that_is_broken_off_at_any_commit_ends_as_one_that_is_not(
    prove: Any, scenes: Any, document: Callable[..., Any], how: str
) -> None:
    """Killed before or after commits; the connection lost before a commit, or after it and before the answer came."""

    @given(NAMES, NAMES, st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=3))
    def check(names: Any, edits: Any, breaks: Any) -> None:
        ends = []
        unbroken: list[Any] = []
        for some in (unbroken, breaks):
            world = filled(scenes, names)
            with scenes.open(metadata(document), world) as scene:
                for round_ in (names, edits):
                    for i, name in enumerate(round_):
                        world.put(f"{i:02}", name=name, email=f"{i:02}")
                    world.delete(f"{len(round_) - 1:02}")
                    for commit, is_after in some:
                        break_off(scenes, scene, how, commit, is_after)
                    scene.settle()
                    scene.settle()
                scenes.check_mirror(scene)
                changes = scene.database.execute("SELECT kind, external_id FROM mj_record_change ORDER BY external_id, kind")
                ends.append((scene.linked("Name", "Email"), scene.ledger(), scene.rows("Name", "Email"), changes))
        assert ends[0] == ends[1]

    prove(check, examples=5)


def break_off(scenes: Any, scene: Any, how: str, commit: int, is_after: bool) -> None:
    hand = scenes.kill_at(commit, StoreError("the connection was lost") if how != "killed" else None)
    if how == "unanswered" or (how == "killed" and is_after):
        scene.plugin.after = hand
    else:
        scene.plugin.before = hand
    try:
        scene.kernel.sync("Acme")
    except scenes.killed:
        pass
    finally:
        scene.plugin.let_be()


def test_a_run_on_an_unchanged_source_writes_no_row_no_link_no_change(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    @given(histories.runs(histories.moves(histories.deletes), histories.faults, longest=2), st.booleans())
    def check(runs: Any, full: bool) -> None:
        world = scenes.world()
        with scenes.open(document(fields=[NAME], DeleteBehavior="HardDelete"), world) as scene:
            for moves, script in runs:
                for move in moves:
                    world.act(move)
                world.plan(script)
                scene.sync()
            scene.settle()
            scene.settle()
            before = scene.database.dump(*TARGETS)
            written: list[Any] = []
            scene.plugin.before = lambda write: written.extend([*write.changes, *write.links])
            result = scene.settle(full=full)
            assert scene.database.dump(*TARGETS) == before
            assert written == []
            assert result.counts.created == result.counts.updated == result.counts.deleted == 0

    prove(check)


@pytest.mark.parametrize("policy", ["SourceWins", "DestWins"])
def test_what_people_do_between_decision_and_commit_is_not_overwritten_unseen(
    prove: Any, scenes: Any, document: Callable[..., Any], policy: str
) -> None:
    """As if they had done it before: the source wins or they do, as the policy says; nothing is there twice."""
    doc = metadata(document, ConflictResolution=policy, MatchStrategy=EMAIL)

    @given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["edit", "remove", "insert"])), min_size=1, max_size=3))
    def check(acts: Any) -> None:
        ends = []
        for is_meanwhile in (False, True):
            world = filled(scenes, ["Ada"] * 3)
            with scenes.open(doc, world) as scene:
                scene.settle()
                for i in range(4):
                    world.put(f"{i:02}", name="New", email=f"{i:02}")
                if is_meanwhile:
                    scene.plugin.before = partial(disturb, scene, acts, dict(scene.rows("Email", "id")))
                else:
                    disturb(scene, acts, dict(scene.rows("Email", "id")))
                scene.settle()
                ends.append(scene.rows("Email", "Name"))
                assert len({email for email, _ in ends[-1]}) == len(ends[-1])
        assert ends[0] == ends[1]

    prove(check, examples=6)


def disturb(scene: Any, acts: Any, keys: Any, _: Any = None) -> None:
    """Do what people do, once."""
    for i, act in acts:
        key = keys.get(f"{i:02}", f"mine{i}")
        if act == "edit":
            scene.edit(key, Name="Mine")
        elif act == "remove":
            scene.remove(key)
        elif not scene.database.execute("SELECT id FROM people WHERE id = ?", key):
            scene.insert(key, Name="Mine", Email=f"{i:02}")
    scene.plugin.let_be()


def test_a_connection_is_run_by_one_at_a_time_and_who_loses_it_writes_nothing(scenes: Any, document: Callable[..., Any]) -> None:
    world = filled(scenes, ["Ada"] * 6)
    with scenes.open(metadata(document), world) as scene:

        def second(_: Any) -> None:
            with pytest.raises(LeaseHeld, match=r"held by process \d+ on .* until "):
                scene.kernel.sync("Acme")

        scene.plugin.before = second
        scene.settle()
        world.put("new", name="New", email="new")

        def taken_over(_: Any) -> None:
            scene.plugin.let_be()
            scene.database.execute("UPDATE mj_lease SET fence = fence + 1, holder = 'another'")

        scene.plugin.before = taken_over
        before = scene.database.dump(*TARGETS)
        with pytest.raises(LeaseLost):
            scene.kernel.sync("Acme")
        assert scene.database.dump(*TARGETS) == before
