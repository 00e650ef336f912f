"""Values: what a field holds after any sequence of deliveries, told by a second, plain implementation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

ABSENT = "absent"
FIELDS = [
    {"Name": "Plain"},
    {"Name": "Filled"},
    {"Name": "Needed"},
    {"Name": "Kept"},
]


def metadata(document: Callable[..., Any], **entity_map: Any) -> Any:
    made = document(fields=FIELDS, **entity_map)
    maps = made["Connections"][0]["EntityMaps"][0]["FieldMaps"]
    maps[1]["DefaultValue"] = "none"
    maps[2]["IsRequired"] = True
    maps[3]["Direction"] = "DestToSource"
    return made


SENT = st.fixed_dictionaries(
    {name: st.sampled_from([ABSENT, None, "", "a", "b"]) for name in ("plain", "filled", "needed", "kept")}
)


def test_absent_leaves_alone_null_writes_null_defaults_fill_and_required_refuses(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    """A history of one record, delivery by delivery: the row, and whether the delivery failed."""

    @given(st.lists(SENT, min_size=1, max_size=5))
    def check(deliveries: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document), world) as scene:
            row: dict[str, Any] | None = None
            for delivery in deliveries:
                sent = {name: value for name, value in delivery.items() if value != ABSENT}
                world.put("1", whole=True, **sent)
                result = scene.settle()
                after = expected(row, sent)
                assert result.counts.errored == (after is None)
                row = after if after is not None else row
                held = scene.linked("Plain", "Filled", "Needed", "Kept")
                assert held == ({"1": (row["plain"], row["filled"], row["needed"], None)} if row else {})
            assert result.counts.processed == 1

    prove(check)


def expected(row: dict[str, Any] | None, sent: dict[str, Any]) -> dict[str, Any] | None:
    """Return the row after a delivery; None where it is refused."""
    after = dict(row or {"plain": None, "filled": None, "needed": None})
    after |= {name: value for name, value in sent.items() if name != "kept"}
    if sent.get("filled", ABSENT) is None:
        after["filled"] = "none"
    return None if after["needed"] is None else after


def test_of_two_maps_into_one_field_the_higher_priority_number_wins_where_it_was_sent(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    made = document("Name")
    entity_map = made["Connections"][0]["EntityMaps"][0]
    entity_map["FieldMaps"] = [
        {"SourceFieldName": "second", "DestinationFieldName": "Name", "Priority": 2},
        {"SourceFieldName": "first", "DestinationFieldName": "Name", "Priority": 1},
    ]

    @given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(["first", "second"], st.sampled_from("abc"))), max_size=4))
    def check(deliveries: Any) -> None:
        world = scenes.world()
        with scenes.open(made, world) as scene:
            name = None
            for sent in deliveries:
                world.put("1", whole=True, **sent)
                scene.settle()
                name = sent.get("second", sent.get("first", name))
                assert scene.rows("Name") == [(name,)]

    prove(check, examples=15)


KOLKATA = timezone(timedelta(hours=5, minutes=30))
SAME: dict[str, list[Any]] = {
    "number": ["1.50", 1.5, Decimal("1.5"), "1.5", "15e-1"],
    "boolean": [True, "true"],
    "datetime": [
        "2026-01-31T10:00:00Z",
        "2026-01-31T15:30:00+05:30",
        "2026-01-31 10:00:00.000000+0000",
        datetime(2026, 1, 31, 10, tzinfo=UTC),
        datetime(2026, 1, 31, 15, 30, tzinfo=KOLKATA),
    ],
    "json": [{"a": 1, "b": [True, None]}, {"b": [True, None], "a": 1}],
}
DIFFERENT: dict[str, list[Any]] = {
    "string": ["a", "A", " a", "a ", "", None, "á", "a\u0301"],
    "number": [0, "0.1", "-1", None],
    "boolean": [True, False, None],
    "json": [{"a": 1}, {"a": True}, {"a": "1"}, {"a": None}, {}, [], None],
    "datetime": ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000001Z", None],
}


def test_what_is_equal_in_its_column_is_not_written_and_what_is_not_is(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    """Numbers as numbers, instants as instants, JSON by structure; no trimming, no folding, null equals only null."""
    made = document(fields=[{"Name": kind.title(), "Type": kind} for kind in ("string", "number", "boolean", "datetime", "json")])
    equal = st.sampled_from(sorted(SAME)).flatmap(lambda k: st.tuples(st.just(k), *[st.sampled_from(SAME[k])] * 2, st.just(True)))
    unequal = st.sampled_from(sorted(DIFFERENT)).flatmap(
        lambda k: st.permutations(DIFFERENT[k]).map(lambda some: (k, some[0], some[1], False))
    )

    @given(st.one_of(equal, unequal))
    def check(case: Any) -> None:
        kind, first, second, is_equal = case
        world = scenes.world()
        with scenes.open(made, world) as scene:
            world.put("1", **{kind: first})
            scene.settle()
            world.put("1", **{kind: second})
            counts = scene.settle().counts
            assert (counts.updated, counts.unchanged) == ((0, 1) if is_equal else (1, 0))
            (changes,) = scene.database.execute("SELECT count(*) FROM mj_record_change")
            assert changes == (1 if is_equal else 2,)

    prove(check, examples=20)


def test_a_value_that_would_be_cut_or_rounded_fails_with_its_column(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    """What is written is read back as what was sent; the rest is in the ledger, with the name of the column."""
    made = document(
        fields=[{"Name": "Text", "MaxLength": 3}, {"Name": "Day", "Type": "date"}, {"Name": "Number", "Type": "number"}]
    )
    texts = st.text(st.sampled_from("aé\U0001f600 "), max_size=5)
    days = st.sampled_from(["2026-02-28", "2026-02-29", "28.2.2026", "2026-02-28T00:00:00Z"])
    numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**17), max_value=10**17)

    @given(st.one_of(st.tuples(st.just("Text"), texts), st.tuples(st.just("Day"), days), st.tuples(st.just("Number"), numbers)))
    def check(case: Any) -> None:
        column, value = case
        world = scenes.world()
        with scenes.open(made, world) as scene:
            world.put("1", **{column.lower(): value})
            scene.settle()
            entity = scene.kernel.connections("Acme")[0].entity_maps[0].entity
            held = [found for _, (found,) in scene.kernel.store.rows(entity).scan((column,))]
            failed = scene.database.execute("SELECT code, message FROM mj_failed_record")
            fits = {"Text": len(str(value)) <= 3, "Day": value == "2026-02-28"}
            if not failed:
                assert fits.get(column, True)
                assert held == [value] or (column == "Day" and [str(day) for day in held] == [value])
            else:
                assert held == []
                assert not fits.get(column)
                assert failed[0][0] == "does_not_fit"
                assert failed[0][1].startswith(f"{column}: ")

    prove(check, examples=20)
