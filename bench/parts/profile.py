"""Profile: one full load into SQLite under py-spy: a file for speedscope.app, and the functions with the most own time."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.measure import ROOT
from bench.publish import RESULTS
from bench.report import Section
from bench.setting import BENCH_PYTHON, Setting, account, contacts_map, environment, tool

RATE = 200
"""Samples a second. Waiting threads are left out."""
LINE = re.compile(r":\d+\)$")


def measure(setting: Setting) -> Iterator[Section]:
    """Yield a section for all samples, and one for those of the thread that holds the interpreter's lock."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with account(setting.rows) as source:
        for title, options in (("active threads", []), ("holders of the GIL", ["--gil"])):
            with setting.databases.empty("sqlite") as store:
                setting.apply(contacts_map(source.address), store)
                stacks = _record(options, store, RESULTS / f"profile{''.join(options)}.txt")
            yield _section(f"Profile of a full load, {title}: own time", stacks)
    yield Section("Profile of a full load, to look at", ["file"], [[str(_draw(setting).relative_to(ROOT))]])


def _spy(format_: str, options: list[str], output: Path, store: str) -> None:
    spy = str(BENCH_PYTHON.with_name("py-spy"))
    traced = [tool("python"), "-m", "mj_cli", "sync", "Bench", "--store", store]
    command = [
        spy,
        "record",
        "--rate",
        str(RATE),
        "--threads",
        *options,
        "--format",
        format_,
        "--output",
        str(output),
        "--",
        *traced,
    ]
    subprocess.run(command, cwd=ROOT, env=dict(environment()), check=True, capture_output=True)


def _record(options: list[str], store: str, output: Path) -> Counter[tuple[str, ...]]:
    """Return how often each stack was seen, outermost first; its first element is the thread."""
    _spy("raw", options, output, store)
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in output.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        name = thread.rpartition(": ")[2] if ": " in thread else "MainThread"
        stacks[name, *[LINE.sub(")", frame) for frame in frames]] += int(count)
    return stacks


def _draw(setting: Setting) -> Path:
    picture = RESULTS / "profile.speedscope.json"
    with account(setting.rows) as source, setting.databases.empty("sqlite") as store:
        setting.apply(contacts_map(source.address), store)
        _spy("speedscope", [], picture, store)
    return picture


def _section(title: str, stacks: Counter[tuple[str, ...]]) -> Section:
    total = sum(stacks.values())
    own: Counter[str] = Counter()
    threads: Counter[str] = Counter()
    for stack, count in stacks.items():
        threads[stack[0]] += count
        own[f"{stack[0]}: {stack[-1]}"] += count
    rows = [[name, f"{count / total:.1%}"] for name, count in own.most_common(25)]
    shares = ", ".join(f"{name} {count / total:.0%}" for name, count in threads.most_common())
    return Section(title, ["function", "share"], rows, notes=[f"Of {total} samples: {shares}."])
