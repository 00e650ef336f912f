"""Tables that the store makes: any name, any type, any key; extended later, with indexes."""

from collections.abc import Callable
from secrets import token_hex
from threading import Thread
from typing import Any, get_args

import pytest
from attrs import evolve

from mjcore.errors import RowRefused
from mjcore.models import Entity, EntityField
from mjcore.schema import FieldType
from mjcore.store import Store

NAMES = [
    "order", "Select", "MixedCase", 'say "hi"', "it's", "Grüße 東京 \U0001f600", "per%cent %s %(x)s", "a:b :c", "semi;colon",
    "{brace}", "what?", "back\\slash", "[square]", " space ", "`tick`", "--", "$1", "1st",
]  # fmt: skip


# --- migrate -----------------------------------------------------------------------------------------


def test_migrating_twice_changes_nothing(empty: Any) -> None:
    store = empty.open()
    store.migrate()
    before = empty.dump()
    assert {name for name in before if name.startswith("mj_")} >= {
        "mj_alembic_version", "mj_company", "mj_entity", "mj_integration_provider", "mj_company_integration",
        "mj_integration_entity_map", "mj_integration_field_map", "mj_integration_sync_watermark", "mj_integration_run",
        "mj_integration_run_detail", "mj_record_link", "mj_record_change", "mj_failed_record", "mj_conflict", "mj_lease",
        "mj_map_version", "mj_seen",
    }  # fmt: skip
    store.migrate()
    empty.open().migrate()
    assert empty.dump() == before


def test_migrating_leaves_tables_of_others_alone(empty: Any) -> None:
    empty.execute("CREATE TABLE company (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO company VALUES (1, 'Acme')")
    empty.open().migrate()
    assert empty.execute("SELECT * FROM company") == [(1, "Acme")]


