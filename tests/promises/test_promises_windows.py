"""Windows, cursors, watermarks: whatever the source does while it is read, nothing is missed and nothing is read for ever."""

from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mjcore.errors import AuthFailed

NAME = {"Name": "Name", "MaxLength": 8}
OVERLAP = timedelta(minutes=5)


def metadata(document: Callable[..., Any]) -> Any:
    return document(fields=[NAME], DeleteBehavior="HardDelete")


def test_an_account_that_moves_and_fails_is_mirrored_in_the_end(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    """Edits, ties, late and deleted records while pages are read; every kind of error at any call; lost cursors."""

    things = st.one_of(histories.moves(histories.deletes), histories.faults)

    class Account(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world = scenes.world()
            self.opened = scenes.open(metadata(document), self.world)
            self.scene = self.opened.__enter__()
            self.last = self.scene.watermark()

        @rule(moves=st.lists(histories.moves(histories.bad, histories.deletes), min_size=1, max_size=4))
        def move(self, moves: Any) -> None:
            for move in moves:
                self.world.act(move)

        @rule(hides=st.lists(histories.hides, min_size=1, max_size=4))
        def hide(self, hides: Any) -> None:
            for hide in hides:
                self.world.act(hide)

        @rule(repeats=st.frozensets(st.sampled_from(["within", "across"])))
        def repeat(self, repeats: Any) -> None:
            self.world.repeats = repeats

        @rule(script=st.dictionaries(st.integers(0, 6), things, max_size=3), full=st.booleans())
        def sync(self, script: Any, full: bool) -> None:
            self.world.plan(script)
            self.scene.sync(full=full)

        @precondition(lambda self: self.world.records())
        @rule()
        def expire(self) -> None:
            self.world.horizon = self.world.now

        @rule()
        def settle(self) -> None:
            """One run goes on with what was broken off, the next reads what came since."""
            self.world.unreadable.clear()
            self.scene.settle()
            self.scene.settle()
            scenes.check_mirror(self.scene)

        @invariant()
        def the_watermark_never_goes_back_nor_past_now(self) -> None:
            now = self.scene.watermark()
            assert self.last is None or (now is not None and now >= self.last)
            assert now is None or now <= self.world.now
            self.last = now

        def teardown(self) -> None:
            try:
                self.settle()
            finally:
                self.opened.__exit__(None, None, None)

    prove.machine(Account, examples=10, steps=7)


def test_a_window_is_frozen_continued_by_the_next_run_and_starts_before_the_last_end(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    """Every request of a window has its bounds; a window ends where its first request said, whichever run ends it."""

    @given(histories.runs(histories.moves(histories.deletes), histories.faults), st.sampled_from([-11, 0, 5.5]))
    def check(runs: Any, hours: float) -> None:
        world = scenes.world(zone=timezone(timedelta(hours=hours)))
        with scenes.open(metadata(document), world) as scene:
            for before, script in runs:
                for move in before:
                    world.act(move)
                world.plan(script)
                start, world.requests = scene.watermark(), []
                scene.sync()
                for request in world.requests:
                    if request.since is not None:
                        assert request.since.instant == start - OVERLAP
                    assert request.until.instant <= world.now
                windows = list(dict.fromkeys((r.since, r.until) for r in world.requests))
                if scene.watermark() != start:
                    assert scene.watermark() == windows[-1][1].instant
                    start = scene.watermark()
            world.requests = []
            scene.settle()
            assert len({(r.since, r.until) for r in world.requests}) == 1

    prove(check)


def test_the_watermark_stands_still_until_the_window_has_drained(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    """A page that is out of reach, for several runs, keeps the watermark where it was; the window goes on from there."""

    @given(st.integers(0, 12), st.integers(0, 6), st.integers(1, 3), st.booleans())
    def check(records: int, call: int, times: int, has_run: bool) -> None:
        world = scenes.world()
        with scenes.open(metadata(document), world) as scene:
            if has_run:
                world.put("0", name="First")
                scene.settle()
                world.put("0", name="Second", after=OVERLAP * 2)
            for i in range(records):
                world.put(f"{i:02}", name="Ada")
            start = scene.watermark()
            for _ in range(times):
                world.plan({call: AuthFailed("gone")})
                result = scene.sync()
                if world.script.get(call):
                    assert result.status == "Completed"  # the run was shorter than that
                    return
                assert (result.status, scene.watermark()) == ("Failed", start)
                call = min(call, 2)
            world.put("late", name="Eve")
            scene.settle()  # what was broken off
            scene.settle()
            scenes.check_mirror(scene)

    prove(check, examples=10)


def test_a_killed_run_is_continued_by_the_next_in_the_same_window(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    @given(st.integers(4, 12), st.integers(0, 2), st.booleans())
    def check(records: int, more: int, with_edit: bool) -> None:
        world = scenes.world()
        with scenes.open(metadata(document), world) as scene:
            for i in range(records):
                world.put(f"{i:02}", name="Ada")
            world.now += OVERLAP
            end = world.now
            scene.plugin.after = scenes.kill_at(1)
            with pytest.raises(scenes.killed):
                scene.kernel.sync("Acme")
            scene.plugin.let_be()
            for _ in range(more):  # killed again, before anything was committed
                scene.plugin.before = scenes.kill_at(1)
                with pytest.raises(scenes.killed):
                    scene.kernel.sync("Acme")
                if with_edit:
                    world.put("z", name="Zoe")
            scene.plugin.let_be()
            result = scene.settle()
            assert [run.id for run in scene.kernel.runs()] == [result.run_id], "one run"
            assert scene.watermark() == end, "the end of its window, not the later now"
            assert {r.until.instant for r in world.requests} == {end}
            scene.settle()
            scenes.check_mirror(scene)

    prove(check, examples=8)


def test_a_watermark_that_is_too_old_starts_a_full_read_that_sweeps(scenes: Any, document: Callable[..., Any]) -> None:
    world = scenes.world(tells_deletes=False)
    with scenes.open(metadata(document), world) as scene:
        for id_ in "abcde":
            world.put(id_, name="Ada")
        scene.settle()
        world.delete("c")
        world.put("f", name="Eve", after=timedelta(days=400))
        world.horizon = world.now - timedelta(days=30)
        result = scene.settle()
        assert "read in full: the watermark is too old" in result.maps[0].notes
        assert scene.linked("Name") == dict.fromkeys("abde", ("Ada",)) | {"f": ("Eve",)}
        assert scene.watermark() == world.now


def test_a_changed_mapping_restarts_the_window(scenes: Any, document: Callable[..., Any]) -> None:
    world = scenes.world()
    with scenes.open(metadata(document), world, fresh=True) as scene:
        for i in range(9):
            world.put(f"{i}", name="Ada")
        world.plan({3: AuthFailed("no")})
        assert scene.sync().counts.created == 6
        changed = metadata(document)
        step = {"Type": "text", "Config": {"Operation": "upper"}}
        changed["Connections"][0]["EntityMaps"][0]["FieldMaps"][0]["TransformPipeline"] = [step]
        scene.kernel.apply(changed)
        result = scene.settle()
        assert (result.counts.created, result.counts.updated) == (3, 6)
        assert set(scene.rows("Name")) == {("ADA",)}


def test_a_source_that_leads_back_to_a_page_ends_the_run_with_an_error(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    @given(st.integers(1, 9), st.integers(0, 8))
    def check(records: int, back: int) -> None:
        world = scenes.world(page=1)
        with scenes.open(metadata(document), world) as scene:
            for i in range(records):
                world.put(f"{i}", name="Ada")
            world.leads_back_to = f"{min(back, records - 1) - 1}"
            result = scene.sync()
            assert (result.status, scene.watermark()) == ("Failed", None)
            assert "the source repeats itself" in str(result.error)
            assert len(world.requests) < 4 * records + 8, "it was noticed soon"
            world.leads_back_to = None
            scene.settle(full=True)
            scenes.check_mirror(scene)

    prove(check, examples=8)


def test_instants_are_compared_not_texts(scenes: Any, document: Callable[..., Any]) -> None:
    """As text, half past midnight in Kolkata comes after seven in the evening of the same instant."""
    kolkata = timezone(timedelta(hours=5, minutes=30))
    world = scenes.world(zone=kolkata)
    with scenes.open(metadata(document), world) as scene:
        world.put("a", name="Ada")
        scene.settle()
        for zone in (UTC, kolkata, timezone(timedelta(hours=-11))):
            world.zone = zone
            world.put("a", name=str(zone)[-8:], after=timedelta(minutes=1))
            assert scene.settle().counts.updated == 1
            assert scene.watermark() == world.now
