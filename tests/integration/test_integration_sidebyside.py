"""Several maps and connections at once: in parallel where they may, refused where they may not."""

import json
import signal
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from mjcore.models import RunRequest

CONTACTS = 2000
FIRST, SECOND = "Acme HubSpot", "Acme second HubSpot"


def with_second(address: str) -> Callable[[Any], None]:
    """Return the change that adds a connection to another account, with the same maps."""

    def change(document: Any) -> None:
        second = deepcopy(document["Connections"][0])
        second["Name"] = SECOND
        second["Configuration"]["BaseURL"] = address
        document["Connections"].append(second)

    return change


def test_two_connections_fill_one_table_at_once(scene: Callable[..., Any], serve: Callable[..., Any]) -> None:
    other = serve(contacts=CONTACTS, latency_ms=3)
    acme = scene(with_second(other.address), contacts=CONTACTS, latency_ms=3)
    results = list(acme.kernel.sync_many([RunRequest(FIRST), RunRequest(SECOND)]))
    assert {(r.connection, r.status, r.error, r.refusal) for r in results} == {
        (n, "Completed", None, None) for n in (FIRST, SECOND)
    }
    for result in results:
        counts = result.counts
        assert counts.processed == 2400 == counts.created + counts.updated + counts.unchanged
        assert result.started_at < min(r.completed_at for r in results), "they ran side by side"
    database = acme.database
    nameless = sum(row["Email"] is None for row in database.rows("contacts").values())
    emails = [row["Email"] for row in database.rows("contacts").values() if row["Email"]]
    assert len(set(emails)) == len(emails), "nobody was created twice"
    assert nameless + len(emails) - nameless // 2 == CONTACTS, "who has no e-mail cannot be matched"
    assert len(database.rows("companies")) == len(database.rows("deals")) == CONTACTS // 10
    for name in ("contacts", "companies", "deals"):
        keys = [{i: link["record_key"] for i, link in database.links(name, c).items()} for c in (FIRST, SECOND)]
        assert keys[0].keys() == keys[1].keys()
        assert sum(keys[0][i] == keys[1][i] for i in keys[0]) == len(keys[0]) - (nameless // 2 if name == "contacts" else 0)
    acme.check_mirror()
    created = database.value("SELECT count(*) FROM mj_record_change WHERE kind = 'create'")
    assert (
        created
        == sum(r.counts.created for r in results)
        == sum(len(database.rows(n)) for n in ("contacts", "companies", "deals"))
    )


def test_a_connection_is_pulled_by_one_run_at_a_time_and_others_beside_it(
    processes: Any, database: Any, document: Callable[..., Any], tmp_path: Path, mirrors: Callable[..., None]
) -> None:
    one, other = (processes.account(600, "--seed", seed) for seed in ("1", "2"))
    accounts = processes.started[:2]

    def apart(metadata: Any) -> None:
        with_second(other.address)(metadata)
        metadata["Entities"] += [
            {**entity, "Name": f"Other {entity['Name']}", "Table": f"other_{entity['Table']}",
             "Fields": [{**f, **({"Entity": "Other Companies"} if "Entity" in f else {})} for f in entity["Fields"]]}
            for entity in list(metadata["Entities"])
        ]  # fmt: skip
        for entity_map in metadata["Connections"][1]["EntityMaps"]:
            entity_map["Entity"] = f"Other {entity_map['Entity']}"

    path = tmp_path / "crm.json"
    path.write_text(json.dumps(document(one.address, apart)))
    assert processes.mj("apply", str(path), "--store", database.url).returncode == 0
    for account in accounts:
        account.send_signal(signal.SIGSTOP)  # so that no run ends before the test lets it
    runs = [processes.start("mj_cli", "sync", name, "--store", database.url) for name in (FIRST, SECOND)]
    while len(database.query("SELECT id FROM mj_integration_run WHERE status = 'Running'")) < 2:
        assert [run.poll() for run in runs] == [None, None]
        time.sleep(0.01)
    again = processes.mj("sync", FIRST, "--store", database.url)
    assert again.returncode == 4, again.stderr
    assert "held" in (again.stdout + again.stderr).lower()
    assert "Traceback" not in again.stdout + again.stderr
    waiting = processes.start("mj_cli", "sync", FIRST, "--store", database.url, "--wait")
    assert [run.poll() for run in (*runs, waiting)] == [None, None, None]
    for account in accounts:
        account.send_signal(signal.SIGCONT)
    assert [run.wait(60) for run in (*runs, waiting)] == [0, 0, 0]
    history = database.query("SELECT status, total_records_created AS created FROM mj_integration_run ORDER BY started_at")
    assert {run["status"] for run in history} == {"Completed"}
    assert [run["created"] for run in history] == [720, 720, 0], "the one that waited found nothing new"
    mirrors(database, one)
    assert {n: len(database.rows(f"other_{n}")) for n in ("contacts", "companies", "deals")} == {
        "contacts": 600, "companies": 60, "deals": 60
    }  # fmt: skip
