"""One batch is one transaction: everything it holds, or nothing; and every write of a row leaves an audit entry."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mjcore.errors import RowRefused, RowsMoved, StoreError
from mjcore.ids import new_id
from mjcore.models import Entity, EntityField, IntegrationRun, IntegrationRunDetail
from mjcore.records import Conflict, Counts, Position, RecordError, Reference, RowChange, Watermark
from mjcore.store import Store

COUNTS = Counts(36, 1, 2, 3, 4, 5, 6, 15)
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)


def full(scene: Any, keys: dict[str, Any]) -> Any:
    """Return a batch with something of everything; `keys` are of rows `a` and `b`."""
    create = scene.creation("new", {"Email": "new@x", "Name": None, "Amount": 5}, ("Email",))
    return scene.write(
        changes=[
            create,
            RowChange("delete", keys["b"], scene.read(keys["b"]), {}, "b"),
            RowChange("update", keys["a"], {"Name": "A"}, {"Name": "Z"}, "a", "KeyFields"),
        ],
        links=[scene.link("new", create.key), scene.link("a", keys["a"], source_values={"n": 1})],
        failed=[RecordError("bad", "transform", "required", "no value", {"x": 1})],
        cleared=["a"],
        conflicts=[Conflict("a", keys["a"], {"Name": "A"}, {"Name": "B"}, {"Name": "C"})],
        counts=COUNTS,
        position=Position(Watermark("Cursor", "c"), scene.run.id, 1, None, None, {"page": 2}, is_full=True),
        seen=["a", "b", "new"],
        staged_deletes={"c": None},
        unstaged=["b"],
    )  # fmt: skip


@pytest.fixture
def keys(scene: Any) -> dict[str, Any]:
    """Four linked rows, one with an entry in the ledger, one staged for its deletion."""
    rows = {i: {"Email": f"{i}@x", "Name": i.upper(), "Amount": Decimal("1.50")} for i in "abcd"}
    failed = [RecordError("a", "fetch", "code", "message")]
    made: dict[str, Any] = scene.create(rows, failed=failed, staged_deletes=dict.fromkeys(["b"]))
    return made


def test_a_batch_writes_all_that_it_holds(scene: Any, keys: dict[str, Any]) -> None:
    store, write = scene.store, full(scene, keys)
    store.commit(scene.context, write, scene.lease)
    create = write.changes[0]
    assert scene.read(create.key) == {"id": create.key[0], "Email": "new@x", "Name": None, "Amount": 5}
    assert scene.read(keys["a"])["Name"] == "Z"
    assert scene.read(keys["b"]) is None
    assert store.links(scene.context, ["new", "a"]) == {link.external_id: link for link in write.links}
    assert scene.failed() == write.failed
    assert [evolve(c, entity_map_id="") for c in store.conflicts()] == write.conflicts
    assert store.position(scene.context) == write.position
    assert {link.external_id for link in store.unseen(scene.context)} == {"d"}
    assert {link.external_id for link in store.staged_deletes(scene.context)} == {"c"}
    audited = [evolve(change, unique_on=()) for change in write.changes]
    found = scene.trail(run_id=scene.run.id)[4:]
    assert sorted(found, key=lambda c: c.kind) == sorted(audited, key=lambda c: c.kind)


# --- All or nothing ----------------------------------------------------------------------------------

WRITTEN = [
    "contacts", "mj_record_link", "mj_record_change", "mj_failed_record", "mj_conflict", "mj_integration_run",
    "mj_integration_run_detail", "mj_integration_sync_watermark", "mj_seen", "mj_lease",
]  # fmt: skip


def sabotage(database: Any, table: str) -> None:
    """Let every write of one table fail."""
    events = ("INSERT", "UPDATE", "DELETE")
    if database.kind == "sqlite":
        database.execute(
            *(f"CREATE TRIGGER x{e} BEFORE {e} ON {table} BEGIN SELECT RAISE(ABORT, 'sabotage'); END" for e in events)
        )
        return
    body = "BEGIN RAISE EXCEPTION 'sabotage'; END"
    database.execute(
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        *(f"CREATE TRIGGER x{e} BEFORE {e} ON {table} FOR EACH ROW EXECUTE FUNCTION fail()" for e in events),
    )


@pytest.mark.parametrize("table", WRITTEN)
def test_whatever_fails_nothing_of_the_batch_is_there(database: Any, scene: Any, keys: dict[str, Any], table: str) -> None:
    write, before = full(scene, keys), database.dump()
    sabotage(database, table)
    with pytest.raises(StoreError, match="sabotage"):
        scene.store.commit(scene.context, write, scene.lease)
    assert database.dump() == before
    events = ("INSERT", "UPDATE", "DELETE")
    database.execute(*(f"DROP TRIGGER x{e}" + ("" if database.kind == "sqlite" else f" ON {table}") for e in events))
    scene.store.commit(scene.context, write, scene.lease)
    assert scene.store.position(scene.context) == write.position


def test_rows_that_moved_leave_nothing_of_the_batch(database: Any, scene: Any, keys: dict[str, Any]) -> None:
    write = full(scene, keys)
    database.execute("UPDATE contacts SET \"Name\" = 'mine' WHERE \"Email\" = 'a@x'")
    before = database.dump()
    with pytest.raises(RowsMoved):
        scene.store.commit(scene.context, write, scene.lease)
    assert database.dump() == before


def test_a_refused_row_leaves_nothing_of_the_batch(database: Any, scene: Any, keys: dict[str, Any]) -> None:
    write = full(scene, keys)
    database.execute('CREATE UNIQUE INDEX u ON contacts ("Amount", "Name")')
    again = scene.creation("again", {"Email": "n@x", "Amount": Decimal("1.5"), "Name": "C"})
    before = database.dump()
    with pytest.raises(RowRefused):
        scene.store.commit(scene.context, evolve(write, changes=[*write.changes, again]), scene.lease)
    assert database.dump() == before


def test_an_empty_batch_changes_the_position_alone(database: Any, scene: Any, keys: dict[str, Any]) -> None:
    before, position = database.dump(), Position(Watermark("Cursor", "c"), scene.run.id)
    scene.commit(position=position)
    after = database.dump()
    assert scene.store.position(scene.context) == position
    assert {name for name in after if after[name] != before[name]} <= {"mj_integration_sync_watermark", "mj_lease"}


# --- Rows --------------------------------------------------------------------------------------------


def test_each_update_writes_its_own_fields_only(scene: Any, keys: dict[str, Any]) -> None:
    scene.commit(
        changes=sorted(
            [
                RowChange("update", keys["a"], {"Name": "A"}, {"Name": None}, "a"),
                RowChange("update", keys["b"], {"Amount": Decimal("1.5")}, {"Amount": -1}, "b"),
                RowChange("update", keys["c"], {"Name": "C", "Email": "c@x"}, {"Name": "", "Email": "d@x"}, "c"),
            ],
            key=lambda change: change.key,
        )
    )
    rows = {i: scene.read(key) for i, key in keys.items()}
    assert [(r["Email"], r["Name"], r["Amount"]) for r in rows.values()] == [
        ("a@x", None, Decimal("1.5")), ("b@x", "B", -1), ("d@x", "", Decimal("1.5")), ("d@x", "D", Decimal("1.5"))
    ]  # fmt: skip


def test_creates_need_not_fill_the_same_fields(scene: Any) -> None:
    keys = scene.create({"a": {"Name": "A"}, "b": {"Email": "b@x"}, "c": {}, "d": {"Email": None, "Name": "D", "Amount": 0}})
    rows = {i: scene.read(key) for i, key in keys.items()}
    assert {i: (r["Email"], r["Name"], r["Amount"]) for i, r in rows.items()} == {
        "a": (None, "A", None), "b": ("b@x", None, None), "c": (None, None, None), "d": (None, "D", 0)
    }  # fmt: skip


def test_generated_keys_go_to_the_links_of_their_records(store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store, Entity("Made", "made", fields=(EntityField("Name"),), key_origin="database"))
    ids = [new_id()[-8:] for _ in range(500)]
    keys = scene.create({i: {"Name": f"of {i}"} for i in ids})
    assert len(set(keys.values())) == len(ids)
    rows = store.read(scene.entity, list(keys.values()), ("Name",))
    assert {i: rows[key]["Name"] for i, key in keys.items()} == {i: f"of {i}" for i in ids}
    assert {c.external_id: c.key for c in store.changes(run_id=scene.run.id)} == keys


def test_a_link_that_is_there_keeps_its_own_key_in_a_batch_of_generated_ones(store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store, Entity("Made", "made", fields=(EntityField("Name"),), key_origin="database"))
    old = scene.create({"old": {"Name": "old"}})["old"]
    create = scene.creation("new", {"Name": "new"})
    scene.commit(changes=[create], links=[scene.link("old", old), scene.link("new", ())])
    found = store.links(scene.context, ["old", "new"])
    assert found["old"].key == old
    assert store.read(scene.entity, [found["new"].key], ("Name",)) == {found["new"].key: {"Name": "new"}}


# --- Counts ------------------------------------------------------------------------------------------


def test_counts_are_added_to_the_run_and_its_detail(store: Store, scene: Any, stage: Callable[..., Any]) -> None:
    other = stage(store)
    scene.commit(counts=COUNTS)
    scene.commit(counts=Counts(processed=1, errored=1))
    sums = [37, 1, 2, 3, 4, 5, 6, 16]
    names = [a.name for a in Counts.__attrs_attrs__]
    totals = dict(zip((f"total_records_{n}" for n in names), sums, strict=True))
    parts = dict(zip((f"records_{n}" for n in names), sums, strict=True))
    assert list(store.load(IntegrationRun, id=scene.run.id)) == [evolve(scene.run, **totals)]
    assert list(store.load(IntegrationRunDetail, id=scene.detail.id)) == [evolve(scene.detail, **parts)]
    assert list(store.load(IntegrationRun, id=other.run.id)) == [other.run]
    assert list(store.load(IntegrationRunDetail, id=other.detail.id)) == [other.detail]


# --- The audit trail ---------------------------------------------------------------------------------

ROW = {
    "Text": "Ä 東京 \U0001f600\n",
    "Number": Decimal("0.10000000000000000000001"),
    "Large": 2**70,
    "Flag": False,
    "Day": date(1, 1, 1),
    "At": AT,
    "Doc": {"a": [1, None, {"$decimal": "1"}], "d": Decimal("1.10")},
    "Tag": {"$date": "2026-01-01"},
    "Null": None,
}
COLUMNS = (
    EntityField("Text"),
    EntityField("Number", "number", exact=True),
    EntityField("Large", "number", exact=True),
    EntityField("Flag", "boolean"),
    EntityField("Day", "date"),
    EntityField("At", "datetime"),
    EntityField("Doc", "json"),
    EntityField("Tag", "json"),
    EntityField("Null"),
)


def test_the_trail_tells_every_change_exactly_and_in_order(store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store, Entity("All", "all", fields=COLUMNS))
    create = scene.creation("x", ROW)
    key = create.key
    nulls = dict.fromkeys(ROW)
    steps = [
        create,
        RowChange("update", key, ROW, nulls, "x", "KeyFields"),
        RowChange("update", key, nulls, ROW, "x"),
        RowChange("delete", key, {**ROW, "id": key[0]}, {}, "x"),
    ]
    for step in steps:
        scene.commit(changes=[step])
    found = scene.trail()
    assert found == steps
    assert [type(v) for v in found[0].new.values()] == [type(create.new[name]) for name in found[0].new]


def test_the_trail_is_narrowed_by_run_entity_and_external_id(store: Store, stage: Callable[..., Any]) -> None:
    people = stage(store, Entity("People", "people", fields=(EntityField("Name"),)))
    sites = stage(store, Entity("Sites", "sites", fields=(EntityField("Name"),)))
    people.create({"x": {"Name": "1"}, "y": {"Name": "2"}})
    sites.create({"x": {"Name": "3"}})
    later = people.next_run()
    later.create({"z": {"Name": "4"}})
    sites.create({"y": {"Name": "5"}})

    def names(**where: Any) -> list[str]:
        return sorted(change.new["Name"] for change in store.changes(**where))

    assert names() == ["1", "2", "3", "4", "5"]
    assert names(run_id=people.run.id) == ["1", "2"]
    assert names(entity="People") == ["1", "2", "4"]
    assert names(external_id="x") == ["1", "3"]
    assert names(external_id="x", entity="Sites") == ["3"]
    assert names(run_id=later.run.id, entity="Sites") == []
    assert [change.new["Name"] for change in store.changes(external_id="y")] == ["2", "5"], "oldest first"


def test_raw_values_of_the_ledger_are_what_the_source_sent(store: Store, scene: Any) -> None:
    """A record often failed for what a database refuses to hold as text: NUL, half of a surrogate pair."""
    raw = {
        **ROW,
        "Float": 0.1,
        "Bytes": b"\0\xff",
        "Ref": Reference("companies", "7"),
        "List": [Decimal("1.0"), AT],
        "": "\0\ud83d",
    }
    scene.commit(failed=[RecordError("x", "match", "code", "message \U0001f600", raw)])
    (found,) = scene.failed()
    assert found == RecordError("x", "match", "code", "message \U0001f600", raw)
    assert [type(v) for v in (found.raw or {}).values()] == [type(v) for v in raw.values()]


def test_a_transaction_that_somebody_left_open_stops_no_batch(database: Any, scene: Any, keys: dict[str, Any]) -> None:
    with closing(database.connect()) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM contacts")
        scene.store.commit(scene.context, full(scene, keys), scene.lease)
        other.execute("COMMIT")
    assert scene.read(keys["b"]) is None
