"""Identity: which row a record is, told by a second, plain implementation; no row twice, no reference wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjcore.records import ExternalRecord

START = datetime(2026, 1, 1, tzinfo=UTC)
BEYOND_OVERLAP = timedelta(hours=1)
KEYS = st.sampled_from(["a", "b", "", " ", None])


def metadata(document: Callable[..., Any], handling: str = "Fail", fallback: str = "CreateNew", *key: str) -> Any:
    strategy = {
        "Strategy": "Composite" if len(key) > 1 else "KeyFields",
        "KeyFields": list(key),
        "DuplicateHandling": handling,
        "FallbackStrategy": fallback,
    }
    return document("Email", "Phone", "Name", MatchStrategy=strategy)


@pytest.mark.parametrize("fallback", ["CreateNew", "Skip", "Fail"])
@pytest.mark.parametrize("handling", ["Fail", "UseFirst", "Review"])
def test_a_record_is_its_link_else_its_match_else_the_fallback(
    prove: Any, scenes: Any, document: Callable[..., Any], handling: str, fallback: str
) -> None:
    """Rows of people and records of the source, in any number and with any keys, blank ones too; one by one."""

    @given(st.lists(KEYS, max_size=4), st.lists(KEYS, min_size=1, max_size=4))
    def check(mine: Any, theirs: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document, handling, fallback, "Email"), world) as scene:
            rows = {f"k{i}": key for i, key in enumerate(mine)}
            for key, email in rows.items():
                scene.insert(key, Email=email)
            taken: set[str] = set()
            for i, email in enumerate(theirs):
                world.put(f"{i}", email=email, name=f"N{i}")
                world.now += BEYOND_OVERLAP
                counts = scene.settle().counts
                kind = decided(rows, taken, email, handling, fallback)
                now = dict(scene.rows("id", "Email"))
                if kind == "created":
                    (new,) = now.keys() - rows.keys()
                    rows[new] = email
                    taken.add(new)
                elif kind not in ("errored", "skipped", "conflicted"):
                    taken.add(kind)
                    assert scene.linked("id")[f"{i}"] == (kind,)
                    kind = "updated"
                assert now == rows
                assert getattr(counts, kind) == 1, (kind, counts)

    prove(check, examples=5)


def decided(rows: Any, taken: Any, email: Any, handling: str, fallback: str) -> str:
    """Return the key of the row that a record is, or what becomes of it without one."""
    found = sorted(key for key, known in rows.items() if known == email and (email or "").strip())
    free = [key for key in found if key not in taken]
    if not found:
        return {"CreateNew": "created", "Skip": "skipped", "Fail": "errored"}[fallback]
    if len(found) == 1 and free:
        return str(found[0])
    if handling == "UseFirst" and free:
        return str(free[0])
    return "conflicted" if handling == "Review" else "errored"


def test_a_partly_blank_composite_key_matches_nothing(prove: Any, scenes: Any, document: Callable[..., Any]) -> None:
    @given(KEYS, KEYS)
    def check(email: Any, phone: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document, "Fail", "CreateNew", "Email", "Phone"), world) as scene:
            scene.insert("mine", Email=email, Phone=phone)
            world.put("1", email=email, phone=phone, name="New")
            counts = scene.settle().counts
            is_whole = all((part or "").strip() for part in (email, phone))
            assert (counts.updated, counts.created) == ((1, 0) if is_whole else (0, 1))

    prove(check, examples=8)


def test_records_that_share_a_key_within_and_across_pages_and_runs_fill_one_row_each_or_fail(
    prove: Any, scenes: Any, document: Callable[..., Any]
) -> None:
    """Whatever comes first has the row; the other is in the ledger, and does not overwrite it for ever."""

    @given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.integers(1, 8))
    def check(emails: Any, page: int) -> None:
        world = scenes.world(page=page)
        with scenes.open(metadata(document, "Fail", "CreateNew", "Email"), world) as scene:
            for i, email in enumerate(emails):
                world.put(f"{i}", email=email, name=f"N{i}")
            for _ in range(2):
                scene.settle(full=True)
                first = {email: f"{emails.index(email)}" for email in set(emails)}
                assert scene.linked("Email", "Name") == {i: (email, f"N{i}") for email, i in first.items()}
                others = [f"{i}" for i in range(len(emails)) if f"{i}" not in first.values()]
                assert scene.ledger() == [(i, "match", "ambiguous_match") for i in others]
                assert len(scene.rows("Email")) == len(first)

    prove(check, examples=10)


def test_of_one_record_in_many_deliveries_the_newest_counts(prove: Any, scenes: Any, document: Callable[..., Any]) -> None:
    """Within a batch the others are Skipped; what is older than what was seen last is Skipped, too."""

    @given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=3))
    def check(batches: Any) -> None:
        world = scenes.world(page=50)
        with scenes.open(document("Name"), world) as scene:
            newest = -1
            for minutes in batches:
                world.now += BEYOND_OVERLAP
                world.told = [ExternalRecord("1", {"name": f"N{m}"}, START + timedelta(minutes=m)) for m in minutes]
                counts = scene.settle().counts
                assert counts.processed == len(minutes)
                assert counts.skipped == len(minutes) - (max(minutes) >= newest)
                newest = max(newest, *minutes)
                assert scene.rows("Name") == [(f"N{newest}",)]

    prove(check, examples=10)


OBJECTS = ("people", "firms")


def references(name: str, other: str, priority: int) -> Any:
    field_maps = [{"SourceFieldName": n.lower(), "DestinationFieldName": n} for n in ("Name", "Other")]
    return (
        {
            "Name": name,
            "Table": name.lower(),
            "Fields": [{"Name": "Name"}, {"Name": "Other", "Type": "reference", "Entity": other}],
        },
        {"ExternalObjectName": name.lower(), "Entity": name, "Priority": priority, "FieldMaps": field_maps},
    )


def test_references_lead_to_the_rows_of_their_records_whenever_those_come(prove: Any, scenes: Any, histories: Any) -> None:
    """People and firms that point at each other, in any order, cycles and records that come later included."""
    entities, maps = zip(references("People", "Firms", 1), references("Firms", "People", 2), strict=True)
    made = {
        "Companies": [{"Name": "Acme"}],
        "Entities": entities,
        "Connections": [{"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": maps}],
    }
    puts = st.tuples(st.sampled_from(OBJECTS), st.sampled_from("123"), st.sampled_from(["1", "2", "3", None]))

    @given(st.lists(st.lists(puts, max_size=4), min_size=1, max_size=3))
    def check(runs: Any) -> None:
        world = scenes.world(objects_={name: {} for name in OBJECTS})
        with scenes.open(made, world) as scene:
            for puts in runs:
                for of, id_, other in puts:
                    world.put(id_, of, name=f"{of} {id_}", other=other)
                scene.settle()
                held = {of: scene.linked("id", "Name", "Other", of=of) for of in OBJECTS}
                keys = {of: {id_: key for id_, (key, *_) in rows.items()} for of, rows in held.items()}
                for of, to in (OBJECTS, OBJECTS[::-1]):
                    for id_, values in world.live(of).items():
                        assert held[of][id_][1] == values["name"]
                        wanted = keys[to].get(values["other"])
                        if wanted or values["other"] is None:
                            assert held[of][id_][2] == wanted

    prove(check, examples=10)
