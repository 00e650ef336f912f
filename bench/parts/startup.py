"""Start-up: what it costs before anything is done."""

from collections.abc import Iterator

from bench import targets
from bench.measure import run
from bench.report import Check, Section, median, seconds
from bench.setting import Setting, environment, tool

LOAD = "from mjcore import Kernel; Kernel('sqlite://').close()"
PROGRAMS = {"a bare Python": "pass", "import mjcore": "import mjcore", "a kernel with all plugins": LOAD}
ROUNDS = 5
"""At least: these are short."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    with setting.databases.empty("sqlite") as store:
        setting.mj("init", store=store)
        for _ in range(max(ROUNDS, setting.rounds)):
            for name, program in PROGRAMS.items():
                usage = run([tool("python"), "-c", program], environment())
                found.setdefault(name, []).append((usage.cpu, usage.wall, usage.rss))
            usage = setting.mj("runs", store=store)
            found.setdefault("mj runs", []).append((usage.cpu, usage.wall, usage.rss))
    rows = []
    for name, samples in found.items():
        cpu, wall, rss = (list(column) for column in zip(*samples, strict=True))
        rows.append([name, seconds(cpu), seconds(wall), f"{median(rss):.0f}"])
    runs = median([cpu for cpu, _, _ in found["mj runs"]])
    check = Check("mj runs: CPU s", runs, targets.STARTUP)
    yield Section("Start-up", ["", "CPU s", "wall s", "peak MiB"], rows, [check], samples=found)
