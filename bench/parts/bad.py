"""Bad records: a CSV with one value in a hundred that fits no column, beside a clean one."""

from collections.abc import Iterator

from bench import csvfile, targets
from bench.contents import check_count
from bench.progress import told
from bench.report import Section
from bench.samples import COLUMNS, cells, new, of_kind, versus
from bench.setting import Setting

CLEAN, BAD = "clean", "1 % bad"
PARTLY = 3
"""mj's exit code where records failed."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found = new()
    folders = {name: setting.databases.folder / name.replace(" % ", "") for name in (CLEAN, BAD)}
    for name, folder in folders.items():
        csvfile.write(folder, setting.rows, bad=name == BAD)
    jobs = [(round_, kind, name) for round_ in setting.round_names for kind in setting.kinds for name in folders]
    for _, kind, name in told("bad", jobs):
        failing = -(-setting.rows // 100) if name == BAD else 0
        with setting.databases.empty(kind) as store:
            setting.apply(csvfile.metadata(folders[name]), store)
            before = setting.postgresql_cpu()
            usage = setting.mj("sync", "Bench", store=store, allowed=(PARTLY if failing else 0,))
            found[kind, name].keep(usage, setting.postgresql_cpu() - before)
            check_count(store, "person", setting.rows - failing)
    rows = [[f"{k}: {name}", *cells(samples)] for k in setting.kinds for name, samples in of_kind(found, k)]
    limit = targets.BAD_VERSUS_CLEAN
    checks = [versus(f"{kind}: wall, bad ÷ clean", found[kind, BAD], found[kind, CLEAN], limit) for kind in setting.kinds]
    yield Section(f"Bad records, CSV of {setting.rows:,} rows", ["", *COLUMNS], rows, checks)
