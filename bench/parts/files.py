"""Files: a CSV of ten columns, read into an empty database and once more unchanged, beside a bare script."""

from collections.abc import Iterator

from bench import csvfile, targets
from bench.contents import check_count
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, RATIOS, cells, new, of_kind, ratios
from bench.setting import Setting

ROWS = 100_000
"""Asked for with ROWS=1000000 the part takes ten times as long; the figures a record are the same."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    folder = setting.databases.folder / "files"
    csvfile.write(folder, setting.rows)
    found = new()
    for _, kind in told("files", [(round_, kind) for round_ in setting.round_names for kind in setting.kinds]):
        with setting.databases.empty(kind) as store:
            before = setting.postgresql_cpu()
            usage = setting.peer("bare_csv", [store, str(folder / "people.csv")])
            found[kind, "bare script"].keep(usage, setting.postgresql_cpu() - before)
            check_count(store, "person", setting.rows)
        with setting.databases.empty(kind) as store:
            setting.apply(csvfile.metadata(folder), store)
            for name, options in (("mjcore", ()), ("mjcore, unchanged", ("--full",))):
                before = setting.postgresql_cpu()
                usage = setting.mj("sync", "Bench", *options, store=store)
                found[kind, name].keep(usage, setting.postgresql_cpu() - before)
            check_count(store, "person", setting.rows)
    rows, checks = [], []
    for kind in setting.kinds:
        for name, samples in of_kind(found, kind):
            rate = f"{setting.rows / median(samples.wall):,.0f}"
            rows.append([f"{kind}: {name}", rate, *cells(samples), *ratios(samples, found[kind, "bare script"])])
        first, again = (median(found[kind, name].wall) for name in ("mjcore", "mjcore, unchanged"))
        checks.append(Check(f"{kind}: records/s", setting.rows / first, targets.FILES_RATE, at_least=True))
        checks.append(Check(f"{kind}, unchanged: records/s", setting.rows / again, targets.UNCHANGED_RATE, at_least=True))
    columns = ["", "records/s", *COLUMNS, *[ratio.format("bare script") for ratio in RATIOS]]
    samples_of = {": ".join(name): samples.lists() for name, samples in found.items()}
    yield Section(f"CSV of {setting.rows:,} rows", columns, rows, checks, samples=samples_of)
