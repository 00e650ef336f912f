"""Start-up: what it costs before anything is done."""

from collections.abc import Iterator

from bench import targets
from bench.measure import run
from bench.progress import told
from bench.report import Check, Section, median
from bench.samples import COLUMNS, cells, new
from bench.setting import Setting, environment, tool

IMPORT, PLUGINS, RUNS = "import mjcore", "a kernel with all plugins", "mj runs"
PROGRAMS = {"a bare Python": "pass", IMPORT: "import mjcore", PLUGINS: "from mjcore import Kernel; Kernel('sqlite://').close()"}
TIMES = 2
"""As many rounds: these are short."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found = new()
    rounds = [f"round {number} of {TIMES * setting.rounds}" for number in range(1, TIMES * setting.rounds + 1)]
    with setting.databases.empty("sqlite") as store:
        setting.mj("init", store=store)
        for _, name in told("startup", [(round_, name) for round_ in rounds for name in (*PROGRAMS, RUNS)]):
            if name == RUNS:
                usage = setting.mj("runs", store=store)
            else:
                usage = run([tool("python"), "-c", PROGRAMS[name]], environment())
            found[name,].keep(usage)
    imported, loaded = (median(found[name,].cpu) for name in (IMPORT, PLUGINS))
    checks = [
        Check(f"{IMPORT}: CPU s", imported, targets.IMPORT),
        Check("all plugins: CPU s beyond that", loaded - imported, targets.PLUGINS),
    ]
    rows = [[name, *cells(samples)[:-1]] for (name,), samples in found.items()]
    yield Section("Start-up", ["", *COLUMNS[:-1]], rows, checks, samples={name: s.lists() for (name,), s in found.items()})
