"""Files: a CSV of ten columns, read into an empty database and once more unchanged, beside a bare script."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench import csvfile, targets
from bench.contents import check_count
from bench.measure import Usage
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, RATIOS, cells, new, of_kind, ratios
from bench.setting import Setting

ROWS = 100_000
"""Asked for with ROWS=1000000 the part takes ten times as long; the figures a record are the same."""

BARE, FIRST, AGAIN = "bare script", "mjcore", "mjcore, unchanged"


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    folder = setting.databases.folder / "files"
    csvfile.write(folder, setting.rows)
    found = new()
    every = [(round_, kind, name) for round_ in setting.round_names for kind in setting.kinds for name in (BARE, FIRST)]
    for _, kind, name in told("files", every):
        with setting.databases.empty(kind) as store:
            if name == FIRST:
                setting.apply(csvfile.metadata(folder), store)
            for scenario, measured in _scenarios(setting, folder, store, name):
                before = setting.postgresql_cpu()
                usage = measured()
                found[kind, scenario].keep(usage, setting.postgresql_cpu() - before)
            check_count(store, "person", setting.rows)
    rows, checks = [], []
    for kind in setting.kinds:
        for name, samples in of_kind(found, kind):
            rate = f"{setting.rows / median(samples.wall):,.0f}"
            rows.append([f"{kind}: {name}", rate, *cells(samples), *ratios(samples, found[kind, BARE])])
        first, again = (median(found[kind, name].wall) for name in (FIRST, AGAIN))
        checks.append(Check(f"{kind}: records/s", setting.rows / first, targets.FILES_RATE, at_least=True))
        checks.append(Check(f"{kind}, unchanged: records/s", setting.rows / again, targets.UNCHANGED_RATE, at_least=True))
    columns = ["", "records/s", *COLUMNS, *[ratio.format(BARE) for ratio in RATIOS]]
    samples_of = {": ".join(name): samples.lists() for name, samples in found.items()}
    yield Section(f"CSV of {setting.rows:,} rows", columns, rows, checks, samples=samples_of)


def _scenarios(setting: Setting, folder: Path, store: str, subject: str) -> Iterator[tuple[str, Callable[[], Usage]]]:
    """Yield what a subject does, one after the other."""
    if subject == BARE:
        yield BARE, lambda: setting.peer("bare_csv", [store, str(folder / "people.csv")])
    else:
        yield FIRST, lambda: setting.mj("sync", "Bench", store=store)
        yield AGAIN, lambda: setting.mj("sync", "Bench", "--full", store=store)
