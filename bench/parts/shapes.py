"""Shapes: tables of 100 fields, of wide texts, and 50 small ones in one connection; each subject beside the others."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench import tables
from bench.contents import Agreement, contents
from bench.measure import Usage
from bench.progress import told
from bench.report import Section
from bench.samples import COLUMNS, RATIOS, bars, cells, new, of_kind, ratios
from bench.setting import Setting
from bench.tables import SHAPES, Shape

ROWS = 10_000
DLT = ("dlt rows", "dlt arrow")
SUBJECTS = ("floor", "hand-written", *DLT, "mjcore")


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section for each kind of database."""
    subjects = [name for name in SUBJECTS if name not in DLT or setting.has_dlt]
    found, agreement = new(), Agreement()
    for shape in SHAPES:
        tables.write(_folder(setting, shape), shape, setting.rows)
    every = [(r, k, shape.name, s) for r in setting.round_names for k in setting.kinds for shape in SHAPES for s in subjects]
    shapes = {shape.name: shape for shape in SHAPES}
    for _, kind, name, subject in told("shapes", every):
        with setting.databases.empty(kind) as store:
            before = setting.postgresql_cpu()
            usage = _run(setting, shapes[name], subject, store)
            found[kind, name, subject].keep(usage, setting.postgresql_cpu() - before)
            for table in shapes[name].names():
                left = contents(store, subject, table, shapes[name].columns)
                agreement.check(f"{name}, {table}", f"{subject}, {kind}", left, shapes[name].records(setting.rows))
    for kind in setting.kinds:
        rows = []
        for name, subject in [(name, subject) for name in shapes for subject in subjects]:
            samples, hand = found[kind, name, subject], found[kind, name, "hand-written"]
            rows.append([f"{name}: {subject}", *cells(samples), *ratios(samples, hand)])
        sizes = ", ".join(f"{s.name} {s.records(setting.rows) * s.files:,}" for s in SHAPES)
        columns = ["", *COLUMNS, *[ratio.format("hand-written") for ratio in RATIOS]]
        lists = {name: each.lists() for name, each in of_kind(found, kind)}
        title = f"Shapes, {kind}; records: {sizes}"
        yield Section(title, columns, rows, bars=bars(found, kind), unit="wall s", samples=lists)


def _folder(setting: Setting, shape: Shape) -> Path:
    return setting.databases.folder / shape.name.replace(" ", "-")


def _run(setting: Setting, shape: Shape, subject: str, store: str) -> Usage:
    folder, state = _folder(setting, shape), setting.databases.folder / "state"
    if subject == "mjcore":
        setting.apply(tables.metadata(folder, shape), store)
        return setting.mj("sync", "Bench", store=store)
    if subject in DLT:
        shutil.rmtree(state, ignore_errors=True)
        loader = subject.removeprefix("dlt ")
        return setting.peer("dlt_tables", [store, str(folder), loader], {"BENCH_STATE": str(state)})
    return setting.peer("tables", [store, str(folder), subject.replace("-", "")])
