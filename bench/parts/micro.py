"""Micro: single stages on batches of a thousand, with pytest-benchmark; kept below bench/results/micro, compared with the last time."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.measure import ROOT, Failed
from bench.report import Section
from bench.setting import Setting, environment
from bench.shape import BATCH

ROUNDS = 5
"""Of a benchmark in each round of the others."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    kept = setting.results / "micro"
    before = _saved(kept)
    _run(setting, kept)
    stats, last = _stats(_saved(kept)[-1]), _stats(before[-1]) if before else {}
    rows = [[name, *[f"{found[part] / BATCH * 1e6:.2f}" for part in ("min", "median", "max")], _versus(found, last.get(name))]
            for name, found in stats.items()]  # fmt: skip
    against = f"The last column compares the least with that of {before[-1].stem}." if before else "Nothing to compare with yet."
    columns = ["", "least", "median", "most", "versus last time"]
    yield Section(f"Stages, µs a record in batches of {BATCH:,}", columns, rows, notes=[against], samples=stats)


def _run(setting: Setting, kept: Path) -> None:
    environ = {
        **environment(),
        "BENCH_MICRO_ROUNDS": str(ROUNDS * setting.rounds),
        "BENCH_DATABASES": ",".join(setting.kinds),
    }
    folder = ROOT / "bench" / "micro"
    options = ["-c", str(folder / "pytest.ini"), "-q", "-s", "--benchmark-quiet", "--benchmark-autosave"]
    command = [sys.executable, "-m", "pytest", *options, f"--benchmark-storage=file://{kept}", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}")


def _saved(kept: Path) -> list[Path]:
    """Return what was saved so far, the newest last: pytest-benchmark counts upwards."""
    return sorted(kept.rglob("*.json"), key=lambda path: path.name)


def _stats(path: Path) -> dict[str, Mapping[str, Any]]:
    """Return seconds a batch, by the name of what was measured."""
    found = json.loads(path.read_text())["benchmarks"]
    return {each["name"].removeprefix("test_").replace("_", " "): each["stats"] for each in found}


def _versus(now: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
    return f"{now['min'] / last['min'] - 1:+.0%}" if last else ""
