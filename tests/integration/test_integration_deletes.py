"""What the source archives, merges, erases and brings back, by each policy."""

from collections.abc import Callable
from typing import Any

import pytest

from mjcore.records import Counts

POLICIES = ("SoftDelete", "HardDelete", "DoNothing")


def deleting(policy: str) -> Callable[[Any], None]:
    """Return the change of the metadata that sets the policy of every map."""

    def change(document: Any) -> None:
        for entity_map in document["Connections"][0]["EntityMaps"]:
            entity_map["DeleteBehavior"] = policy

    return change


def gone(policy: str, count: int) -> Counts:
    """Return the counts of so many records that the source no longer has."""
    acted = {"skipped": count} if policy == "DoNothing" else {"deleted": count}
    return Counts(processed=count, **acted)


def every(ids: list[str], step: int) -> list[int]:
    return [int(i) for i in ids[::step]]


@pytest.mark.parametrize("policy", POLICIES)
def test_archived_records_follow_the_policy_and_returning_ones_are_revived(
    scene: Callable[..., Any], once: Callable[..., None], policy: str
) -> None:
    acme = scene(deleting(policy), contacts=1000)
    acme.pull()
    database, account = acme.database, acme.account
    database.watch()
    before = {name: database.rows(name) for name in ("contacts", "companies", "deals")}
    links = database.links("contacts")
    archived = every(account.ids("contacts"), 50)
    account.control("archive", ids=archived)
    account.control("archive", object="deals", ids=every(account.ids("deals"), 20))
    account.control("archive", object="companies", ids=every(account.ids("companies")[2:], 25))
    counts = acme.pull()
    assert counts == {"contacts": gone(policy, 20), "deals": gone(policy, 5), "companies": gone(policy, 4)}
    acme.check_mirror(policy)
    touched = database.touched()
    kind = {"SoftDelete": "UPDATE", "HardDelete": "DELETE", "DoNothing": "NONE"}[policy]
    assert {name: n for (name, what), n in touched.items() if what == kind and name in before} == (
        {"contacts": 20, "deals": 5, "companies": 4} if policy != "DoNothing" else {}
    )
    acting = {link["record_key"] for i, link in links.items() if int(i) in set(archived)}
    after = database.rows("contacts")
    assert {key: row for key, row in after.items() if key not in acting} == {
        key: row for key, row in before["contacts"].items() if key not in acting
    }
    database.touched()
    assert acme.pull()["contacts"] == Counts(processed=20, skipped=20), "the overlap reports them again"
    assert not database.touched()

    account.restore([str(i) for i in archived[:10]])
    counts = acme.pull()["contacts"]
    assert (counts.processed, counts.skipped) == (20, 10)
    assert (counts.updated, counts.created, counts.unchanged) == {
        "SoftDelete": (10, 0, 0), "HardDelete": (0, 10, 0), "DoNothing": (0, 0, 10)
    }[policy]  # fmt: skip
    acme.check_mirror(policy)
    revived = database.links("contacts")
    if policy != "HardDelete":
        assert {i: link["record_key"] for i, link in revived.items()} == {i: link["record_key"] for i, link in links.items()}
        once(database)
    account.control("archive", ids=archived[:5])
    assert acme.pull()["contacts"] == Counts(processed=10, skipped=10) + gone(policy, 5) + Counts(processed=5, unchanged=5)
    acme.check_mirror(policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_full_read_finds_what_no_delete_told_of(scene: Callable[..., Any], policy: str) -> None:
    acme = scene(deleting(policy), contacts=1000)
    acme.pull()
    ids = acme.account.ids("contacts")
    for i in ids[10:15]:
        acme.account.call("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": i})
    assert acme.pull()["contacts"] == Counts(), "nothing tells of an erased record"
    acme.account.control("archive", ids=every(ids[20:], 98))
    result = acme.sync(full=True)
    assert result.status == "Completed"
    assert {m.external_object_name: m.counts.unchanged for m in result.maps} == {"companies": 100, "contacts": 985, "deals": 100}
    acme.check_mirror(policy)
    (notes,) = [m.notes for m in result.maps if m.external_object_name == "contacts"]
    assert notes == ("15 records that the source no longer has were dealt with",)
    acme.database.watch()
    acme.pull(full=True)
    assert not acme.database.touched()


@pytest.mark.parametrize("policy", POLICIES)
def test_merged_contacts_leave_the_survivor(scene: Callable[..., Any], once: Callable[..., None], policy: str) -> None:
    acme = scene(deleting(policy), contacts=1000)
    acme.pull()
    ids = acme.account.ids("contacts")
    for winner, loser in zip(ids[100:110], ids[200:210], strict=True):
        acme.account.control("merge", winner=int(winner), loser=int(loser))
    counts = acme.pull()["contacts"]
    assert counts.updated + counts.unchanged == 10, "the survivors"
    assert (counts.deleted, counts.skipped) == ((0, 10) if policy == "DoNothing" else (10, 0))
    acme.check_mirror(policy)
    once(acme.database)
    acme.database.watch()
    acme.pull()
    acme.pull(full=True)
    assert not acme.database.touched()
    acme.check_mirror(policy)


def test_a_merge_is_no_difference_to_what_the_source_announced(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=100)
    first, second = map(int, acme.account.ids("contacts")[:2])
    acme.account.control("merge", winner=second, loser=first)
    for _ in range(2):
        assert [m.notes for m in acme.sync(full=True).maps] == [(), (), ()]
    assert [c.processed for c in acme.pull(full=True).values()] == [10, 100, 10], "99 live records and one that was merged"


def test_a_chain_of_merges_leaves_its_last_survivor(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=100)
    acme.pull()
    first, second, third = map(int, acme.account.ids("contacts")[:3])
    acme.account.control("merge", winner=second, loser=first)
    acme.account.control("merge", winner=third, loser=second)
    assert acme.pull()["contacts"].deleted == 2
    acme.check_mirror()


def test_many_deletes_wait_for_a_word(scene: Callable[..., Any]) -> None:
    acme = scene(contacts=1000)
    acme.pull()
    acme.account.control("archive", count=300)
    acme.account.control("edit", ids=every(acme.account.ids("contacts"), 100))
    before, marks = acme.database.rows("contacts"), acme.database.watermarks()
    for _ in range(2):
        result = acme.sync()
        assert result.status == "Failed"
        assert "300 of 1000 linked records would be deleted" in str(result.error)
        assert "--allow-deletes" in str(result.error)
        assert acme.database.watermarks()["contacts"] == marks["contacts"]
        assert {key for key, row in acme.database.rows("contacts").items() if row["IsDeleted"]} == set()
        assert acme.database.rows("contacts").keys() == before.keys()
    acme.pull(allow_deletes=True)
    acme.check_mirror()
    assert acme.database.value("SELECT count(*) FROM mj_record_change WHERE kind = 'update'") == 300
