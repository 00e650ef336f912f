"""Memory: time a record and peak memory at a twentieth of the records and at all of them (ROWS, 2,000,000)."""

from collections.abc import Iterator

from bench import targets
from bench.contents import check_count
from bench.progress import told
from bench.report import Check, Section
from bench.samples import new
from bench.setting import Setting, account, contacts_map

ROWS = 2_000_000
TIMES = 20


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    sizes = (setting.rows // TIMES, setting.rows)
    found = new()
    for (size,) in told("memory: recording an account", [(size,) for size in sizes]):
        with account(size) as source:
            for (kind,) in told(f"memory, {size:,} records", [(kind,) for kind in setting.kinds]):
                with setting.databases.empty(kind) as store:
                    setting.apply(contacts_map(source.address), store)
                    found[kind, str(size)].keep(setting.mj("sync", "Bench", store=store))
                    check_count(store, "contact", size)
    rows, checks = [], []
    for kind in setting.kinds:
        few, many = (found[kind, str(size)] for size in sizes)
        for size, taken in zip(sizes, (few, many), strict=True):
            (wall,), (cpu,), (rss,) = taken.wall, taken.cpu, taken.rss
            rows.append([f"{kind}: {size:,}", f"{wall:.1f}", f"{wall / size * 1e6:.1f}", f"{cpu / size * 1e6:.1f}", f"{rss:.0f}"])
        cpu_growth = many.cpu[0] / few.cpu[0]
        limit = TIMES * targets.TIME_GROWTH
        checks.append(Check(f"{kind}: wall, {TIMES} times the records", many.wall[0] / few.wall[0], limit, cpu_growth))
        checks.append(Check(f"{kind}: peak MB, {TIMES} times the records", many.rss[0] / few.rss[0], targets.PEAK_GROWTH))
        checks.append(Check(f"{kind}: peak MB at {setting.rows:,}", many.rss[0], targets.MEMORY))
    columns = ["", "wall s", "wall µs a record", "CPU µs a record", "peak MB"]
    yield Section("Memory and growth", columns, rows, checks, samples={": ".join(n): s.lists() for n, s in found.items()})
