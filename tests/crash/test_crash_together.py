"""Two processes write one entity through two connections with the same match keys, at once."""

import signal
from typing import Any

import pytest

CONTACTS = 10_000
CONNECTIONS = ("Acme", "Beta")


@pytest.mark.parametrize("empty", [True, False], ids=["creating", "updating"])
def test_no_row_is_created_twice(nursery: Any, databases: Any, kind: str, empty: bool) -> None:
    """Both deliver the same people: each is created by one connection and found by the other."""
    database = databases.new(kind, *CONNECTIONS)
    account = {"is_plain": True, "sizes": {"companies": 1, "contacts": CONTACTS}}
    phases = (1,) if empty else (1, 2)
    for phase in phases:
        jobs = [{"connection": name, "account": {"phase": phase, **account}} for name in CONNECTIONS]
        children = [nursery.start(database, request={"maps": ["contacts"]}, **job) for job in jobs]
        results = [child.result() for child in children]
        assert [result.get("status") for result in results] == ["Completed", "Completed"], results
        assert [result["error"] for result in results] == [None, None]
    rows, emails = database.query('SELECT count(*), count(DISTINCT "Email") FROM contacts')[0]
    assert rows == emails
    changes = dict(database.query("SELECT kind, count(*) FROM mj_record_change GROUP BY kind"))
    counted = database.query("SELECT sum(total_records_created), sum(total_records_updated) FROM mj_integration_run")[0]
    assert (changes["create"], changes.get("update", 0)) == tuple(map(int, counted))
    if empty:
        assert rows == changes["create"] == CONTACTS
        for result in results:
            counts = result["counts"]
            assert counts["processed"] == CONTACTS == counts["created"] + counts["updated"] + counts["unchanged"]
    links = database.query("SELECT record_key, count(*) FROM mj_record_link WHERE NOT is_tombstone GROUP BY record_key")
    assert len(links) == rows, "no row is left behind that nobody knows"
    assert {n for _, n in links} == {2}, "each row is known to both"


def test_a_row_that_two_connections_delete_at_once_goes(nursery: Any, databases: Any, kind: str) -> None:
    """Each still sees the link of the other when it decides: the second to commit has to look again."""
    database = databases.new(kind, *CONNECTIONS)
    account = {"is_plain": True, "sizes": {"companies": 1, "contacts": 400}}
    job = {"request": {"maps": ["contacts"]}, "account": {"phase": 1, **account}}
    for name in CONNECTIONS:
        assert nursery.run(database, **job, connection=name)["status"] == "Completed"
    job["account"] = {"phase": 2, **account}
    blow = {"call": 2, "when": "before", "signal": signal.SIGSTOP}
    frozen = nursery.start(database, **job, connection=CONNECTIONS[0], blow=blow)
    frozen.until("T")
    assert database.value("SELECT count(*) FROM mj_record_link WHERE is_tombstone") == 0, "it stands before its deletes"
    deleted = nursery.run(database, **job, connection=CONNECTIONS[1])
    frozen.send(signal.SIGCONT)
    results = [frozen.result(), deleted]
    assert [result["error"] for result in results] == [None, None]
    rows = database.value("SELECT count(*) FROM contacts")
    assert rows == database.value("SELECT count(DISTINCT record_key) FROM mj_record_link WHERE NOT is_tombstone") < 420
    assert [r["counts"]["deleted"] for r in results] == [420 - rows, 0]
