"""Start-up: what it costs before anything is done."""

from collections.abc import Iterator

from bench import targets
from bench.measure import run
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, cells, new
from bench.setting import Setting, environment, tool

IMPORT, PLUGINS = "import mjcore", "a kernel with all plugins"
PROGRAMS = {"a bare Python": "pass", IMPORT: "import mjcore", PLUGINS: "from mjcore import Kernel; Kernel('sqlite://').close()"}
TIMES = 2
"""As many rounds: these are short."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found = new()
    rounds = TIMES * setting.rounds
    with setting.databases.empty("sqlite") as store:
        setting.mj("init", store=store)
        for _ in told("startup", [(f"round {number} of {rounds}",) for number in range(1, rounds + 1)]):
            for name, program in PROGRAMS.items():
                found[name,].keep(run([tool("python"), "-c", program], environment()))
            found["mj runs",].keep(setting.mj("runs", store=store))
    imported, loaded = (median(found[name,].cpu) for name in (IMPORT, PLUGINS))
    checks = [
        Check(f"{IMPORT}: CPU s", imported, targets.IMPORT),
        Check("all plugins: CPU s beyond that", loaded - imported, targets.PLUGINS),
    ]
    rows = [[name, *cells(samples)[:-1]] for (name,), samples in found.items()]
    yield Section("Start-up", ["", *COLUMNS[:-1]], rows, checks, samples={name: s.lists() for (name,), s in found.items()})
