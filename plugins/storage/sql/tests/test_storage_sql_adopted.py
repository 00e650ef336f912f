"""Tables that others made: what reflection tells of them, keys of every kind, and types that only one database has."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import StoreError
from mjcore.models import Entity
from mjcore.records import RowChange
from mjcore.store import Store

SQLITE = {"sqlite"}
POSTGRESQL = {"postgresql"}
BOTH = SQLITE | POSTGRESQL

LEDGER = """CREATE TABLE "Ledger" (
    "id" {key},
    "Code" VARCHAR(12) NOT NULL UNIQUE,
    "Status" TEXT NOT NULL DEFAULT 'new',
    "Amount" NUMERIC(12,2), "Any" NUMERIC, "Large" BIGINT, "Whole" INTEGER, "Small" SMALLINT, "Ratio" DOUBLE PRECISION,
    "Paid" BOOLEAN NOT NULL, "Due" DATE, "Seen" {instant}, "Local" TIMESTAMP, "Doc" {json}, "One" INTEGER, "Two" INTEGER,
    UNIQUE ("One", "Two"))"""


@pytest.fixture
def ledger(database: Any, store: Store) -> Entity:
    sqlite = {"key": "INTEGER PRIMARY KEY", "instant": "TIMESTAMP", "json": "JSON"}
    postgresql = {"key": "BIGSERIAL PRIMARY KEY", "instant": "TIMESTAMPTZ(3)", "json": "JSONB"}
    database.execute(LEDGER.format(**(sqlite if database.kind == "sqlite" else postgresql)))
    return store.reflect(Entity("Ledger", "Ledger", soft_delete_field="Seen", id="e1"))


def test_reflection_tells_what_each_column_holds(ledger: Entity) -> None:
    kinds = {f.name: f.type for f in ledger.fields}
    assert list(kinds) == [
        "id", "Code", "Status", "Amount", "Any", "Large", "Whole", "Small", "Ratio", "Paid", "Due", "Seen", "Local", "Doc",
        "One", "Two",
    ]  # fmt: skip
    numbers = ("id", "Amount", "Any", "Large", "Whole", "Small", "Ratio", "One", "Two")
    others = {"Code": "string", "Status": "string", "Paid": "boolean", "Due": "date", "Seen": "datetime", "Local": "datetime"}
    assert kinds == {**dict.fromkeys(numbers, "number"), **others, "Doc": "json"}
    assert (ledger.name, ledger.table, ledger.id, ledger.soft_delete_field) == ("Ledger", "Ledger", "e1", "Seen")
    assert (ledger.primary_key, ledger.key_origin, ledger.origin) == (("id",), "database", "Adopted")


def test_reflection_tells_limits(database: Any, ledger: Entity) -> None:
    fields = {f.name: f for f in ledger.fields}
    assert {f.name for f in ledger.fields if f.max_length} == {"Code"}
    assert fields["Code"].max_length == 12
    assert {n for n, f in fields.items() if f.is_required and n != "id"} == {"Code", "Paid"}, "a default fills Status"
    assert {n for n, f in fields.items() if f.is_unique and n != "id"} == {"Code"}, "One and Two are unique together only"
    assert fields["Ratio"].number == "double"
    if database.kind == "sqlite":
        assert (fields["Amount"].number, fields["Any"].number) == ("numeric", "numeric")
        return
    assert (fields["Amount"].number, fields["Amount"].precision, fields["Amount"].scale) == ("decimal", 12, 2)
    assert (fields["Any"].number, fields["Any"].precision, fields["Any"].scale) == ("decimal", None, None)
    assert {n: f.precision for n, f in fields.items() if f.number == "integer"} == {
        "id": 64, "Large": 64, "Whole": 32, "Small": 16, "One": 32, "Two": 32
    }  # fmt: skip
    assert (fields["Seen"].has_zone, fields["Seen"].fraction_digits) == (True, 3)
    assert (fields["Local"].has_zone, fields["Local"].fraction_digits) == (False, 6)


def test_an_index_of_its_own_makes_a_column_unique(database: Any, store: Store) -> None:
    database.execute(
        "CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT, b TEXT, c TEXT, d TEXT)",
        "CREATE UNIQUE INDEX ta ON t (a)", "CREATE UNIQUE INDEX tb ON t (b) WHERE c IS NOT NULL", "CREATE INDEX td ON t (d)",
        "CREATE INDEX tc ON t (lower(c))",
    )  # fmt: skip
    entity = store.reflect(Entity("T", "t"))
    assert {f.name for f in entity.fields if f.is_unique and f.name != "id"} == {"a"}, "b is unique in some rows only"
    assert store.is_indexed(entity, ("a",))
    assert store.is_indexed(entity, ("d",))
    assert not store.is_indexed(entity, ("b",)), "an index on some rows does not serve a look-up of all"
    assert not store.is_indexed(entity, ("c",)), "an index on lower(c) does not serve a look-up of c"


def test_a_table_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        store.reflect(Entity("Nowhere", "nowhere"))


def test_a_table_of_others_needs_no_statement(ledger: Entity, store: Store) -> None:
    assert list(store.ddl(ledger)) == []
    offered = store.ddl(ledger, [("Status",)])
    assert len(offered) == 1
    assert not store.is_indexed(ledger, ("Status",))
    store.ensure(ledger, [("Status",)])
    assert store.is_indexed(ledger, ("Status",))


def test_a_table_without_a_key_takes_the_one_that_is_named(database: Any, store: Store, stage: Callable[..., Any]) -> None:
    database.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    entity = store.reflect(Entity("T", "t"))
    assert entity.primary_key == ()
    scene = stage(store, evolve(entity, primary_key=("a",), key_origin="mapped"), ensure=False)
    scene.create({"x": {"a": 1, "b": "one"}})
    assert scene.read((1,)) == {"a": 1, "b": "one"}


def test_a_default_fills_what_a_create_leaves_out(ledger: Entity, store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store, ledger, ensure=False)
    rows = {"a": {"Code": "a", "Paid": True}, "b": {"Code": "b", "Paid": False, "Status": "old"}}
    keys = scene.create(rows)
    assert {i: scene.read(key)["Status"] for i, key in keys.items()} == {"a": "new", "b": "old"}
    assert scene.read(keys["a"])["Due"] is None


# --- Keys --------------------------------------------------------------------------------------------

UUIDS = ("00000000-0000-7000-8000-000000000001", "ffffffff-0000-7000-8000-000000000002")
INSTANTS = (datetime(2026, 1, 1, 1, 2, 3, 4, UTC), datetime(9999, 7, 1, tzinfo=UTC))
KEYS: dict[str, tuple[set[str], str, str, tuple[Any, ...]]] = {
    "rowid": (SQLITE, "INTEGER PRIMARY KEY", "database", ()),
    "autoincrement": (SQLITE, "INTEGER PRIMARY KEY AUTOINCREMENT", "database", ()),
    "serial": (POSTGRESQL, "SERIAL PRIMARY KEY", "database", ()),
    "bigserial": (POSTGRESQL, "BIGSERIAL PRIMARY KEY", "database", ()),
    "identity": (POSTGRESQL, "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "database", ()),
    "always": (POSTGRESQL, "INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "database", ()),
    "uuid made": (POSTGRESQL, "UUID PRIMARY KEY DEFAULT gen_random_uuid()", "database", ()),
    "uuid": (POSTGRESQL, "UUID PRIMARY KEY", "", UUIDS),
    "text": (BOTH, "TEXT PRIMARY KEY", "mapped", ("a'b", "Ä 東京 \U0001f600")),
    "varchar": (BOTH, "VARCHAR(20) PRIMARY KEY", "mapped", ("007", "7")),
    "integer": (POSTGRESQL, "INTEGER PRIMARY KEY", "mapped", (-5, 2**31 - 1)),
    "bigint": (BOTH, "BIGINT PRIMARY KEY", "mapped", (-(2**63), 2**63 - 1)),
    "smallint": (BOTH, "SMALLINT PRIMARY KEY", "mapped", (-1, 32767)),
    "numeric": (BOTH, "NUMERIC(12,2) PRIMARY KEY", "mapped", (Decimal("1.50"), 2)),
    "double": (BOTH, "DOUBLE PRECISION PRIMARY KEY", "mapped", (Decimal("0.1"), 2)),
    "date": (BOTH, "DATE PRIMARY KEY", "mapped", (date(1, 1, 1), date(9999, 12, 31))),
    "instant": (POSTGRESQL, "TIMESTAMPTZ PRIMARY KEY", "mapped", INSTANTS),
    "local": (BOTH, "TIMESTAMP PRIMARY KEY", "mapped", INSTANTS),
    "boolean": (BOTH, "BOOLEAN PRIMARY KEY", "mapped", (False, True)),
}  # fmt: skip


EACH = [(database, kind) for kind, (databases, *_) in KEYS.items() for database in sorted(databases)]


@pytest.mark.parametrize(("database", "kind"), EACH, indirect=["database"])
def test_rows_of_any_primary_key(database: Any, store: Store, stage: Callable[..., Any], kind: str) -> None:
    _, ddl, origin, given = KEYS[kind]
    database.execute(f'CREATE TABLE "Keyed" ("Key" {ddl}, "Name" TEXT)')
    entity = store.reflect(Entity("Keyed", "Keyed"))
    assert entity.primary_key == ("Key",)
    assert entity.key_origin == origin or not origin
    scene = stage(store, evolve(entity, key_origin=origin or "mapped"), ensure=False)
    follow_rows_through_their_life(scene, [{"Key": key} for key in given] or [{}, {}])


COMPOSITE = 'CREATE TABLE "Keyed" ("Name" TEXT, "Key" {}, "At" TIMESTAMP, "Part" TEXT, PRIMARY KEY ("Part", "Key", "At"))'


def test_rows_of_a_composite_primary_key(database: Any, store: Store, stage: Callable[..., Any]) -> None:
    database.execute(COMPOSITE.format("NUMERIC(12,2)"))
    entity = store.reflect(Entity("Keyed", "Keyed"))
    assert (entity.primary_key, entity.key_origin) == (("Part", "Key", "At"), "mapped")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    keys = [{"Part": "a,b", "Key": Decimal("1.50"), "At": at}, {"Part": "a", "Key": 1, "At": at.replace(microsecond=1)}]
    follow_rows_through_their_life(stage(store, entity, ensure=False), keys)


def follow_rows_through_their_life(scene: Any, keys: list[dict[str, Any]]) -> None:
    store, entity = scene.store, scene.entity
    made = scene.create({"x": {"Name": "X", **keys[0]}, "y": {"Name": "Y", **keys[1]}})
    first, second = made["x"], made["y"]
    if keys[0]:
        assert (first, second) == tuple(tuple(k[n] for n in entity.primary_key) for k in keys)
    assert scene.read(first)["Name"] == "X"
    assert tuple(scene.read(first)[n] for n in entity.primary_key) == first
    assert store.rows(entity).find(("Name",), [("X",), ("Y",)]) == {("X",): [first], ("Y",): [second]}
    assert {key: name for key, (name,) in store.rows(entity).scan(("Name",))} == {first: "X", second: "Y"}
    by_key = store.rows(entity).find(entity.primary_key, [first])
    assert list(by_key[first]) == [first]
    assert store.linked(entity, [first, second]) == {
        first: [(scene.context.entity_map.id, "x")], second: [(scene.context.entity_map.id, "y")]
    }  # fmt: skip
    row = scene.read(second)
    scene.commit(
        changes=[RowChange("delete", second, row, {}, "y"), RowChange("update", first, {"Name": "X"}, {"Name": "Z"}, "x")]
    )
    assert scene.read(first)["Name"] == "Z"
    assert scene.read(second) is None
    assert [c.key for c in store.changes(external_id="x")] == [first, first]
    assert [c.key for c in store.changes(external_id="y")] == [second, second]


def test_an_update_may_change_the_key(database: Any, store: Store, stage: Callable[..., Any]) -> None:
    database.execute("CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b))")
    scene = stage(store, store.reflect(Entity("T", "t")), ensure=False)
    scene.create({"x": {"a": "1", "b": "2"}})
    change = RowChange("update", ("1", "2"), {"b": "2"}, {"b": "3"}, "x")
    scene.commit(changes=[change], links=[scene.link("x", ("1", "3"))])
    assert scene.read(("1", "2")) is None
    assert scene.read(("1", "3")) == {"a": "1", "b": "3"}
    assert list(store.linked(scene.entity, [("1", "2"), ("1", "3")])) == [("1", "3")]


# --- Types that only one database has ----------------------------------------------------------------


OTHERS = {
    "postgresql": (
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN small_text AS TEXT CHECK (length(VALUE) < 10)",
        """CREATE TABLE t (id INT PRIMARY KEY, m mood, u UUID, d small_text, a INT[], b BYTEA, i INTERVAL, n INET, t TIME, r REAL,
            j JSON, c CHAR(3), x INT GENERATED ALWAYS AS (id * 2) STORED)""",
        """INSERT INTO t VALUES
            (1, 'sad', gen_random_uuid(), 'd', '{1}', '\\x00ff', '1 day', '127.0.0.1', '10:00', 0.1, '{}', 'ab')""",
    ),
    "sqlite": (
        """CREATE TABLE t (id INT PRIMARY KEY, m, u UUID, d CLOB, a BLOB, b STRING, r FLOAT, j JSON, c CHAR(3),
            x INT AS (id * 2))""",
        "INSERT INTO t VALUES (1, 'sad', 'u', 'd', x'00ff', 'text', 0.1, '{}', 'ab')",
    ),
}


def test_columns_of_other_types_are_read_and_kept(database: Any, store: Store, stage: Callable[..., Any]) -> None:
    database.execute(*OTHERS[database.kind])
    entity = store.reflect(Entity("T", "t"))
    scene = stage(store, evolve(entity, key_origin="mapped"), ensure=False)
    row = scene.read((1,))
    assert row["x"] == 2
    scene.commit(changes=[RowChange("update", (1,), {"m": row["m"], "d": "d"}, {"m": "ok", "d": None}, "x")])
    assert (scene.read((1,))["m"], scene.read((1,))["d"]) == ("ok", None)
    scene.create({"y": {"id": 2, "m": "sad", "u": "00000000-0000-7000-8000-000000000001"}})
    made = scene.read((2,))
    assert (made["m"], made["u"]) == ("sad", "00000000-0000-7000-8000-000000000001")
    scene.commit(changes=[RowChange("delete", (1,), scene.read((1,)), {}, "x")])
    assert scene.read((1,)) is None
    assert [c.kind for c in store.changes(external_id="x")] == ["update", "delete"]


def test_a_reference_may_be_kept_as_a_number(database: Any, store: Store, stage: Callable[..., Any]) -> None:
    """The file may say that an integer column refers to an entity; then the keys that it holds are numbers."""
    database.execute("CREATE TABLE t (id TEXT PRIMARY KEY, company BIGINT)")
    entity = store.reflect(Entity("T", "t"))
    fields = tuple(evolve(f, type="reference", entity="Companies") if f.name == "company" else f for f in entity.fields)
    scene = stage(store, evolve(entity, fields=fields), ensure=False)
    scene.create({"x": {"id": "1", "company": 2**53 + 1}})
    assert scene.read(("1",))["company"] == 2**53 + 1
    scene.commit(changes=[RowChange("update", ("1",), {"company": 2**53 + 1}, {"company": 2}, "x")])
    assert database.execute("SELECT company FROM t") == [(2,)]
    assert store.rows(scene.entity).find(("company",), [(2,)]) == {(2,): [("1",)]}
