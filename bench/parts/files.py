"""Files: a CSV of ten columns, read into an empty database and once more unchanged, beside a bare script."""

from collections import defaultdict
from collections.abc import Iterator

from bench import csvfile, targets
from bench.contents import check_count
from bench.report import Check, Section, median, paired, seconds
from bench.setting import Setting

ROWS = 1_000_000


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    folder = setting.databases.folder / "files"
    csvfile.write(folder, setting.rows)
    cpu: dict[str, list[float]] = defaultdict(list)
    wall: dict[str, list[float]] = defaultdict(list)
    for _ in range(setting.rounds):
        for kind in setting.kinds:
            with setting.databases.empty(kind) as store:
                bare = setting.peer("bare_csv", [store, str(folder / "people.csv")])
                check_count(store, "person", setting.rows)
            with setting.databases.empty(kind) as store:
                setting.apply(csvfile.metadata(folder), store)
                first = setting.mj("sync", "Bench", store=store)
                again = setting.mj("sync", "Bench", "--full", store=store)
                check_count(store, "person", setting.rows)
            for name, usage in (("bare script", bare), ("mjcore", first), ("mjcore, unchanged", again)):
                cpu[f"{kind}: {name}"].append(usage.cpu)
                wall[f"{kind}: {name}"].append(usage.wall)
    rows = [[name, seconds(cpu[name]), seconds(wall[name]), f"{setting.rows / median(wall[name]):,.0f}"] for name in cpu]
    checks = [
        Check(
            f"{kind}: CPU ÷ bare script", paired(cpu[f"{kind}: mjcore"], cpu[f"{kind}: bare script"]), targets.FILES_VERSUS_BARE
        )
        for kind in setting.kinds
    ]
    yield Section(f"CSV of {setting.rows:,} rows", ["", "CPU s", "wall s", "records/s"], rows, checks, samples={"cpu": cpu})
