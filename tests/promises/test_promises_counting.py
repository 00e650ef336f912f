"""Counting: what the provider hands over is what the run counts, whatever happens on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

NAME = {"Name": "Name", "MaxLength": 8}


@pytest.mark.parametrize("can_read", [True, False])
def test_each_delivery_counts_once_whatever_fails(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any], can_read: bool
) -> None:
    """Edits, deletes and faults at any call; pages that repeat records; records without id or that cannot be read."""
    metadata = document(fields=[NAME], DeleteBehavior="SoftDelete", entity={"SoftDeleteField": "Gone"})
    metadata["Entities"][0]["Fields"].append({"Name": "Gone", "Type": "boolean"})
    moves = histories.moves(histories.bad, histories.deletes, histories.hides)

    @given(histories.runs(moves, histories.faults), st.frozensets(st.sampled_from(["within", "across"])), st.integers(0, 1))
    def check(runs: Any, repeats: Any, nameless: int) -> None:
        world = scenes.world(can_read=can_read, repeats=repeats, nameless=nameless)
        with scenes.open(metadata, world) as scene:
            for before, script in runs:
                for move in before:
                    world.act(move)
                world.plan(script)
                scene.sync()
            scene.settle()
            assert scene.processed() == world.delivered

    prove(check)


def test_the_announced_total_is_compared_with_what_was_delivered(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    metadata = document(fields=[NAME])
    moves = histories.moves(histories.bad, histories.hides)

    @given(st.lists(moves, max_size=8), st.integers(-1, 1), st.booleans())
    def check(before: Any, off: int, full: bool) -> None:
        world = scenes.world()
        for move in before:
            world.act(move)
        told = len(world.live()) + off
        world.announces = max(told, 0)
        with scenes.open(metadata, world) as scene:
            (done,) = scene.settle(full=full).maps
            differs = max(told, 0) != world.delivered
            assert any("the source announced" in note for note in done.notes) == differs
            assert (f"the source announced {max(told, 0)} records and delivered {world.delivered}" in done.notes) == differs

    prove(check)


def test_retries_sweeps_and_second_passes_count_apart(scenes: Any, document: Callable[..., Any]) -> None:
    metadata = document(fields=[NAME], DeleteBehavior="HardDelete")
    world = scenes.world(tells_deletes=False)
    with scenes.open(metadata, world) as scene:
        for id_ in "abcd":
            world.put(id_, name="Ada")
        world.put("e", name="x" * 9)
        assert scene.sync().counts.errored == 1
        world.put("e", name="Eve", after=-world.now.resolution)
        del world.objects_["people"]["a"]
        world.objects_["people"]["e"] = world.objects_["people"].pop("e")
        before = world.delivered
        result = scene.settle(full=True)
        assert result.counts.processed == world.delivered - before == 4
        assert result.counts.deleted == 0
        assert any("no longer has" in note for note in result.maps[0].notes)
        assert sorted(scene.linked("Name")) == ["b", "c", "d", "e"]
