"""Reading for one batch: many keys at once, values typed and compared as the kernel does."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mjcore.ids import new_ids
from mjcore.models import Entity, EntityField
from mjcore.records import LastSeen, RowChange
from mjcore.store import Store

pytestmark = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)

MANY = 40_000
"""More than any database takes as parameters of one statement."""

ALL = Entity(
    "All",
    "all",
    fields=(
        EntityField("Text"), EntityField("Number", "number"), EntityField("Exact", "number", exact=True),
        EntityField("Whole", "number", number="integer"), EntityField("Flag", "boolean"), EntityField("Day", "date"),
        EntityField("At", "datetime"), EntityField("Doc", "json"), EntityField("Ref", "reference", entity="All"),
    ),
)  # fmt: skip
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
ROW = {
    "Text": "a", "Number": Decimal("1.5"), "Exact": Decimal("0.1"), "Whole": 7, "Flag": True, "Day": date(2026, 3, 1), "At": AT,
    "Doc": {"a": 1}, "Ref": "r",
}  # fmt: skip
EQUAL: dict[str, list[Any]] = {
    "Text": ["a"], "Number": [Decimal("1.5"), Decimal("1.50")], "Exact": [Decimal("0.1"), Decimal("0.100")],
    "Whole": [7, Decimal(7)], "Flag": [True], "Day": [date(2026, 3, 1)],
    "At": [AT, AT.astimezone(timezone(timedelta(hours=5)))], "Ref": ["r"],
}  # fmt: skip
OTHER: dict[str, list[Any]] = {
    "Text": ["A", "a ", "", "b"], "Number": [1, Decimal("1.51")], "Exact": [Decimal("0.11"), 1], "Whole": [8], "Flag": [False],
    "Day": [date(2026, 3, 2)], "At": [AT + timedelta(microseconds=1)], "Ref": ["R"],
}  # fmt: skip


@pytest.fixture
def everything(store: Store, stage: Callable[..., Any]) -> Any:
    return stage(store, ALL)


@pytest.mark.parametrize("name", EQUAL)
def test_a_value_finds_its_equals_and_nothing_else(store: Store, everything: Any, name: str) -> None:
    keys = everything.create({"x": ROW, "y": ROW, "null": {}})
    rows, two = store.rows(everything.entity), sorted([keys["x"], keys["y"]])
    for value in EQUAL[name]:
        found = rows.find((name,), [(value,), (None,), *((v,) for v in OTHER[name])])
        assert {k: list(v) for k, v in found.items() if v} == {(value,): two}


def test_several_fields_are_found_together(store: Store, everything: Any) -> None:
    names = tuple(n for n in ROW if n != "Doc")
    keys = everything.create({"x": ROW, "y": {**ROW, "Text": "b"}, "z": {**ROW, "Flag": None}})
    values = tuple(ROW[n] for n in names)
    found = store.rows(everything.entity).find(names, [values, ("b", *values[1:]), (*values[:-1], None), (*values[:-1], "s")])
    assert {k: list(v) for k, v in found.items() if v} == {values: [keys["x"]], ("b", *values[1:]): [keys["y"]]}


def test_found_keys_are_sorted_as_the_kernel_sorts(store: Store, stage: Callable[..., Any]) -> None:
    fields = (EntityField("a"), EntityField("b", "number", number="integer"), EntityField("Name"))
    scene = stage(store, Entity("Sorted", "sorted", ("a", "b"), fields=fields, key_origin="mapped"))
    parts = [
        ("b", 2),
        ("B", 3),
        ("a", 10),
        ("a", 9),
        ("ä", 1),
        ("Z", 1),
        ("_", 1),
        ("", 1),
        ("a b", 1),
        ("\U0001f600", 1),
        ("\uffff", 1),
    ]
    scene.create({str(i): {"a": a, "b": b, "Name": "same"} for i, (a, b) in enumerate(parts)})
    assert list(store.rows(scene.entity).find(("Name",), [("same",)])[("same",)]) == sorted(parts)


def test_nothing_is_found_by_nothing(store: Store, everything: Any) -> None:
    everything.create({"x": ROW})
    rows = store.rows(everything.entity)
    assert not any(rows.find(("Text",), []).values())
    assert not any(rows.find(("Text",), [(None,)]).values())
    assert store.read(everything.entity, [], ("Text",)) == {}
    assert store.linked(everything.entity, []) == {}


def test_a_key_that_is_asked_twice_is_answered_once(store: Store, everything: Any) -> None:
    key = everything.create({"x": ROW})["x"]
    assert list(store.rows(everything.entity).find(("Text",), [("a",), ("a",)])[("a",)]) == [key]
    assert store.read(everything.entity, [key, key], ("Text",)) == {key: {"Text": "a"}}


def test_read_returns_the_fields_that_were_asked_typed(store: Store, everything: Any) -> None:
    key = everything.create({"x": ROW})["x"]
    assert store.read(everything.entity, [key, ("unknown",)], ("Flag", "id", "Doc")) == {
        key: {"Flag": True, "id": key[0], "Doc": {"a": 1}}
    }
    row = store.read(everything.entity, [key], tuple(ROW))[key]
    assert row == ROW
    assert type(row["Flag"]) is bool


def test_a_scan_streams_every_row(store: Store, everything: Any) -> None:
    keys = everything.create({str(i): {**ROW, "Whole": i} for i in range(2500)})
    scanned = dict(store.rows(everything.entity).scan(("Whole", "At", "Doc")))
    assert scanned == {key: (int(i), AT, {"a": 1}) for i, key in keys.items()}


TEXTS = st.text(st.sampled_from("aAbB äÄ\u0308'\"%_\\{}[],;\n\U0001f600"), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(TEXTS | st.none(), st.integers(0, 3) | st.none()), max_size=12), st.data())
def test_look_ups_equal_those_of_python(store: Store, stage: Callable[..., Any], rows: list[tuple[Any, Any]], data: Any) -> None:
    fields = (EntityField("a"), EntityField("b", "number"))
    scene = stage(store, Entity("Equal", "equal", fields=fields))
    ids = new_ids(len(rows))
    scene.commit(
        changes=[RowChange("create", (i,), {}, {"id": i, "a": a, "b": b}, i) for i, (a, b) in zip(ids, rows, strict=True)]
    )
    asked = data.draw(st.lists(st.sampled_from(rows), max_size=5)) if rows else []
    asked += data.draw(st.lists(st.tuples(TEXTS, st.integers(0, 3)), max_size=5))
    found = store.rows(scene.entity).find(("a", "b"), asked)
    mine = set(ids)
    for key in asked:
        expected = [(i,) for i, row in zip(ids, rows, strict=True) if row == key and None not in key]
        assert [k for k in found.get(key, ()) if k[0] in mine] == expected


# --- Many at once ------------------------------------------------------------------------------------


def test_any_number_of_keys_is_looked_up_at_once(store: Store, scene: Any) -> None:
    ids = [f"id {i}" for i in range(MANY)]
    keys = scene.create({i: {"Email": f"{i}@x", "Amount": n} for n, i in enumerate(ids[:100])})
    links = store.links(scene.context, ids)
    assert {i: link.key for i, link in links.items()} == keys
    rows = store.rows(scene.entity)
    assert {k: list(v) for k, v in rows.find(("Email",), [(f"{i}@x",) for i in ids]).items() if v} == {
        (f"{i}@x",): [key] for i, key in keys.items()
    }
    both = [(f"{i}@x", n) for n, i in enumerate(ids)]
    assert {k: list(v) for k, v in rows.find(("Email", "Amount"), both).items() if v} == {
        (f"{i}@x", n): [keys[i]] for n, i in enumerate(ids[:100])
    }
    some = [*keys.values(), *((i,) for i in ids)]
    assert store.read(scene.entity, some, ("Email",)) == {key: {"Email": f"{i}@x"} for i, key in keys.items()}
    assert {k: list(v) for k, v in store.linked(scene.entity, some).items() if v} == {
        key: [(scene.context.entity_map.id, i)] for i, key in keys.items()
    }


def test_any_number_of_rows_is_written_at_once(store: Store, stage: Callable[..., Any]) -> None:
    names = [f"Field {i}" for i in range(60)]
    scene = stage(store, Entity("Wide", "wide", fields=tuple(EntityField(n) for n in names)))
    keys = scene.create({str(i): dict.fromkeys(names, str(i)) for i in range(2000)}, seen=[str(i) for i in range(MANY)])
    assert scene.read(keys["1999"])[names[-1]] == "1999"
    old, new = dict.fromkeys(names, "0"), dict.fromkeys(names, "new")
    changes = [RowChange("update", key, dict.fromkeys(old, i), new, i) for i, key in sorted(keys.items(), key=lambda p: p[1])]
    scene.commit(changes=changes, cleared=[str(i) for i in range(MANY)], unstaged=[str(i) for i in range(MANY)])
    assert scene.read(keys["1999"])[names[-1]] == "new"


LAST = st.builds(
    LastSeen, st.sampled_from([b"0" * 16, b"1" * 16]), st.sampled_from([None, AT, AT + timedelta(microseconds=1)]), st.booleans()
)
IDS = st.sampled_from(["a", "b", "A", "b'", "é"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(known=st.dictionaries(IDS, LAST), asked=st.dictionaries(IDS, LAST))
def test_a_link_knows_its_last_delivery_and_nothing_else_equals_it(store: Store, scene: Any, known: Any, asked: Any) -> None:
    scene.commit(unlinked=["a", "b", "A", "b'", "é"])
    links = [
        evolve(scene.link(i, ("k",)), content_hash=o.content_hash, source_modified_at=o.modified_at, is_tombstone=o.is_tombstone)
        for i, o in known.items()
    ]
    scene.commit(links=links)
    assert store.last_seen(scene.context, ["a", "b", "A", "b'", "é", "?"]) == known
    assert list(store.differing(scene.context, asked)) == [i for i, one in asked.items() if known.get(i) != one]


def test_many_deliveries_are_compared_at_once(store: Store, scene: Any) -> None:
    ids = [f"{i}" for i in range(7_001)]
    scene.commit(links=[scene.link(i, ("k",)) for i in ids])
    same, other = LastSeen(b"0123456789abcdef", None, False), LastSeen(b"0123456789abcdee", None, False)
    asked = {i: other if i in ("0", "6001", "7000") else same for i in ids}
    assert list(store.differing(scene.context, {**asked, "new": same})) == ["0", "6001", "7000", "new"]
