"""Conflicts: every edit of the source and of people, and each policy, told by a second, plain implementation of the merge."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mjcore.errors import ConfigError

NAMES = ("name", "city")
VALUES = st.sampled_from(["a", "b", "c", None])
HOUR = timedelta(hours=1)
"""Beyond the overlap: nothing comes twice."""


def metadata(document: Callable[..., Any], policy: str) -> Any:
    made = document("Name", "City", ConflictResolution=policy, entity={"UpdatedAtField": "ChangedAt"})
    made["Entities"][0]["Fields"].append({"Name": "ChangedAt", "Type": "datetime"})
    return made


class Sides(RuleBasedStateMachine):
    """One record, its row and its base, as a plain implementation of the policies has them."""

    def open(self) -> Any:
        """Return policy, world, what opens a scene, and the kind of database."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.policy, self.world, opening, self.kind = self.open()
        self.opened = opening(self.world)
        self.scene = self.opened.__enter__()
        self.world.put("1", name="a", city="a")
        self.world.now += HOUR
        self.scene.settle()
        self.base: dict[str, Any] = dict.fromkeys(NAMES, "a")
        self.row: dict[str, Any] | None = dict(self.base)
        self.source = dict(self.base)
        self.changed_at = self.world.now
        self.conflict: dict[str, Any] | None = None
        self.key = self.scene.linked("id")["1"][0]
        self.is_due = False

    @rule(values=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    def edit_source(self, values: Any) -> None:
        self.world.put("1", after=HOUR, **values)
        self.source |= values
        self.modified_at = self.world.now
        self.is_due = True

    @rule(values=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    def edit_row(self, values: Any) -> None:
        if self.row is not None:
            self.world.now += HOUR
            self.changed_at = self.world.now
            self.row |= values
            at = self.changed_at if self.kind == "postgresql" else f"{self.changed_at:%Y-%m-%d %H:%M:%S.%f}"
            self.scene.edit(self.key, ChangedAt=at, **{name.title(): value for name, value in values.items()})

    @rule()
    def delete_row(self) -> None:
        self.scene.remove(self.key)
        self.row = None

    @rule(answer=st.sampled_from(["source", "current"]))
    def answer(self, answer: Any) -> None:
        if self.conflict is not None:
            assert self.scene.kernel.queues.resolve("Acme", answer) == 1
            self.world.now += HOUR
            result = self.scene.kernel.retry("Acme")
            assert result.error is None
            if answer == "source":
                self.row = {**(self.row or dict.fromkeys(NAMES)), **self.conflict}
                self.changed_at = self.world.now
            self.conflict = None

    @rule()
    def sync(self) -> None:
        self.world.now += HOUR
        counts = self.scene.settle().counts
        assert counts.processed == self.is_due
        if self.is_due and self.source != self.base:
            self.merge()
        elif self.is_due:
            assert counts.unchanged == 1
        self.is_due = False

    def merge(self) -> None:
        self.conflict = None
        base, self.base = self.base, dict(self.source)
        if self.row is None:
            if self.policy == "SourceWins":
                self.row, self.changed_at = dict(self.source), self.world.now
            elif self.policy == "Manual":
                self.conflict = dict(self.source)
            return
        new, collided = {}, {}
        for name in NAMES:
            was, mine, theirs = base[name], self.row[name], self.source[name]
            if mine == theirs:
                continue
            if self.policy == "SourceWins" or mine == was or (self.policy == "MostRecent" and self.modified_at > self.changed_at):
                new[name] = theirs
            elif self.policy == "Manual" and theirs != was:
                collided[name] = theirs
        if new:
            self.row |= new
            self.changed_at = self.world.now
        self.conflict = collided or None

    @invariant()
    def rows_and_queue_are_as_told(self) -> None:
        expected = [] if self.row is None else [(self.key, self.row["name"], self.row["city"])]
        assert self.scene.rows("id", "Name", "City") == expected
        queued = [conflict.source for _, conflict in self.scene.kernel.queues.conflicts("Acme")]
        wanted = [] if self.conflict is None else [{name.title(): value for name, value in self.conflict.items()}]
        assert queued == wanted

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)


@pytest.mark.parametrize("policy", ["SourceWins", "DestWins", "MostRecent", "Manual"])
def test_each_field_goes_by_the_policy_whatever_source_and_people_did(
    prove: Any, scenes: Any, document: Callable[..., Any], policy: str
) -> None:
    """One record and its row: edited, deleted, conflicting, answered; compared after every run."""

    class Pair(Sides):
        def open(self) -> Any:
            return policy, scenes.world(), partial(scenes.open, metadata(document, policy)), scenes.kind

    prove.machine(Pair, examples=8, steps=8)


def two(document: Callable[..., Any], policy: str, precedences: tuple[int, int]) -> Any:
    """Return metadata of two connections that fill one table."""
    strategy = {"Strategy": "KeyFields", "KeyFields": ["Email"]}
    made = document("Email", "Name", "City", MatchStrategy=strategy, ConflictResolution=policy)
    (first,) = made["Connections"]
    connections = [
        {**first, "Name": name, "Provider": name, "EntityMaps": [{**first["EntityMaps"][0], "Precedence": precedence}]}
        for name, precedence in zip(("One", "Two"), precedences, strict=True)
    ]
    return {**made, "Connections": connections}


@pytest.mark.parametrize("precedences", [(0, 0), (1, 0)])
@pytest.mark.parametrize("policy", ["SourceWins", "DestWins"])
def test_of_two_connections_that_fill_one_row_precedence_decides_first(
    prove: Any, scenes: Any, document: Callable[..., Any], policy: str, precedences: tuple[int, int]
) -> None:
    """What another connection wrote is a local edit; fields of one that ranks higher are left alone."""
    made = two(document, policy, precedences)

    @given(st.lists(st.tuples(st.sampled_from(["One", "Two"]), st.sampled_from(NAMES), st.sampled_from("abc")), max_size=6))
    def check(edits: Any) -> None:
        worlds = {name: scenes.world() for name in ("One", "Two")}
        with scenes.open(made, **worlds) as scene:
            row = dict.fromkeys(NAMES, "a")
            bases = {name: dict(row) for name in worlds}
            for name, world in worlds.items():
                world.put(name, email="ada", name="a", city="a", after=HOUR)
                scene.world = world
                scene.settle(name)
            for name, field, value in edits:
                worlds[name].put(name, after=HOUR, **{field: value})
                scene.world = worlds[name]
                scene.settle(name)
                source = {**bases[name], field: value}
                if name == "One" or precedences == (0, 0):
                    edited = {f for f in NAMES if row[f] != bases[name][f]} if policy == "DestWins" else set()
                    row |= {f: source[f] for f in NAMES if f not in edited and source != bases[name]}
                bases[name] = source
                assert scene.rows("Name", "City") == [(row["name"], row["city"])]

    prove(check, examples=6)


def test_most_recent_without_a_field_that_tells_is_refused(scenes: Any, document: Callable[..., Any]) -> None:
    with (
        pytest.raises(ConfigError, match="UpdatedAtField"),
        scenes.open(document("Name", ConflictResolution="MostRecent")),
    ):
        pass


def test_the_writes_of_the_engine_say_when(scenes: Any, document: Callable[..., Any]) -> None:
    world = scenes.world()
    with scenes.open(metadata(document, "MostRecent"), world) as scene:
        for name in ("Ada", "Bob"):
            world.put("1", name=name, after=HOUR)
            scene.settle()
            ((at,),) = scene.rows("ChangedAt")
            held = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
            assert held == world.now


@pytest.mark.parametrize("policy", ["SourceWins", "DestWins", "MostRecent", "Manual"])
@pytest.mark.parametrize("is_edited", [True, False])
def test_a_source_delete_of_a_row_that_people_edited_follows_the_policy(
    scenes: Any, document: Callable[..., Any], policy: str, is_edited: bool
) -> None:
    made = metadata(document, policy)
    made["Connections"][0]["EntityMaps"][0]["DeleteBehavior"] = "HardDelete"
    world = scenes.world()
    with scenes.open(made, world) as scene:
        world.put("1", name="Ada", after=HOUR)
        scene.settle()
        world.now += HOUR
        if is_edited:
            scene.edit(scene.linked("id")["1"][0], Name="Mine")
        world.delete("1")
        result = scene.settle()
        goes = not is_edited or policy in ("SourceWins", "MostRecent")
        assert scene.rows("Name") == ([] if goes else [("Mine",)])
        assert result.counts.deleted == goes
        assert result.counts.conflicted == (is_edited and policy == "Manual")


@pytest.mark.parametrize("behavior", ["HardDelete", "SoftDelete"])
@pytest.mark.parametrize("then", ["source", "current", "alive again", "swept again"])
def test_a_source_delete_that_waits_in_the_queue_is_answered_or_taken_back(
    scenes: Any, document: Callable[..., Any], behavior: str, then: str
) -> None:
    made = metadata(document, "Manual")
    made["Entities"][0] |= {
        "SoftDeleteField": "Gone",
        "Fields": [*made["Entities"][0]["Fields"], {"Name": "Gone", "Type": "boolean"}],
    }
    made["Connections"][0]["EntityMaps"][0]["DeleteBehavior"] = behavior
    world = scenes.world(tells_deletes=then != "swept again")
    with scenes.open(made, world) as scene:
        world.put("1", name="Ada", city="Rome", after=HOUR)
        scene.settle()
        scene.edit(scene.linked("id")["1"][0], Name="Mine")
        world.delete("1")
        world.now += HOUR
        scene.settle(full=not world.tells_deletes)
        ((_, conflict),) = scene.kernel.queues.conflicts("Acme")
        assert (conflict.is_deleted, conflict.source, conflict.base["Name"], conflict.current["Name"]) == (
            True,
            {},
            "Ada",
            "Mine",
        )
        assert [name for (name,) in scene.rows("Name")] == ["Mine"]
        if then == "alive again":
            world.put("1", name="Ada", city="Rome", after=HOUR)
            world.now += HOUR
        elif then != "swept again":
            assert scene.kernel.queues.resolve("Acme", then) == 1
        scene.settle(full=not world.tells_deletes)
        assert len(list(scene.kernel.queues.conflicts("Acme"))) == (then == "swept again")
        gone = [] if behavior == "HardDelete" else [("Mine", 1)]
        assert [(name, bool(is_gone)) for name, is_gone in scene.rows("Name", "Gone")] == (
            gone if then == "source" else [("Mine", False)]
        )
        assert len(scene.linked("Name")) == (then in {"alive again", "swept again"})
