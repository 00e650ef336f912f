"""Positions, the ledger of failed records, conflicts, and what waits to be deleted."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import RowsMoved, UnknownName
from mjcore.models import Entity, EntityField
from mjcore.records import Conflict, Position, RecordError, Watermark
from mjcore.store import Store

pytestmark = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)

POSITIONS = [
    Position(),
    Position(Watermark("Timestamp", "2026-03-01T12:00:00.123456+05:30")),
    Position(
        Watermark("ChangeToken", "Ä 東京 \U0001f600"), "run", 7, Watermark("Version", "1"), Watermark("Cursor", ""),
        {"after": 2**64, "list": [1.5, None, True], "nested": {"": {}}}, is_full=True,
    ),
    Position(None, "run", 1, None, None, {}, is_full=True),
    Position(None, "run", 1, None, Watermark("Timestamp", "2026-03-01T12:00:00Z"), None),
]  # fmt: skip


@pytest.mark.parametrize("position", POSITIONS)
def test_a_position_is_kept(scene: Any, position: Position) -> None:
    scene.commit(position=POSITIONS[2])
    scene.commit(position=position)
    assert scene.store.position(scene.context) == position


def test_each_map_has_its_own_position(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    assert store.position(scene.context) == Position()
    other = stage(store, scene.entity)
    scene.commit(position=POSITIONS[1])
    other.commit(position=POSITIONS[2])
    assert (store.position(scene.context), store.position(other.context)) == (POSITIONS[1], POSITIONS[2])
    assert store.position(scene.next_run().context) == POSITIONS[1]


ALL = (
    EntityField("Name"),
    EntityField("Amount", "number"),
    EntityField("Large", "number", exact=True),
    EntityField("At", "datetime"),
    EntityField("Day", "date"),
    EntityField("Doc", "json"),
)

# --- The ledger --------------------------------------------------------------------------------------


def failure(external_id: str | None, message: str = "message") -> RecordError:
    return RecordError(external_id, "transform", "code", message, {"x": message})


def test_a_record_that_fails_again_replaces_its_entry(scene: Any) -> None:
    scene.commit(failed=[failure("a"), failure("b")])
    again = RecordError("a", "persist", "refused", "again", None)
    later = scene.next_run()
    later.commit(failed=[again])
    assert later.failed() == [again, failure("b")]
    assert later.failed(of_earlier_runs=True) == [failure("b")]
    found = {f.external_id: f for f in later.store.failed(later.context)}
    assert [(f.attempts, f.run_id) for f in (found["a"], found["b"])] == [(2, later.run.id), (1, scene.run.id)]
    assert found["a"].first_failed_at < found["a"].last_failed_at


def test_a_record_that_fails_twice_in_a_batch_has_one_entry(scene: Any) -> None:
    scene.commit(failed=[failure("a", "first"), failure("a", "second")])
    assert scene.failed() == [failure("a", "second")]


def test_records_without_an_id_are_all_kept(scene: Any) -> None:
    scene.commit(failed=[failure(None, "1"), failure(None, "2"), failure("a")])
    scene.commit(failed=[failure(None, "3")], cleared=["a"])
    assert scene.failed() == [failure(None, "1"), failure(None, "2"), failure(None, "3")]


def test_what_succeeded_leaves_the_ledger_of_its_map_only(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        each.commit(failed=[failure(i) for i in ("a", "b", "'c\"")])
    scene.commit(cleared=["a", "'c\"", "never failed"])
    assert scene.failed() == [failure("b")]
    assert len(other.failed()) == 3


def test_entries_are_discarded_by_their_own_ids(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        each.commit(failed=[failure("a"), failure("b"), failure(None, "1"), failure(None, "2")])
    found = {(f.external_id, f.message): f.id for f in store.failed(scene.context)}
    store.discard(scene.context, [found["a", "message"], found[None, "2"], "unknown"])
    assert scene.failed() == [failure(None, "1"), failure("b")]
    assert len(other.failed()) == 4


# --- Conflicts ---------------------------------------------------------------------------------------


def test_a_conflict_keeps_what_each_side_says(store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store, Entity("All", "all", fields=ALL))
    key = scene.create({"x": {"Name": "A"}})["x"]
    at = datetime(2026, 1, 1, 0, 0, 0, 1, UTC)
    values = {"Name": "Ä", "Amount": Decimal("1.10"), "Large": 2**70, "At": at, "Day": date(1, 1, 1), "Doc": {"a": [None, True]}}
    of = scene.context.entity_map.id
    conflict = Conflict("x", key, {}, values, dict.fromkeys(values), of)
    scene.commit(conflicts=[conflict, Conflict("y", key, values, {}, {}, of)])
    assert list(store.conflicts()) == [conflict, Conflict("y", key, values, {}, {}, of)]
    assert list(store.conflicts(external_id="x")) == [conflict]
    assert list(store.conflicts(external_id="z")) == []
    assert len(list(store.conflicts(entity="All", entity_map_id=of))) == 2
    with pytest.raises(UnknownName, match="Other"):
        list(store.conflicts(entity="Other"))


def test_an_answered_conflict_waits_for_the_run_that_settles_it(store: Store, scene: Any) -> None:
    of = scene.context.entity_map.id
    queued = [Conflict(i, (i,), {}, {"Name": i}, {"Name": None}, of) for i in ("x", "y", "z")]
    scene.commit(conflicts=queued)
    store.answer(
        [evolve(queued[0], answer="source"), evolve(queued[2], answer="current"), Conflict("gone", ("1",), {}, {}, {}, of)]
    )
    assert [c.answer for c in store.conflicts()] == ["source", None, "current"]
    assert [c.external_id for c in store.conflicts(answer="current")] == ["z"]
    again = evolve(queued[0], source={"Name": "newer"})
    scene.commit(conflicts=[again], settled=["z", "never queued"])
    assert list(store.conflicts()) == [again, queued[1]], "the new conflict needs an answer of its own"


# --- Seen, unseen ------------------------------------------------------------------------------------


def ids(links: Any) -> list[str]:
    return sorted(link.external_id for link in links)


def test_what_a_full_read_did_not_deliver_is_unseen(scene: Any) -> None:
    scene.create({i: {"Name": i} for i in "abcd"})
    scene.commit(seen=["a", "new one"])
    scene.commit(seen=["a", "b"])
    unseen = list(scene.store.unseen(scene.context))
    assert ids(unseen) == ["c", "d"]
    assert {link.external_id: link for link in unseen} == scene.store.links(scene.context, ["c", "d"])


def test_tombstones_and_other_maps_are_not_unseen(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    scene.create({i: {"Name": i} for i in "abc"})
    keys = other.create({i: {"Name": i} for i in "abc"})
    scene.commit(seen=["a"])
    other.commit(seen=["b"], links=[other.link("c", keys["c"], is_tombstone=True)])
    assert ids(store.unseen(scene.context)) == ["b", "c"]
    assert ids(store.unseen(other.context)) == ["a"]


def test_a_window_knows_nothing_of_what_an_older_one_saw(scene: Any) -> None:
    """A run that was broken off for good may have left its stagings behind."""
    scene.create({i: {"Name": i} for i in "abc"})
    scene.commit(seen=["a", "b"], staged_deletes={"c": None})
    later = scene.next_run()
    later.commit(seen=["a"], staged_deletes=dict.fromkeys(["b"]), starts_window=True)
    assert ids(later.store.staged_deletes(later.context)) == ["b"]
    assert "a" not in ids(later.store.unseen(later.context))
    assert "c" in ids(later.store.unseen(later.context))


def test_a_continued_window_knows_what_the_broken_run_saw(scene: Any) -> None:
    scene.create({i: {"Name": i} for i in "abcd"})
    scene.commit(seen=["a"], staged_deletes=dict.fromkeys(["b"]))
    later = scene.next_run()
    later.commit(seen=["c"])
    assert ids(later.store.staged_deletes(later.context)) == ["b"]
    assert ids(later.store.unseen(later.context)) == ["d"], "what was reported as deleted was delivered"


def test_a_window_that_closes_forgets_what_was_staged(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        each.create({i: {"Name": i} for i in "ab"}, staged_deletes=dict.fromkeys(["a"]), seen=["b"])
    scene.commit(position=Position(Watermark("Cursor", "closed")), ends_window=True)
    assert ids(store.staged_deletes(scene.context)) == []
    assert ids(store.staged_deletes(other.context)) == ["a"]


def test_a_row_that_nobody_else_holds_any_more_is_told(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    """Two maps let go of one row at the same time: the later one must look again."""
    other = stage(store, scene.entity)
    (key,) = scene.create({"x": {"Name": "A"}}).values()
    other.commit(links=[other.link("y", key)])
    gone = {"links": [scene.link("x", key, is_tombstone=True)], "held": [key]}
    other.commit(links=[other.link("y", key, is_tombstone=True)], held=[key])
    with pytest.raises(RowsMoved):
        scene.commit(**gone)
    assert [link.external_id for link in store.live_links(scene.context)] == ["x"]
    other.commit(links=[other.link("y", key)])
    scene.commit(**gone)


def test_records_that_wait_for_a_reference_outlive_their_window(store: Store, scene: Any) -> None:
    keys = scene.create({i: {"Name": i} for i in "abc"}, unresolved=["a", "b", "c", "not linked"])
    scene.commit(position=Position(), ends_window=True)
    later = scene.next_run()
    later.commit(starts_window=True, resolved=["b"], links=[scene.link("c", keys["c"], is_tombstone=True)])
    assert ids(store.unresolved(later.context)) == ["a"]


def test_deletes_are_staged_until_they_are_dealt_with(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    keys = scene.create({i: {"Name": i} for i in "abc"})
    other.create({"a": {"Name": "a"}})
    scene.commit(staged_deletes=dict.fromkeys(["a", "b", "not linked"]))
    scene.commit(staged_deletes=dict.fromkeys(["b", "c"]))
    staged = list(store.staged_deletes(scene.context))
    assert ids(staged) == ["a", "b", "c"]
    assert {link.external_id: link for link in staged} == store.links(scene.context, ["a", "b", "c"])
    assert ids(store.staged_deletes(other.context)) == []
    scene.commit(unstaged=["a", "never staged"], links=[scene.link("b", keys["b"], is_tombstone=True)])
    assert ids(store.staged_deletes(scene.context)) == ["c"]


def test_a_staged_delete_is_no_deletion(store: Store, scene: Any) -> None:
    keys = scene.create({"a": {"Name": "a"}})
    scene.commit(staged_deletes=dict.fromkeys(["a"]))
    assert scene.read(keys["a"]) is not None
    assert store.count_links(scene.context) == 1
    assert not store.links(scene.context, ["a"])["a"].is_tombstone


# --- Links -------------------------------------------------------------------------------------------


def test_links_come_back_as_they_were_written(store: Store, scene: Any) -> None:
    at = datetime(2026, 1, 1, 0, 0, 0, 1, UTC)
    values = {"a": 2**70, "b": {"$decimal": "1.10"}, "c": [None, {"$float": "0.1"}], "": "\0 \ud83d Ä", "d": {"$absent": True}}
    links = [
        scene.link("Ä 'x\"\U0001f600", ("k",), source_values=values, source_modified_at=at, created_row=False),
        scene.link("x", ("k",), is_tombstone=True),
        scene.link("X", ("\U0001f600",)),
        evolve(scene.link("x ", ("l",)), content_hash=bytes(range(240, 256))),
    ]
    scene.commit(links=links)
    asked = [*(link.external_id for link in links), "unknown"]
    assert store.links(scene.context, asked) == {link.external_id: link for link in links}
    assert store.links(scene.context, []) == {}
    assert store.count_links(scene.context) == 3
    later = evolve(links[1], is_tombstone=False, key=("m",), source_values={})
    scene.commit(links=[later])
    assert store.links(scene.context, ["x"]) == {"x": later}
    assert store.count_links(scene.context) == 4


def test_links_are_streamed_and_removed(store: Store, scene: Any) -> None:
    scene.create({i: {"Name": i} for i in "abc"})
    later = scene.next_run()
    keys = later.create({"d": {"Name": "d"}})
    assert ids(store.live_links(later.context)) == ["a", "b", "c", "d"]
    assert ids(store.live_links(later.context, made_by=later.run.id)) == ["d"]
    later.commit(unlinked=["a", "unknown"], links=[later.link("b", keys["d"], is_tombstone=True)])
    assert ids(store.live_links(later.context)) == ["c", "d"]
    assert sorted(store.links(later.context, ["a", "b", "c", "d"])) == ["b", "c", "d"]
    of = later.context.entity_map.id
    assert sorted((m, link.external_id) for m, link in store.links_of(scene.entity, keys["d"])) == [(of, "b"), (of, "d")]


def test_a_row_knows_every_live_link_that_holds_it(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    shared = stage(store, scene.entity)
    other = stage(store, evolve(scene.entity, id="", name="Other", table="other"))
    for each in (scene, shared, other):
        each.commit(links=[each.link("a", ("1",)), each.link("b", ("1",)), each.link("c", ("2",), is_tombstone=True)])
    found = store.linked(scene.entity, [("1",), ("2",), ("3",)])
    mine, theirs = scene.context.entity_map.id, shared.context.entity_map.id
    assert sorted(found[("1",)]) == sorted([(mine, "a"), (mine, "b"), (theirs, "a"), (theirs, "b")])
    assert not found.get(("2",))
    assert not found.get(("3",))
    assert store.count_links(scene.context) == 2
