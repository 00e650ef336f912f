"""Memory: time a record and peak memory at a tenth of the records and at all of them (ROWS, 1,000,000)."""

from collections.abc import Iterator

from bench import targets
from bench.measure import Usage
from bench.report import Check, Section
from bench.setting import Setting, account, contacts_map

ROWS = 1_000_000


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    sizes = (setting.rows // 10, setting.rows)
    found: dict[str, dict[int, Usage]] = {kind: {} for kind in setting.kinds}
    for size in sizes:
        with account(size) as source:
            for kind in setting.kinds:
                with setting.databases.empty(kind) as store:
                    setting.apply(contacts_map(source.address), store)
                    found[kind][size] = setting.mj("sync", "Bench", store=store)
    rows, checks = [], []
    for kind, usages in found.items():
        few, many = (usages[size] for size in sizes)
        for size, usage in usages.items():
            rows.append([f"{kind}: {size:,}", f"{usage.cpu / size * 1e6:.1f}", f"{usage.wall:.1f}", f"{usage.rss:.0f}"])
        checks.append(Check(f"{kind}: CPU a record, ÷ a tenth of them", many.cpu / few.cpu / 10, targets.GROWTH))
        checks.append(Check(f"{kind}: peak memory, ÷ a tenth of them", many.rss / few.rss, targets.GROWTH))
    yield Section("Memory and growth", ["", "CPU µs a record", "wall s", "peak MiB"], rows, checks)
