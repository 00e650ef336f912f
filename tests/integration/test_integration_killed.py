"""`mj sync` killed in the middle, again and again: the next run ends where an uninterrupted one would have."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONTACTS = 10_000
KILLS = 4


@pytest.fixture
def apply(processes: Any, document: Callable[..., Any], tmp_path: Path) -> Callable[..., None]:
    """Store the demo's metadata for an account, as a person would."""

    def stored(database: Any, account: Any, change: Callable[[Any], None] = lambda _: None) -> None:
        path = tmp_path / "crm.json"
        path.write_text(json.dumps(document(account.address, change)))
        done = processes.mj("apply", str(path), "--store", database.url)
        assert done.returncode == 0, done.stderr

    return stored


PASSING = {
    "id", "run_id", "closed_by", "entity_id", "started_at", "completed_at", "last_sync_at", "changed_at", "integration_run_id",
    "company_integration_id", "watermark_value", "watermark_after",
}  # fmt: skip
"""Columns of ids that were made and of times that passed."""
COMPARED = (
    "companies", "contacts", "deals", "mj_record_link", "mj_record_change", "mj_integration_run", "mj_integration_run_detail",
    "mj_integration_sync_watermark", "mj_seen", "mj_failed_record", "mj_conflict",
)  # fmt: skip


def told(database: Any) -> dict[str, list[str]]:
    """Return what is stored, rows by the external ids of their records, without what is another in each run."""
    names: dict[str, str] = {}
    for name in ("companies", "contacts", "deals"):
        names |= {link["record_key"]: f"{name} {i}" for i, link in database.links(name).items()}
    names |= {m["id"]: m["external_object_name"] for m in database.query("SELECT * FROM mj_integration_entity_map")}

    def shown(row: dict[str, Any]) -> str:
        kept = {k: names.get(v, v) if isinstance(v, str) else v for k, v in row.items() if k not in PASSING}
        if row.get("new"):
            kept["new"] = {k: names.get(v, v) for k, v in json.loads(row["new"]).items()}
        return repr((names.get(row.get("id", "")), sorted(kept.items())))

    return {table: sorted(map(shown, database.query(f'SELECT * FROM "{table}"'))) for table in COMPARED}


def count(database: Any) -> int:
    return sum(database.value(f'SELECT count(*) FROM "{name}"') for name in ("companies", "contacts", "deals"))


def test_killed_runs_end_as_an_uninterrupted_one(
    processes: Any,
    databases: Callable[[], Any],
    apply: Callable[..., None],
    mirrors: Callable[..., None],
    once: Callable[..., None],
) -> None:
    account = processes.account(CONTACTS)
    smooth, killed = databases(), databases()
    for database in (smooth, killed):
        apply(database, account)
    assert processes.mj("sync", "Acme HubSpot", "--store", smooth.url).returncode == 0
    seed = time.time_ns()
    chance, total = random.Random(seed), CONTACTS * 12 // 10
    interrupted = 0
    for number in range(KILLS):
        process = processes.start("mj_cli", "sync", "Acme HubSpot", "--store", killed.url)
        enough = min(count(killed) + 1 + chance.randrange(total // KILLS), total - 1) if number else 0
        while process.poll() is None and count(killed) < enough:
            time.sleep(0.002)
        time.sleep(chance.random() * (0.05 if number else 0.6))
        process.kill()
        process.wait()
        interrupted += 0 < count(killed) < total
    done = processes.mj("sync", "Acme HubSpot", "--store", killed.url, "--json")
    assert done.returncode == 0, done.stderr
    assert interrupted, f"every kill came too early or too late (seed {seed})"
    once(killed)
    mirrors(killed, account)
    one, other = told(smooth), told(killed)
    for table, rows in one.items():
        assert other[table] == rows, f"{table} (seed {seed})"
