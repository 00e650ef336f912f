"""Profile: a full load under py-spy: shares of each stage, the functions with the most own time, a file for speedscope.app."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.measure import ROOT, Failed
from bench.progress import told
from bench.report import Section
from bench.setting import BENCH_PYTHON, Setting, account, contacts_map, environment, tool
from bench.stages import ORDER, stage_of

RATE = 200
"""Samples a second. Waiting threads are left out."""
LINE = re.compile(r":\d+\)$")
MODES = {"active": (), "GIL": ("--gil",)}
"""All threads that run, which is CPU time, and those that hold the interpreter's lock, which no other thread can overlap."""
Stacks = Counter[tuple[str, ...]]
"""How often each stack was seen, outermost first; its first element is the thread."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section with shares of stages, one of functions for each database, and one that names the file to look at."""
    setting.results.mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, str], Stacks] = {}
    with account(setting.rows) as source:
        for kind, mode in told("profile", [(kind, mode) for kind in setting.kinds for mode in MODES]):
            with setting.databases.empty(kind) as store:
                setting.apply(contacts_map(source.address), store)
                output = setting.results / f"profile-{kind}-{mode}.txt"
                _spy("raw", *MODES[mode], output=output, store=store)
            found[kind, mode] = _stacks(output.read_text())
        yield _stages(setting, found)
        for kind in setting.kinds:
            yield _functions(f"Functions with the most own time, {kind}", [found[kind, mode] for mode in MODES])
        picture = setting.results / "profile.speedscope.json"
        for (kind,) in told("profile, to look at", [(setting.kinds[0],)]):
            with setting.databases.empty(kind) as store:
                setting.apply(contacts_map(source.address), store)
                _spy("speedscope", output=picture, store=store)
    yield Section("To look at", ["file"], [[str(picture.relative_to(ROOT) if picture.is_relative_to(ROOT) else picture)]])


def _spy(format_: str, *options: str, output: Path, store: str) -> None:
    spy = BENCH_PYTHON.with_name("py-spy")
    traced = [tool("python"), "-m", "mj_cli", "sync", "Bench", "--store", store]
    given = ["--rate", str(RATE), "--threads", *options, "--format", format_, "--output", str(output)]
    command = [str(spy) if spy.exists() else tool("py-spy"), "record", *given, "--", *traced]
    done = subprocess.run(command, cwd=ROOT, env=dict(environment()), check=False, capture_output=True, text=True)
    if done.returncode or not output.exists():
        raise Failed(f"py-spy: {(done.stderr or done.stdout).strip()[-2000:]}")


def _stacks(raw: str) -> Stacks:
    """Read what py-spy wrote: a stack and a number a line."""
    stacks: Stacks = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        name = thread.rpartition(": ")[2] if ": " in thread else "MainThread"
        stacks[name, *[LINE.sub(")", frame) for frame in frames]] += int(count)
    return stacks


def _stages(setting: Setting, found: dict[tuple[str, str], Stacks]) -> Section:
    shares: dict[tuple[str, str], Counter[str]] = {}
    for which, stacks in found.items():
        shares[which] = Counter()
        for stack, count in stacks.items():
            shares[which][stage_of(stack)] += count
    totals = {which: max(1, counts.total()) for which, counts in shares.items()}
    rows = [[stage, *[f"{counts[stage] / totals[which]:.1%}" for which, counts in shares.items()]] for stage in ORDER]
    rows.append(["samples", *[f"{counts.total():,}" for counts in shares.values()]])
    columns = ["stage", *[f"{kind}, {mode}" for kind, mode in shares]]
    samples = {", ".join(which): dict(counts) for which, counts in shares.items()}
    return Section(f"Stages of a full load, {setting.rows:,} contacts", columns, rows, samples=samples)


def _functions(title: str, modes: list[Stacks]) -> Section:
    owns: list[Counter[str]] = []
    threads: list[str] = []
    for mode, stacks in zip(MODES, modes, strict=True):
        own: Counter[str] = Counter()
        by_thread: Counter[str] = Counter()
        for stack, count in stacks.items():
            by_thread[stack[0]] += count
            own[f"{stack[0]}: {stack[-1]}"] += count
        owns.append(own)
        total = max(1, stacks.total())
        threads.append(f"{mode}: " + ", ".join(f"{name} {count / total:.0%}" for name, count in by_thread.most_common()))
    rows = [[f"`{name}`", *[f"{own[name] / max(1, own.total()):.1%}" for own in owns]] for name, _ in owns[0].most_common(25)]
    return Section(title, ["function", *MODES], rows, notes=[f"Samples by thread: {'; '.join(threads)}."])
