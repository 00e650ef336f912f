"""Bad records: a CSV with one value in a hundred that fits no column, beside a clean one."""

from collections.abc import Iterator

from bench import csvfile, targets
from bench.contents import check_count
from bench.report import Check, Section, paired, seconds
from bench.setting import Setting


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    rows, checks = [], []
    for kind in setting.kinds:
        found: dict[str, list[float]] = {"clean": [], "1 % bad": []}
        for _ in range(setting.rounds):
            for name, samples in found.items():
                folder = setting.databases.folder / name.replace(" % ", "")
                csvfile.write(folder, setting.rows, bad=name != "clean")
                with setting.databases.empty(kind) as store:
                    setting.apply(csvfile.metadata(folder), store)
                    samples.append(setting.mj("sync", "Bench", store=store, allowed=(0,) if name == "clean" else (3,)).cpu)
                    check_count(store, "person", setting.rows - (setting.rows // 100 if name != "clean" else 0))
        rows += [[f"{kind}: {name}", seconds(samples)] for name, samples in found.items()]
        checks.append(Check(f"{kind}: CPU, bad ÷ clean", paired(found["1 % bad"], found["clean"]), targets.BAD_VERSUS_CLEAN))
    yield Section(f"Bad records, CSV of {setting.rows:,} rows", ["", "CPU s"], rows, checks)
