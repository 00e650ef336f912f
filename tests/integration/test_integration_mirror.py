"""A first pull is complete, a second one writes nothing, and edits change what they must and nothing else."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mjcore.records import Counts

CONTACTS = 3000
MAPS = {"companies": 300, "contacts": CONTACTS, "deals": 300}


def test_a_first_pull_equals_the_source(scene: Callable[..., Any], once: Callable[..., None]) -> None:
    began = datetime.now(UTC)
    acme = scene(contacts=CONTACTS)
    result = acme.sync()
    assert (result.status, result.error) == ("Completed", None)
    assert {m.external_object_name: m.counts for m in result.maps} == {
        name: Counts(processed=count, created=count) for name, count in MAPS.items()
    }
    assert [m.notes for m in result.maps] == [(), (), ()]
    acme.check_mirror()
    once(acme.database)
    audit = acme.database.query("SELECT kind, run_id, count(*) AS n FROM mj_record_change GROUP BY kind, run_id")
    assert audit == [{"kind": "create", "run_id": result.run_id, "n": sum(MAPS.values())}]
    for value in acme.database.watermarks().values():
        assert began - timedelta(seconds=2) < datetime.fromisoformat(value) < datetime.now(UTC) + timedelta(seconds=2)
    (run,) = acme.kernel.runs(result.connection)
    assert (run.id, run.status, run.total_records_created) == (result.run_id, "Completed", sum(MAPS.values()))


def test_later_pulls_of_an_unchanged_source_write_nothing(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=CONTACTS)
    acme.pull()
    acme.database.watch()
    before, marks = acme.database.dump(), acme.database.watermarks()
    time.sleep(1.1)  # the source tells its time to the second, and two pulls may fall into one
    assert set(acme.pull().values()) == {Counts()}
    later = acme.database.watermarks()
    assert all(later[name] > marks[name] for name in marks)
    unchanged = {name: Counts(processed=count, unchanged=count) for name, count in MAPS.items()}
    assert acme.pull(full=True) == unchanged
    marks = acme.database.watermarks()
    assert acme.pull(since=datetime(2023, 1, 1, tzinfo=UTC)) == unchanged
    assert acme.database.watermarks() == marks, "a window that was asked for leaves the watermark alone"
    assert not acme.database.touched()
    assert acme.database.dump() == before


def test_edits_of_one_percent_update_just_those(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=CONTACTS)
    acme.pull()
    acme.database.watch()
    before, links = acme.database.rows("contacts"), acme.database.links("contacts")
    edited = acme.account.control("edit", count=CONTACTS // 100)
    counts = acme.pull()
    assert counts == {"companies": Counts(), "deals": Counts(), "contacts": Counts(processed=30, updated=30)}
    acme.check_mirror()
    after = acme.database.rows("contacts")
    assert {i for i in links if before[links[i]["record_key"]] != after[links[i]["record_key"]]} == set(edited)
    expected = {("contacts", "UPDATE"): 30, ("mj_record_link", "UPDATE"): 30, ("mj_record_change", "INSERT"): 30}
    assert acme.database.touched() == expected
    changes = acme.database.query("SELECT external_id, new FROM mj_record_change WHERE kind = 'update'")
    assert {change["external_id"] for change in changes} == set(edited)
    assert all(change["new"].startswith('{"JobTitle":') and '","' not in change["new"] for change in changes)
    assert acme.pull()["contacts"] == Counts(processed=30, unchanged=30), "the overlap delivers them again"
    assert not acme.database.touched()


def test_every_kind_of_edit_arrives(scene: Callable[..., Any], once: Callable[..., None]) -> None:
    acme = scene(contacts=500)
    acme.pull()
    contacts, companies, deals = (acme.account.ids(name) for name in ("contacts", "companies", "deals"))
    edits: list[tuple[str, list[str], dict[str, Any]]] = [
        ("contacts", contacts[:3], {"phone": None, "firstname": None}),
        ("contacts", contacts[2:5], {"lifecyclestage": "other", "lastname": "  O’Néill\t& 李 'x' %s \"; DROP "}),
        ("contacts", [contacts[5]], {"email": "Someone.Else@Example.Org"}),
        ("contacts", [contacts[6]], {"email": None, "phone": "(202) 555-0199"}),
        ("contacts", [contacts[7]], {"associatedcompanyid": companies[-1]}),
        ("contacts", [contacts[8]], {"associatedcompanyid": None}),
        ("companies", companies[:2], {"annualrevenue": "12345678901.25", "numberofemployees": None}),
        ("companies", [companies[3]], {"name": " Two   words \n more ", "industry": "RETAIL"}),
        ("deals", deals[:2], {"amount": "0", "closedate": None}),
        ("deals", [deals[3]], {"amount": "-99999999.99", "closedate": "2026-03-08T04:59:59.999Z", "dealstage": "closedlost"}),
    ]
    for name, ids, properties in edits:
        acme.account.control("edit", object=name, ids=[int(i) for i in ids], properties=properties)
    made = acme.account.control("create", records=[{"email": "new@example.org", "lastname": "New"}, {"lastname": "No mail"}])
    counts = acme.pull()
    touched = {name: {i for other, ids, _ in edits for i in ids if other == name} for name, _, _ in edits}
    assert counts["contacts"] == Counts(processed=11, created=2, updated=9)
    assert len(touched["contacts"]) + len(made) == 11
    assert {name: counts[name].updated for name in ("companies", "deals")} == {"companies": 3, "deals": 3}
    acme.check_mirror()
    once(acme.database)


def test_many_new_records_arrive(scene: Callable[..., Any], once: Callable[..., None]) -> None:
    acme = scene(contacts=120)
    acme.pull()
    made = [{"email": f"new{n}@example.org", "lastname": "New", "phone": f"202-555-{n:04}"} for n in range(350)]
    acme.account.control("create", records=made)
    assert acme.pull()["contacts"] == Counts(processed=350, created=350)
    acme.check_mirror()
    assert acme.pull(full=True)["contacts"] == Counts(processed=470, unchanged=470)
    once(acme.database)


def test_records_that_cannot_be_told_apart_are_kept_aside_until_they_can(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=1000, duplicates=0.03)
    result = acme.sync()
    assert result.status == "Completed"
    counts = {m.external_object_name: m.counts for m in result.maps}
    assert counts["contacts"].errored > 5
    for name, done in counts.items():
        assert done.processed == MAPS[name] // 3 if name != "contacts" else 1000
        assert done.created == len(acme.database.links(name))
    failed = acme.database.query("SELECT external_id, code FROM mj_failed_record")
    assert len(failed) == result.counts.errored
    assert {record["code"] for record in failed} == {"ambiguous_match"}
    for record in failed:
        is_contact = record["external_id"] in set(acme.account.ids("contacts"))
        key, value = (
            ("email", f"c{record['external_id']}@example.org") if is_contact else ("domain", f"{record['external_id']}.test")
        )
        name = "contacts" if is_contact else "companies"
        acme.account.control("edit", object=name, ids=[int(record["external_id"])], properties={key: value})
    again = acme.pull()
    assert sum(done.created for done in again.values()) == len(failed)
    assert acme.database.query("SELECT * FROM mj_failed_record") == []
    acme.check_mirror()
