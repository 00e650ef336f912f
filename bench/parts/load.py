"""Load: everything into an empty database, nothing changed, one record in a hundred changed; each subject beside the others."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from attrs import evolve, field, frozen
from mj_sandbox.options import TOKEN

from bench import targets
from bench.contents import Agreement, contents
from bench.measure import Usage
from bench.report import Check, Section, median, paired, seconds
from bench.setting import BENCH_PYTHON, Account, Setting, account, contacts_map

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


@frozen
class Samples:
    """What one subject took in one scenario, a value a round."""

    wall: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)
    rss: list[float] = field(factory=list)
    postgresql: list[float] = field(factory=list)
    serving: list[float] = field(factory=list)


Results = dict[tuple[str, str, str], Samples]


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section for each kind of database."""
    subjects = [name for name in SUBJECTS if name not in DLT or (setting.with_dlt and BENCH_PYTHON.exists())]
    results: Results = defaultdict(Samples)
    agreement = Agreement()
    with account(setting.rows) as source:
        if setting.rows >= WORTH_WARMING:
            _warm(setting, subjects)
        for _ in range(setting.rounds):
            for kind in setting.kinds:
                for subject in subjects:
                    _sequence(setting, source, kind, subject, agreement, _keep(results, kind, subject))
    for kind in setting.kinds:
        yield _section(setting, results, kind, subjects)


def _warm(setting: Setting, subjects: Sequence[str]) -> None:
    """Let everybody compile and load once."""
    agreement = Agreement()
    with account(100) as small:
        for kind in setting.kinds:
            for subject in subjects:
                _sequence(evolve(setting, rows=100), small, kind, subject, agreement, lambda *_: None)


def _keep(results: Results, kind: str, subject: str) -> Callable[[str, Usage, float, float], None]:
    def keep(scenario: str, usage: Usage, postgresql: float, serving: float) -> None:
        samples = results[kind, scenario, subject]
        samples.wall.append(usage.wall)
        samples.cpu.append(usage.cpu)
        samples.rss.append(usage.rss)
        samples.postgresql.append(postgresql)
        samples.serving.append(serving)

    return keep


def _sequence(
    setting: Setting,
    source: Account,
    kind: str,
    subject: str,
    agreement: Agreement,
    keep: Callable[[str, Usage, float, float], None],
) -> None:
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
            before = setting.postgresql_cpu(), source.cpu()
            if subject == "mjcore":
                usage = setting.mj("sync", "Bench", store=store)
            else:
                phase = "full" if scenario == "full load" else "changes"
                extra = {"BENCH_STATE": str(folder), "BENCH_LOADER": subject.removeprefix("dlt ")}
                usage = setting.peer(MODULES[subject], [source.address, TOKEN, store, phase], extra)
            keep(scenario, usage, setting.postgresql_cpu() - before[0], source.cpu() - before[1])
            agreement.check(scenario, f"{subject}, {kind}", contents(store, subject), setting.rows)


def _section(setting: Setting, results: Results, kind: str, subjects: Sequence[str]) -> Section:
    rows, bars = [], []
    for scenario in SCENARIOS:
        for subject in subjects:
            if (kind, scenario, subject) not in results:
                continue
            samples = results[kind, scenario, subject]
            hand = results[kind, scenario, "hand-written"]
            bars.append((f"{scenario}: {subject}", median(samples.cpu)))
            rows.append([
                f"{scenario}: {subject}",
                seconds(samples.cpu),
                seconds(samples.wall),
                f"{median(samples.postgresql):.2f}",
                f"{median(samples.rss):.0f}",
                f"{paired(samples.cpu, hand.cpu):.2f}",
                f"{median(samples.serving):.2f}",
            ])  # fmt: skip
    columns = ["", "CPU s", "wall s", "PostgreSQL CPU s", "peak MiB", "CPU ÷ hand-written", "account's CPU s"]
    samples_of = {f"{scenario}: {name}": _lists(found) for (k, scenario, name), found in results.items() if k == kind}
    title = f"{setting.rows:,} contacts, {kind}, median of {setting.rounds}"
    return Section(title, columns, rows, list(_checks(results, kind, subjects)), bars=bars, unit="CPU s", samples=samples_of)


def _lists(samples: Samples) -> dict[str, list[float]]:
    return {"cpu": samples.cpu, "wall": samples.wall, "rss": samples.rss, "postgresql": samples.postgresql}


def _checks(results: Results, kind: str, subjects: Sequence[str]) -> Iterator[Check]:
    versus_hand = (targets.FULL_VERSUS_HANDWRITTEN, targets.NOCHANGE_VERSUS_HANDWRITTEN, targets.CHANGED_VERSUS_HANDWRITTEN)
    for scenario, most in zip(SCENARIOS, versus_hand, strict=True):
        ours = results[kind, scenario, "mjcore"].cpu
        yield Check(f"{kind}, {scenario}: CPU ÷ hand-written", paired(ours, results[kind, scenario, "hand-written"].cpu), most)
        rivals = [results[kind, scenario, name].cpu for name in subjects if name in DLT]
        if rivals:
            limit = targets.FULL_VERSUS_DLT if scenario == "full load" else targets.CHANGED_VERSUS_DLT
            yield Check(f"{kind}, {scenario}: CPU ÷ dlt's best", max(paired(ours, rival) for rival in rivals), limit)
