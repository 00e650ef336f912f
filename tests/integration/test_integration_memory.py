"""Memory depends on the batch, not on the number of records; and what a pull takes, as a fact to print."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def measured(processes: Any, databases: Any, document: Callable[..., Any], tmp_path: Path) -> Callable[[int], tuple[int, float]]:
    """Return the function that pulls so many contacts in a process: (peak memory in KiB, seconds)."""

    def measure(contacts: int) -> tuple[int, float]:
        account, database, path = processes.account(contacts), databases(), tmp_path / "crm.json"
        path.write_text(json.dumps(document(account.address, lambda _: None)))
        assert processes.mj("apply", str(path), "--store", database.url).returncode == 0
        began, peak = time.monotonic(), 0
        process = processes.start("mj_cli", "sync", "Acme HubSpot", "--store", database.url, "--json")
        while process.poll() is None:
            with suppress(OSError):  # gone meanwhile
                found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
                peak = max(peak, int(found.group(1)) if found else 0)
            time.sleep(0.02)
        seconds = time.monotonic() - began
        assert process.returncode == 0
        assert database.value("SELECT count(*) FROM contacts") == contacts
        print(f"{databases.kind}: {contacts} contacts, {peak} KiB, {seconds:.1f} s, {contacts * 1.2 / seconds:,.0f} records/s")
        return peak, seconds

    return measure


def test_five_times_the_contacts_take_no_more_memory(measured: Callable[[int], tuple[int, float]]) -> None:
    """The smaller pull fills its batches just as well."""
    few, many = measured(6000)[0], measured(30_000)[0]
    assert many < 1.2 * few


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_thousand_contacts_take_the_memory_of_twenty_thousand(measured: Callable[[int], tuple[int, float]]) -> None:
    few, many = measured(20_000)[0], measured(200_000)[0]
    assert many < 1.2 * few


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_pace_holds(measured: Callable[[int], tuple[int, float]]) -> None:
    pace = [contacts / measured(contacts)[1] for contacts in (20_000, 100_000)]
    assert pace[1] > 0.5 * pace[0], "a large account must not get slower and slower"
