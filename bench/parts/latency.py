"""Latency: a server that takes 50 ms a page. What a run takes beyond the waiting is what it fails to overlap."""

from collections.abc import Iterator

from mj_sandbox.options import TOKEN

from bench import targets
from bench.report import Check, Section, median, paired, seconds
from bench.setting import Setting, account, contacts_map

ROWS = 10_000
MILLISECONDS = 50


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found: dict[str, list[float]] = {"bare paging": [], "mj sync": []}
    with account(setting.rows) as source:
        for _ in range(setting.rounds):
            source.tell("reset")
            with setting.databases.empty("sqlite") as store:
                setting.apply(contacts_map(source.address), store)
                source.tell(f"latency/{MILLISECONDS}")
                found["bare paging"].append(setting.peer("paging", [source.address, TOKEN, store, "full"]).wall)
                found["mj sync"].append(setting.mj("sync", "Bench", store=store).wall)
                source.tell("latency/0")
    ratio = paired(found["mj sync"], found["bare paging"])
    rows = [[name, seconds(walls), f"{setting.rows / median(walls):,.0f}"] for name, walls in found.items()]
    title = f"{setting.rows:,} contacts from a server that takes {MILLISECONDS} ms a page, SQLite"
    check = Check("mj sync ÷ bare paging, wall", ratio, targets.LATENCY)
    yield Section(title, ["", "wall s", "records/s"], rows, [check], samples=found)
