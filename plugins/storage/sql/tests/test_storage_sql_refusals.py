"""What a commit refuses: rows that moved, keys that were taken, and rows that the database does not take."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import RowRefused, RowsMoved
from mjcore.models import Entity, EntityField
from mjcore.records import Fields, RowChange, RowKey
from mjcore.store import Store

ROW = {"Email": "a@x", "Name": None, "Amount": Decimal("1.50")}


@pytest.fixture
def key(scene: Any) -> RowKey:
    made: RowKey = scene.create({"x": ROW})["x"]
    return made


def moved(scene: Any, changes: Sequence[RowChange]) -> list[RowKey]:
    """Commit what must be refused as moved; return which keys were."""
    with pytest.raises(RowsMoved) as refused:
        scene.commit(changes=changes)
    return list(refused.value.keys)


# --- Updates and deletes -----------------------------------------------------------------------------


OTHERS: list[Fields] = [
    {"Email": "A@x"}, {"Email": "a@x "}, {"Email": None}, {"Name": ""}, {"Amount": Decimal("1.51")}, {"Amount": None}
]  # fmt: skip


@pytest.mark.parametrize("old", OTHERS)
def test_an_update_of_what_is_no_longer_so_is_refused(scene: Any, key: RowKey, old: Fields) -> None:
    assert moved(scene, [RowChange("update", key, old, dict.fromkeys(old, None), "x")]) == [key]
    assert scene.read(key) == {"id": key[0], **ROW}


def test_an_update_looks_at_no_other_field(database: Any, scene: Any, key: RowKey) -> None:
    database.execute("UPDATE contacts SET \"Name\" = 'by a person'")
    scene.commit(changes=[RowChange("update", key, {"Email": "a@x"}, {"Email": "b@x"}, "x")])
    assert (scene.read(key)["Email"], scene.read(key)["Name"]) == ("b@x", "by a person")


@pytest.mark.parametrize("kind", ["update", "delete"])
def test_a_row_that_vanished_is_refused(database: Any, scene: Any, key: RowKey, kind: Any) -> None:
    row = scene.read(key)
    database.execute("DELETE FROM contacts")
    assert moved(scene, [RowChange(kind, key, row, {**row, "Name": "N"} if kind == "update" else {}, "x")]) == [key]


def test_a_delete_of_a_row_that_is_no_longer_so_is_refused(database: Any, scene: Any, key: RowKey) -> None:
    row = scene.read(key)
    database.execute("UPDATE contacts SET \"Name\" = 'by a person'")
    assert moved(scene, [RowChange("delete", key, row, {}, "x")]) == [key]
    assert scene.read(key)["Name"] == "by a person"


def test_only_the_rows_that_moved_are_named(database: Any, scene: Any) -> None:
    keys = scene.create({str(i): {"Email": f"{i}@x"} for i in range(10)})
    database.execute("UPDATE contacts SET \"Name\" = 'n' WHERE \"Email\" IN ('3@x', '7@x')")
    changes = [
        RowChange("update", key, {"Name": None}, {"Name": "new"}, i) for i, key in sorted(keys.items(), key=lambda p: p[1])
    ]
    assert sorted(moved(scene, changes)) == sorted([keys["3"], keys["7"]])
    assert scene.read(keys["1"])["Name"] is None


# --- Creates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("unique_on", [("Email",), ("Amount",), ("Email", "Amount"), ("id",)])
def test_values_that_exist_meanwhile_are_refused(scene: Any, key: RowKey, unique_on: tuple[str, ...]) -> None:
    change = scene.creation("y", {**ROW, "Name": "other", "Amount": Decimal("1.5")}, unique_on)
    if unique_on == ("id",):
        change = evolve(change, key=key, new={**change.new, "id": key[0]})
    moved(scene, [change])
    assert len(list(scene.store.rows(scene.entity).scan(("Email",)))) == 1


def test_values_that_somebody_else_wrote_are_refused(database: Any, scene: Any) -> None:
    database.execute("INSERT INTO contacts (id, \"Email\") VALUES ('by hand', 'a@x')")
    moved(scene, [scene.creation("y", ROW, ("Email",))])


@pytest.mark.parametrize(
    ("there", "new", "unique_on"),
    [
        ({"Email": "a@x"}, {"Email": "A@x"}, ("Email",)),
        ({"Email": "a@x"}, {"Email": "a@x "}, ("Email",)),
        ({"Email": None}, {"Email": None}, ("Email",)),
        ({"Email": ""}, {"Email": None}, ("Email",)),
        ({"Email": "a@x", "Name": None}, {"Email": "a@x", "Name": None}, ("Email", "Name")),
        ({"Email": "a@x", "Name": "b"}, {"Email": "a@x", "Name": None}, ("Email", "Name")),
        ({"Email": "a@x", "Amount": 1}, {"Email": "a@x", "Amount": 2}, ("Email", "Amount")),
        ({"Email": "a@x"}, {"Email": "a@x"}, ()),
    ],
)
def test_other_values_and_nulls_never_collide(scene: Any, there: Fields, new: Fields, unique_on: tuple[str, ...]) -> None:
    scene.create({"x": there})
    create = scene.creation("y", new, unique_on)
    scene.commit(changes=[create])
    assert scene.read(create.key) is not None


# --- Writers at the same time ------------------------------------------------------------------------

WRITES = {
    "create": "INSERT INTO contacts (id, \"Email\") VALUES ('by hand', 'new@x')",
    "update": "UPDATE contacts SET \"Email\" = 'by hand' WHERE \"Email\" = 'a@x'",
    "delete": "DELETE FROM contacts WHERE \"Email\" = 'a@x'",
}


@pytest.mark.parametrize("kind", WRITES)
def test_a_commit_waits_for_a_person_and_sees_what_they_did(database: Any, scene: Any, key: RowKey, kind: Any) -> None:
    changes = {
        "create": scene.creation("y", {**ROW, "Email": "new@x"}, ("Email",)),
        "update": RowChange("update", key, {"Email": "a@x"}, {"Email": "b@x"}, "x"),
        "delete": RowChange("delete", key, scene.read(key), {}, "x"),
    }
    ended: list[object] = []

    def commit() -> None:
        try:
            scene.commit(changes=[changes[kind]])
            ended.append("committed")
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            ended.append(error)

    with closing(database.connect()) as person:
        person.execute("BEGIN IMMEDIATE" if database.kind == "sqlite" else "BEGIN")
        person.execute(WRITES[kind])
        thread = threading.Thread(target=commit)
        thread.start()
        time.sleep(0.5)
        assert not ended, "the person's change is not decided yet"
        person.execute("COMMIT")
        thread.join()
    assert [type(e) for e in ended] == [RowsMoved], ended


# --- What the database refuses -----------------------------------------------------------------------

RULES = """CREATE TABLE ruled (id TEXT PRIMARY KEY, u TEXT UNIQUE, n TEXT NOT NULL, c INTEGER CONSTRAINT positive CHECK (c > 0),
    f TEXT REFERENCES others (id), g TEXT REFERENCES others (id) DEFERRABLE INITIALLY DEFERRED)"""
GOOD: Fields = {"u": None, "n": "n", "c": 1, "f": None, "g": None}
FAULTS: dict[str, Fields] = {
    "UNIQUE": {"id": "bad", "u": "taken"},
    "NOT NULL": {"id": "bad", "n": None},
    "CHECK": {"id": "bad", "c": 0},
    "FOREIGN KEY": {"id": "bad", "f": "nowhere"},
    "DEFERRED FOREIGN KEY": {"id": "bad", "g": "nowhere"},
    "PRIMARY KEY": {"id": "there"},
    "TRIGGER": {"id": "bad", "n": "trigger"},
}


@pytest.fixture
def ruled(database: Any, store: Store, stage: Callable[..., Any]) -> Any:
    database.execute("CREATE TABLE others (id TEXT PRIMARY KEY)", "INSERT INTO others VALUES ('1')", RULES)
    if database.kind == "sqlite":
        database.execute(
            "CREATE TRIGGER no BEFORE INSERT ON ruled WHEN NEW.n = 'trigger' BEGIN SELECT RAISE(ABORT, 'not so'); END",
            "CREATE TRIGGER neither BEFORE UPDATE ON ruled WHEN NEW.n = 'trigger' BEGIN SELECT RAISE(ABORT, 'not so'); END",
        )
    else:
        database.execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not so'; END $$",
            "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON ruled FOR EACH ROW WHEN (NEW.n = 'trigger') EXECUTE FUNCTION no()",
        )
    scene = stage(store, store.reflect(Entity("Ruled", "ruled")), ensure=False)
    scene.create({"there": {**GOOD, "id": "there", "u": "taken"}, "other": {**GOOD, "id": "other"}})
    return scene


def refused(database: Any, scene: Any, changes: Sequence[RowChange]) -> RowRefused:
    before = database.dump()
    with pytest.raises(RowRefused) as error:
        scene.commit(changes=changes)
    assert database.dump() == before
    return error.value


@pytest.mark.parametrize("fault", FAULTS)
def test_a_create_that_the_database_refuses(database: Any, ruled: Any, fault: str) -> None:
    bad = ruled.creation("the bad one", {**GOOD, **FAULTS[fault]})
    assert set(refused(database, ruled, [bad]).refused) == {"the bad one"}
    good = [ruled.creation(f"good {i}", {**GOOD, "id": i}) for i in ("a", "z")]
    assert set(refused(database, ruled, sorted([bad, *good], key=lambda c: c.key)).refused) <= {"the bad one"}
    ruled.commit(changes=good)


@pytest.mark.parametrize("fault", sorted({*FAULTS} - {"PRIMARY KEY"}))
def test_an_update_that_the_database_refuses(database: Any, ruled: Any, fault: str) -> None:
    new = {name: value for name, value in FAULTS[fault].items() if name != "id"}
    bad = RowChange("update", ("other",), {name: GOOD[name] for name in new}, new, "the bad one")
    good = RowChange("update", ("there",), {"n": "n"}, {"n": "m"}, "good")
    assert set(refused(database, ruled, [bad]).refused) == {"the bad one"}
    assert set(refused(database, ruled, [bad, good]).refused) <= {"the bad one"}
    ruled.commit(changes=[good])


def test_a_delete_that_the_database_refuses(database: Any, store: Store, ruled: Any, stage: Callable[..., Any]) -> None:
    ruled.create({"pointing": {**GOOD, "id": "p", "f": "1"}})
    others = stage(store, store.reflect(Entity("Others", "others")), ensure=False)
    bad = RowChange("delete", ("1",), {"id": "1"}, {}, "the bad one")
    assert set(refused(database, others, [bad]).refused) == {"the bad one"}


@pytest.mark.parametrize("fault", ["UNIQUE", "CHECK", "TRIGGER"])
def test_the_message_tells_what_was_violated(database: Any, ruled: Any, fault: str) -> None:
    message = str(refused(database, ruled, [ruled.creation("the bad one", {**GOOD, **FAULTS[fault]})]))
    assert "ruled" in message
    assert {"UNIQUE": "u", "CHECK": "positive", "TRIGGER": "not so"}[fault] in message
    assert "Traceback" not in message
    assert "INSERT INTO" not in message


LIMITS = "CREATE TABLE limits (id TEXT PRIMARY KEY, t VARCHAR(3), s SMALLINT, n NUMERIC(4,2), d {})"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("value", [{"t": "long"}, {"s": 40000}, {"n": 100}, {"d": datetime(1, 1, 1, tzinfo=UTC)}])
def test_what_exceeds_a_column_is_a_fault_of_its_record(
    database: Any, store: Store, stage: Callable[..., Any], value: Fields
) -> None:
    """Fitting finds these, unless a person altered the table since."""
    database.execute(LIMITS.format("TIMESTAMPTZ CHECK (d > '2000-01-01')"))
    loose = {
        "t": EntityField("t"),
        "s": EntityField("s", "number"),
        "n": EntityField("n", "number"),
        "d": EntityField("d", "datetime"),
    }
    scene = stage(store, Entity("Limits", "limits", fields=(EntityField("id"), *loose.values())), ensure=False)
    assert set(refused(database, scene, [scene.creation("the bad one", {"id": "1", **value})]).refused) == {"the bad one"}
