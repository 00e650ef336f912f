"""Deletes: what goes, what is marked and what stays, told by a second, plain implementation of rows and links."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from mjcore.errors import ConfigError

EMAIL = {"Strategy": "KeyFields", "KeyFields": ["Email"]}
BEHAVIORS = ["DoNothing", "SoftDelete", "HardDelete"]


def metadata(document: Callable[..., Any], behavior: str, *connections: str) -> Any:
    made = document("Email", DeleteBehavior=behavior, MatchStrategy=EMAIL, entity={"SoftDeleteField": "Gone"})
    made["Entities"][0]["Fields"].append({"Name": "Gone", "Type": "boolean"})
    (first,) = made["Connections"]
    return {**made, "Connections": [{**first, "Name": name, "Provider": name} for name in connections]} if connections else made


@define
class Table:
    """Rows by e-mail: whether the engine made them, whether they are marked, and who holds them."""

    behavior: str
    rows: dict[str, tuple[bool, bool]] = field(factory=dict)
    holders: dict[str, set[str]] = field(factory=dict)

    def put(self, connection: str, email: str) -> None:
        made, _ = self.rows.get(email, (True, False))
        self.rows[email] = (made, False)
        self.holders.setdefault(email, set()).add(connection)

    def delete(self, connection: str, email: str) -> None:
        holders = self.holders.get(email, set())
        if connection not in holders:
            return
        holders.remove(connection)
        if holders or email not in self.rows:
            return
        made, _ = self.rows[email]
        if self.behavior == "SoftDelete":
            self.rows[email] = (made, True)
        elif self.behavior == "HardDelete" and made:
            del self.rows[email]

    def told(self) -> dict[str, bool]:
        return {email: gone for email, (_, gone) in self.rows.items()}


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_a_row_goes_or_is_marked_with_its_last_link_only_if_it_was_made_here_and_returns(
    prove: Any, scenes: Any, document: Callable[..., Any], behavior: str, tells: bool
) -> None:
    """Two connections that fill one table, rows that were there before, deletes that are told or found by a sweep."""
    made = metadata(document, behavior, "One", "Two")
    acts = st.tuples(st.sampled_from(["One", "Two"]), st.sampled_from("abc"), st.booleans())

    @given(st.sets(st.sampled_from("abc"), max_size=2), st.lists(st.lists(acts, min_size=1, max_size=4), max_size=3))
    def check(mine: Any, runs: Any) -> None:
        worlds = {name: scenes.world(tells_deletes=tells) for name in ("One", "Two")}
        table = Table(behavior, dict.fromkeys(mine, (False, False)))
        with scenes.open(made, **worlds) as scene:
            for email in mine:
                scene.insert(f"mine {email}", Email=email)
            for acts in runs:
                for name, email, is_put in acts:
                    worlds[name].now += 10 * scenes.minute
                    if is_put:
                        worlds[name].put(email, email=email)
                    else:
                        worlds[name].delete(email)
                for name, world in worlds.items():
                    scene.world = world
                    scene.settle(name, full=not tells)
                    for email in "abc":
                        if email in world.live():
                            table.put(name, email) if (name, email) in latest(acts) else None
                        else:
                            table.delete(name, email)
                assert {email: bool(gone) for email, gone in scene.rows("Email", "Gone")} == table.told()

    prove(check, examples=6)


def latest(acts: Any) -> set[tuple[str, str]]:
    """Return what was written at last, and so is delivered as changed."""
    return {(name, email) for name, email, _ in acts}


@pytest.mark.parametrize("tells", [True, False])
def test_a_guard_stops_before_the_first_of_too_many_deletes(
    prove: Any, scenes: Any, document: Callable[..., Any], tells: bool
) -> None:
    """More than a fifth and more than ten: nothing is deleted until a person says so, then all are."""

    @given(st.integers(40, 60), st.integers(9, 14), st.booleans())
    def check(records: int, going: int, says_so: bool) -> None:
        world = scenes.world(tells_deletes=tells, page=25)
        with scenes.open(metadata(document, "HardDelete"), world) as scene:
            for i in range(records):
                world.put(f"{i:02}", email=f"{i}")
            scene.settle()
            for i in range(going):
                world.delete(f"{i:02}")
            world.put("new", email="new")
            world.now += scenes.minute
            result = scene.sync(full=not tells, allow_deletes=says_so)
            stops = going > 10 and going > 0.2 * (records + 1) and not says_so
            assert result.status == ("Failed" if stops else "Completed")
            assert result.counts.deleted == (0 if stops or not tells else going)
            assert len(scene.rows("Email")) == records + 1 - (0 if stops else going)
            if stops:
                assert f"{going} of {records + 1} linked records would be deleted; nothing was deleted" in str(result.error)
                scene.settle(full=not tells, allow_deletes=True)
                assert len(scene.rows("Email")) == records + 1 - going

    prove(check, examples=3)


@pytest.mark.parametrize("unread", ["id", "no id"])
def test_only_what_a_complete_full_read_did_not_deliver_is_swept(
    prove: Any, scenes: Any, document: Callable[..., Any], unread: str
) -> None:
    """A record that could not be read is there; with records without an id nothing is known of any."""

    @given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef"), min_size=1), st.booleans())
    def check(gone: Any, faulty: Any, is_broken: bool) -> None:
        world = scenes.world(tells_deletes=False)
        with scenes.open(metadata(document, "HardDelete"), world) as scene:
            for id_ in "abcdef":
                world.put(id_, email=id_)
            scene.settle()
            for id_ in gone:
                world.delete(id_)
            faulty = faulty - gone
            if unread == "id":
                world.unreadable |= faulty
            else:
                world.nameless = len(faulty)
            if is_broken:
                world.plan({2: scenes.broken()})
                scene.sync(full=True)
            scene.settle(full=True)
            is_swept = unread == "id" or not faulty
            assert {email for (email,) in scene.rows("Email")} == set("abcdef") - (gone if is_swept else set())

    prove(check, examples=6)


def test_what_a_window_says_last_about_a_record_counts(prove: Any, scenes: Any, document: Callable[..., Any]) -> None:
    """Deleted and alive again, in any order of delivery, in one window or over broken-off runs."""

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=5), st.booleans(), st.data())
    def check(acts: Any, is_broken: bool, data: st.DataObject) -> None:
        world = scenes.world(page=1)
        with scenes.open(metadata(document, "HardDelete"), world) as scene:
            for id_ in "ab":
                world.put(id_, email=id_)
            world.now += 10 * scenes.minute
            scene.settle()
            versions = [world.objects_["people"][id_] for id_ in "ab"]
            for i, (id_, is_alive) in enumerate(acts):
                world.now += scenes.minute
                world.put(id_, email=f"{id_}{i}") if is_alive else world.delete(id_)
                versions.append(world.objects_["people"][id_])
            live = {id_: values["email"] for id_, values in world.live().items()}
            world.told = data.draw(st.permutations(versions))
            if is_broken:
                world.plan({3: scenes.broken()})
                scene.sync()
            scene.settle()
            assert {email for (email,) in scene.rows("Email")} == set(live.values())
            assert scene.processed() == world.delivered, "each of them counts once"

    prove(check, examples=20)


def test_soft_delete_needs_a_field_to_mark(scenes: Any, document: Callable[..., Any]) -> None:
    with (
        pytest.raises(ConfigError, match="SoftDeleteField"),
        scenes.open(document("Email", DeleteBehavior="SoftDelete")),
    ):
        pass


def test_a_delete_that_the_database_refuses_waits_in_the_ledger(scenes: Any, document: Callable[..., Any]) -> None:
    """Others go; a person who removes what stood in the way need not think of it again."""
    world = scenes.world()
    with scenes.open(metadata(document, "HardDelete"), world, fresh=True) as scene:
        for id_ in "abc":
            world.put(id_, email=id_)
        scene.settle()
        scene.database.execute("CREATE TABLE orders (person text REFERENCES people (id))")
        (key,) = scene.linked("id")["b"]
        scene.database.execute("INSERT INTO orders VALUES (?)", key)
        for id_ in "ab":
            world.delete(id_)
        result = scene.settle(allow_deletes=True)
        assert (result.counts.deleted, result.counts.errored) == (1, 1)
        assert scene.ledger() == [("b", "persist", "delete_refused")]
        assert scene.rows("Email") == [("b",), ("c",)]
        world.now += 10 * scenes.minute
        scene.settle()
        assert scene.ledger() == [("b", "persist", "delete_refused")]
        scene.database.execute("DELETE FROM orders")
        result = scene.settle()
        assert any("1 succeeded" in note for note in result.maps[0].notes)
        assert (scene.ledger(), scene.rows("Email")) == ([], [("c",)])


def test_an_older_version_of_a_later_window_revives_nothing_but_a_full_read_does(
    scenes: Any, document: Callable[..., Any]
) -> None:
    """A lagging page tells of what was; a full read of what is: a record that was restored may keep its time."""
    world = scenes.world()
    with scenes.open(metadata(document, "HardDelete"), world) as scene:
        world.put("a", email="a")
        old = world.objects_["people"]["a"]
        scene.settle()
        world.delete("a")
        scene.settle()
        world.told = [old]
        scene.settle()
        assert scene.rows("Email") == []
        scene.settle(full=True)
        assert scene.rows("Email") == [("a",)]
