"""Costs: what the audit trail, the links with raw values, and the fence and checkpoint of each batch cost by themselves.

The same file is read into an empty database by mjcore as it is, without one of them, and without all three: a plain upsert.
"""

from collections.abc import Iterator, Sequence

from bench import csvfile, targets
from bench.contents import check_count
from bench.measure import run
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, RATIOS, cells, new, of_kind, ratios
from bench.setting import Setting, environment, tool

ALL, PLAIN = "all of it", "a plain upsert"
PARTS = {"audit trail": "audit", "links": "links", "fence, checkpoint": "fence"}
SUBJECTS = {ALL: (), **{f"without {name}": (part,) for name, part in PARTS.items()}, PLAIN: tuple(PARTS.values())}
KEPT_BY = {"mj_record_change": "audit", "mj_record_link": "links", "person": ""}
"""Table: what leaves it empty when it is left out."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section for each kind of database."""
    folder = setting.databases.folder / "costs"
    csvfile.write(folder, setting.rows)
    found = new()
    for _, kind, name in told("costs", [(r, k, s) for r in setting.round_names for k in setting.kinds for s in SUBJECTS]):
        with setting.databases.empty(kind) as store:
            setting.apply(csvfile.metadata(folder), store)
            before = setting.postgresql_cpu()
            usage = run([tool("python"), "-m", "bench.leaner", store, *SUBJECTS[name]], environment())
            found[kind, name].keep(usage, setting.postgresql_cpu() - before)
            for table, part in KEPT_BY.items():
                check_count(store, table, 0 if part in SUBJECTS[name] else setting.rows)
    for kind in setting.kinds:
        rows = [[name, *cells(samples), *ratios(samples, found[kind, PLAIN])] for name, samples in of_kind(found, kind)]
        checks = []
        for name, limit in targets.COSTS.items():
            whole, without, plain = (found[kind, which] for which in (ALL, f"without {name}", PLAIN))
            wall = _share(whole.wall, without.wall, plain.wall)
            cpu = _share(whole.cpu, without.cpu, plain.cpu)
            checks.append(Check(f"{kind}: {name} ÷ {PLAIN}, wall", wall, limit, cpu))
        columns = ["", *COLUMNS, *[ratio.format(PLAIN) for ratio in RATIOS]]
        lists = {name: samples.lists() for name, samples in of_kind(found, kind)}
        yield Section(f"Costs, {kind}, CSV of {setting.rows:,} rows", columns, rows, checks, samples=lists)


def _share(whole: Sequence[float], without: Sequence[float], plain: Sequence[float]) -> float:
    """Return the median of what is saved by leaving something out, as a share of a plain upsert of the same round."""
    return median([(a - b) / c for a, b, c in zip(whole, without, plain, strict=True)])