def test_workers_that_start_together_may_all_migrate(empty: Any) -> None:
    stores, failed = [empty.open() for _ in range(4)], []

    def migrate(store: Store) -> None:
        try:
            store.migrate()
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    threads = [Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(empty.execute("SELECT * FROM mj_alembic_version")) == 1


# --- create, extend ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do_for_a_table_and_its_columns(store: Store, stage: Callable[..., Any], name: str) -> None:
    entity = Entity(
        "Odd", name, (name,), fields=(EntityField(name), EntityField(f"{name}2"), EntityField("end")), key_origin="mapped"
    )
    scene = stage(store, entity)
    store.ensure(scene.entity, [(f"{name}2", "end")])
    assert store.is_indexed(scene.entity, (f"{name}2", "end"))
    assert list(store.ddl(scene.entity, [(f"{name}2", "end")])) == []
    keys = scene.create({"a": {name: "k'1\"%s", f"{name}2": "b", "end": None}})
    assert keys == {"a": ("k'1\"%s",)}
    assert scene.read(keys["a"]) == {name: "k'1\"%s", f"{name}2": "b", "end": None}
    assert store.rows(scene.entity).find((f"{name}2", name), [("b", "k'1\"%s")]) == {("b", "k'1\"%s"): [keys["a"]]}
    assert [f.name for f in store.reflect(scene.entity).fields] == [name, f"{name}2", "end"]


@pytest.mark.parametrize("type_", get_args(FieldType))
def test_every_type_has_a_column_that_reflects_as_its_own_family(store: Store, type_: FieldType) -> None:
    entity = Entity("All", "all", fields=(EntityField("Value", type_, is_required=True), EntityField("Other", type_)))
    store.ensure(entity)
    assert list(store.ddl(entity)) == []
    reflected = store.reflect(entity)
    assert reflected.primary_key == ("id",)
    assert reflected.origin == "Adopted"
    value, other = reflected.field("Value"), reflected.field("Other")
    assert value is not None
    assert other is not None
    family = {"currency": "number", "percent": "number", "number": "number"}
    exact = type_ in ("boolean", "date", "datetime", "json")
    assert family.get(value.type, value.type if exact else "text") == family.get(type_, type_ if exact else "text")
    assert (value.is_required, other.is_required) == (True, False)


def test_limits_of_a_created_column_are_in_the_table(store: Store) -> None:
    fields = (EntityField("Code", max_length=7, is_required=True, is_unique=True), EntityField("Free"))
    store.ensure(Entity("Codes", "codes", fields=fields))
    reflected = store.reflect(Entity("Codes", "codes"))
    code, free = reflected.field("Code"), reflected.field("Free")
    assert code is not None
    assert free is not None
    assert (code.max_length, code.is_required, code.is_unique) == (7, True, True)
    assert (free.max_length, free.is_required, free.is_unique) == (None, False, False)
    assert store.is_indexed(Entity("Codes", "codes", fields=fields), ("Code",))


@pytest.mark.parametrize("origin", ["uuid", "database", "mapped"])
def test_keys_come_from_whoever_makes_them(store: Store, stage: Callable[..., Any], origin: Any) -> None:
    fields = (EntityField("id"),) if origin == "mapped" else ()
    scene = stage(store, Entity("Made", "made", fields=(*fields, EntityField("Name")), key_origin=origin))
    own = {"id": "k"} if origin == "mapped" else {}
    (key,) = scene.create({"x": {"Name": "a", **own}}).values()
    assert scene.read(key) == {"id": key[0], "Name": "a"}
    (later,) = scene.create({"y": {"Name": "b", **({"id": "l"} if own else {})}}).values()
    assert key < later
    reflected = store.reflect(scene.entity)
    assert reflected.key_origin == ("database" if origin == "database" else "mapped")


def test_a_key_of_several_columns(store: Store, stage: Callable[..., Any]) -> None:
    fields = (EntityField("No", "number", number="integer"), EntityField("Region"), EntityField("Name"))
    scene = stage(store, Entity("Sites", "sites", ("Region", "No"), fields=fields, key_origin="mapped"))
    keys = scene.create({"a": {"No": 2, "Region": "x", "Name": "A"}, "b": {"No": 10, "Region": "x", "Name": None}})
    assert keys == {"a": ("x", 2), "b": ("x", 10)}
    assert scene.read(("x", 10)) == {"No": 10, "Region": "x", "Name": None}
    assert scene.read(("y", 10)) is None
    assert store.reflect(scene.entity).primary_key == ("Region", "No")
    assert store.is_indexed(scene.entity, ("Region", "No"))


def test_a_table_is_extended_by_the_fields_it_lacks(store: Store, scene: Any) -> None:
    (key,) = scene.create({"x": {"Email": "a@x", "Name": "A", "Amount": 1}}).values()
    more = tuple(EntityField(f"New {t}", t) for t in get_args(FieldType))
    larger = evolve(scene.entity, fields=(*scene.entity.fields, *more))
    assert len(store.ddl(larger)) > 0
    assert store.reflect(larger).field("New json") is None, "ddl only tells"
    store.ensure(larger)
    assert list(store.ddl(larger)) == []
    names = tuple(f.name for f in larger.fields)
    row = {"Email": "a@x", "Name": "A", "Amount": 1, **{f.name: None for f in more}}
    assert store.read(larger, [key], names) == {key: row}


def test_statements_that_ddl_tells_do_what_ensure_does(database: Any, store: Store) -> None:
    entity = Entity(
        "Told", 'to"ld', fields=(EntityField("A.B:C", max_length=5), EntityField("%", "json"), EntityField("N", "number"))
    )
    larger, indexes = evolve(entity, fields=(*entity.fields, EntityField("At", "datetime"))), [("A.B:C", "N"), ("N",)]
    for wanted, keys in ((entity, ()), (larger, ()), (larger, indexes)):
        statements = store.ddl(wanted, keys)
        assert statements
        database.execute(*statements)
        assert list(store.ddl(wanted, keys)) == []
    assert all(store.is_indexed(larger, key) for key in indexes)


# --- indexes -----------------------------------------------------------------------------------------


def test_indexes_are_made_once_and_known(store: Store, scene: Any) -> None:
    entity = scene.entity
    assert not store.is_indexed(entity, ("Email",))
    assert not store.is_indexed(entity, ("Email", "Name"))
    store.ensure(entity, [("Email", "Name")])
    assert store.is_indexed(entity, ("Email", "Name"))
    assert store.is_indexed(entity, ("Email",)), "the first columns of an index serve too"
    assert not store.is_indexed(entity, ("Name",))
    assert store.is_indexed(entity, ("id",))
    store.ensure(entity, [("Email", "Name")])
    assert list(store.ddl(entity, [("Email", "Name")])) == []
    assert len(store.ddl(entity, [("Email", "Name"), ("Name",)])) == 1


def test_long_names_do_not_collide_in_the_names_of_indexes(store: Store) -> None:
    fields = tuple(EntityField("x" * 50 + end) for end in "abc")
    entity = Entity("Long", "y" * 60, fields=fields)
    indexes = [(f.name,) for f in fields]
    store.ensure(entity, indexes)
    assert list(store.ddl(entity, indexes)) == []
    assert all(store.is_indexed(entity, key) for key in indexes)


def test_text_too_long_for_an_index_is_the_fault_of_its_record_alone(database: Any, store: Store, scene: Any) -> None:
    """PostgreSQL refuses an index entry above a third of a page; half of the batch must be able to go on."""
    store.ensure(scene.entity, [("Name",)])
    text = token_hex(10_000)
    if database.kind == "postgresql":
        with pytest.raises(RowRefused) as refused:
            scene.create({"x": {"Name": text}})
        assert refused.value.refused.keys() == {"x"}
    else:
        (key,) = scene.create({"x": {"Name": text}}).values()
        assert store.rows(scene.entity).find(("Name",), [(text,)]) == {(text,): [key]}


def test_ensuring_a_table_by_two_stores_at_once(database: Any) -> None:
    entity = Entity("Race", "race", fields=(EntityField("Name"),))
    failed: list[Exception] = []

    def ensure(store: Store) -> None:
        try:
            store.ensure(entity, [("Name",)])
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    threads = [Thread(target=ensure, args=(database.open(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert list(database.open().ddl(entity, [("Name",)])) == []
