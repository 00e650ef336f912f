"""Positions, the ledger of failed records, conflicts, and what waits to be deleted."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

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


# --- The ledger --------------------------------------------------------------------------------------


def failure(external_id: str | None, message: str = "message") -> RecordError:
    return RecordError(external_id, "transform", "code", message, {"x": message})


def ledger(scene: Any) -> list[RecordError]:
    return sorted(scene.store.failed(scene.context), key=lambda e: (e.external_id or "", e.message))


def test_a_record_that_fails_again_replaces_its_entry(scene: Any) -> None:
    scene.commit(failed=[failure("a"), failure("b")])
    again = RecordError("a", "persist", "refused", "again", None)
    later = scene.next_run()
    later.commit(failed=[again])
    assert ledger(later) == [again, failure("b")]


def test_a_record_that_fails_twice_in_a_batch_has_one_entry(scene: Any) -> None:
    scene.commit(failed=[failure("a", "first"), failure("a", "second")])
    assert ledger(scene) == [failure("a", "second")]


def test_records_without_an_id_are_all_kept(scene: Any) -> None:
    scene.commit(failed=[failure(None, "1"), failure(None, "2"), failure("a")])
    scene.commit(failed=[failure(None, "3")], cleared=["a"])
    assert ledger(scene) == [failure(None, "1"), failure(None, "2"), failure(None, "3")]


def test_what_succeeded_leaves_the_ledger_of_its_map_only(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    for each in (scene, other):
        each.commit(failed=[failure(i) for i in ("a", "b", "'c\"")])
    scene.commit(cleared=["a", "'c\"", "never failed"])
    assert ledger(scene) == [failure("b")]
    assert len(ledger(other)) == 3


# --- Conflicts ---------------------------------------------------------------------------------------


def test_a_conflict_keeps_what_each_side_says(store: Store, scene: Any) -> None:
    key = scene.create({"x": {"Name": "A"}})["x"]
    at = datetime(2026, 1, 1, 0, 0, 0, 1, UTC)
    values = {"Name": "Ä", "Amount": Decimal("1.10"), "Large": 2**70, "At": at, "Day": date(1, 1, 1), "Doc": {"a": [None, True]}}
    conflict = Conflict("x", key, {}, values, dict.fromkeys(values))
    scene.commit(conflicts=[conflict, Conflict("y", key, values, {}, {})])
    assert list(store.conflicts()) == [conflict, Conflict("y", key, values, {}, {})]
    assert list(store.conflicts(external_id="x")) == [conflict]
    assert list(store.conflicts(external_id="z")) == []


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


def test_a_run_knows_nothing_of_what_an_older_one_saw(scene: Any) -> None:
    """A run that was broken off in another process may have left its stagings behind."""
    scene.create({i: {"Name": i} for i in "abc"})
    scene.commit(seen=["a", "b"], staged_deletes=["c"])
    later = scene.next_run()
    assert ids(later.store.unseen(later.context)) == ["a", "b", "c"]
    assert ids(later.store.staged_deletes(later.context)) == []
    later.commit(seen=["a"], staged_deletes=["b"])
    assert ids(later.store.staged_deletes(later.context)) == ["b"]
    assert "a" not in ids(later.store.unseen(later.context))


def test_deletes_are_staged_until_they_are_dealt_with(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store, scene.entity)
    keys = scene.create({i: {"Name": i} for i in "abc"})
    other.create({"a": {"Name": "a"}})
    scene.commit(staged_deletes=["a", "b", "not linked"])
    scene.commit(staged_deletes=["b", "c"])
    staged = list(store.staged_deletes(scene.context))
    assert ids(staged) == ["a", "b", "c"]
    assert {link.external_id: link for link in staged} == store.links(scene.context, ["a", "b", "c"])
    assert ids(store.staged_deletes(other.context)) == []
    scene.commit(unstaged=["a", "never staged"], links=[scene.link("b", keys["b"], is_tombstone=True)])
    assert ids(store.staged_deletes(scene.context)) == ["c"]


def test_a_staged_delete_is_no_deletion(store: Store, scene: Any) -> None:
    keys = scene.create({"a": {"Name": "a"}})
    scene.commit(staged_deletes=["a"])
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
