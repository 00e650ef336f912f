"""Load: everything into an empty database, nothing changed, one record in a hundred changed; each subject beside the others."""

import shutil
from collections.abc import Callable, Iterator, Sequence

from attrs import evolve
from mj_sandbox.options import TOKEN

from bench import targets
from bench.contents import Agreement, contacts
from bench.measure import Usage
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, RATIOS, Found, Samples, bars, cells, new, of_kind, ratios, versus
from bench.setting import Account, Setting, account, contacts_map

SCENARIOS = ("full load", "no change", "1 % changed")
DLT = ("dlt rows", "dlt arrow")
SUBJECTS = ("floor", "hand-written", "expert's bound", *DLT, "mjcore")
MODULES = {
    "floor": "floor",
    "hand-written": "handwritten",
    "expert's bound": "expert",
    "dlt rows": "dlt_merge",
    "dlt arrow": "dlt_merge",
}

WORTH_WARMING = 1000
"""Records; with fewer the figures mean nothing anyway."""
Keep = Callable[[str, Usage, float, tuple[float, int]], None]


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section for each kind of database."""
    subjects = [name for name in SUBJECTS if name not in DLT or setting.has_dlt]
    found, agreement = new(), Agreement()
    with account(setting.rows) as source:
        if setting.rows >= WORTH_WARMING:
            _warm(setting, subjects)
        for _, kind, subject in told("load", [(r, k, s) for r in setting.round_names for k in setting.kinds for s in subjects]):
            _sequence(setting, source, kind, subject, agreement, _keep(found, kind, subject))
    for kind in setting.kinds:
        yield _section(setting, found, kind)


def _warm(setting: Setting, subjects: Sequence[str]) -> None:
    """Let everybody compile and load once."""
    agreement = Agreement()
    with account(100) as small:
        for kind, subject in told("load, warming up", [(k, s) for k in setting.kinds for s in subjects]):
            _sequence(evolve(setting, rows=100), small, kind, subject, agreement, lambda *_: None)


def _keep(found: Found, kind: str, subject: str) -> Keep:
    return lambda scenario, *taken: found[kind, scenario, subject].keep(*taken)


def _sequence(setting: Setting, source: Account, kind: str, subject: str, agreement: Agreement, keep: Keep) -> None:
    """Run one subject through the scenarios, from an account as it was and an empty database."""
    source.tell("reset")
    folder = setting.databases.folder / "state"
    shutil.rmtree(folder, ignore_errors=True)
    with setting.databases.empty(kind) as store:
        if subject == "mjcore":
            setting.apply(contacts_map(source.address), store)
        for scenario in SCENARIOS[: 1 if subject == "floor" else 3]:
            if scenario == "1 % changed":
                source.tell(f"edit/{setting.rows // 100}")
            source.tell("pass/60")
            postgresql, (serving, answers) = setting.postgresql_cpu(), source.served()
            if subject == "mjcore":
                usage = setting.mj("sync", "Bench", store=store)
            else:
                phase = "full" if scenario == "full load" else "changes"
                extra = {"BENCH_STATE": str(folder), "BENCH_LOADER": subject.removeprefix("dlt ")}
                usage = setting.peer(MODULES[subject], [source.address, TOKEN, store, phase], extra)
            served = source.served()
            keep(scenario, usage, setting.postgresql_cpu() - postgresql, (served[0] - serving, served[1] - answers))
            agreement.check(scenario, f"{subject}, {kind}", contacts(store, subject), setting.rows)


def _section(setting: Setting, found: Found, kind: str) -> Section:
    rows = []
    for scenario in SCENARIOS:
        hand = found[kind, scenario, "hand-written"]
        for name, samples in of_kind(found, kind):
            if name.startswith(scenario):
                rows.append([name, *cells(samples), *ratios(samples, hand), *_pages(samples)])
    columns = ["", *COLUMNS, *[ratio.format("hand-written") for ratio in RATIOS], *PAGES]
    title = f"{setting.rows:,} contacts, {kind}, median of {setting.rounds}"
    lists = {name: each.lists() for name, each in of_kind(found, kind)}
    checks = list(_checks(found, kind))
    return Section(title, columns, rows, checks, bars=bars(found, kind), unit="wall s", samples=lists)


PAGES = ("CPU ms a page", "account's CPU ms a page", "account's share")


def _pages(samples: Samples) -> list[str]:
    """Return the cells of `PAGES`: what the simulated account took of the CPU time that a page cost altogether."""
    pages = max(1.0, median(samples.answers))
    ours, theirs = median(samples.cpu), median(samples.serving)
    return [f"{ours / pages * 1e3:.2f}", f"{theirs / pages * 1e3:.2f}", f"{theirs / (ours + theirs):.1%}"]


def _checks(found: Found, kind: str) -> Iterator[Check]:
    full, nochange, changed = ((kind, scenario) for scenario in SCENARIOS)
    ours = found[*full, "mjcore"]
    limits = {
        (*full, "hand-written"): targets.FULL_VERSUS_HANDWRITTEN[kind],
        (*full, "floor"): targets.FULL_VERSUS_FLOOR,
        (*full, "dlt rows"): targets.FULL_VERSUS_DLT,
        (*nochange, "hand-written"): targets.NOCHANGE_VERSUS_HANDWRITTEN,
        (*changed, "hand-written"): targets.CHANGED_VERSUS_HANDWRITTEN,
    }
    for (_, scenario, other), limit in limits.items():
        if (kind, scenario, other) in found:
            what = f"{kind}, {scenario}: wall ÷ {other}"
            yield versus(what, found[kind, scenario, "mjcore"], found[kind, scenario, other], limit)
    yield Check(f"{kind}, full load: peak MB", max(ours.rss), targets.MEMORY)
