"""Latency: a server that takes 50 ms a page. What a run takes beyond the waiting is what it fails to overlap."""

from collections.abc import Iterator

from mj_sandbox.options import TOKEN

from bench import targets
from bench.progress import told
from bench.report import Section, median, seconds
from bench.samples import new, of_kind, versus
from bench.setting import Setting, account, contacts_map

ROWS = 10_000
MILLISECONDS = 50
BARE, MJCORE = "bare paging", "mj sync"


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found = new()
    with account(setting.rows) as source:
        every = [(round_, kind, name) for round_ in setting.round_names for kind in setting.kinds for name in (BARE, MJCORE)]
        for _, kind, name in told("latency", every):
            source.tell("reset")
            with setting.databases.empty(kind) as store:
                setting.apply(contacts_map(source.address), store)
                source.tell(f"latency/{MILLISECONDS}")
                paging = [source.address, TOKEN, store, "full"]
                usage = setting.peer("paging", paging) if name == BARE else setting.mj("sync", "Bench", store=store)
                source.tell("latency/0")
            found[kind, name].keep(usage)
    rows, checks = [], []
    for kind in setting.kinds:
        for name, samples in of_kind(found, kind):
            rate = f"{setting.rows / median(samples.wall):,.0f}"
            rows.append([f"{kind}: {name}", seconds(samples.wall), rate, seconds(samples.cpu)])
        what = f"{kind}: wall ÷ {BARE}"
        checks.append(versus(what, found[kind, MJCORE], found[kind, BARE], targets.LATENCY))
    title = f"{setting.rows:,} contacts from a server that takes {MILLISECONDS} ms a page"
    samples_of = {": ".join(name): samples.lists() for name, samples in found.items()}
    yield Section(title, ["", "wall s", "records/s", "CPU s"], rows, checks, samples=samples_of)
