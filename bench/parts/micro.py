"""Micro: single stages on batches of a thousand, with pytest-benchmark; saved below bench/results, compared with the last run."""

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

ROWS = 15_000
"""Fifteen batches a stage."""


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section."""
    kept = setting.results / "micro"
    before = _saved(kept)
    _run(setting, kept)
    stats, last = _stats(_saved(kept)[-1]), _stats(before[-1]) if before else {}
    rows = [
        [name, *[f"{found[part] / BATCH * 1e6:.2f}" for part in ("min", "median", "max")], _versus(found, last.get(name))]
        for name, found in stats.items()
    ]
    against = f"The last column compares the least with that of {before[-1].stem}." if before else "Nothing to compare with yet."
    columns = ["", "least", "median", "most", "versus last time"]
    yield Section(f"Stages, µs a record in batches of {BATCH:,}", columns, rows, notes=[against], samples=stats)


def _run(setting: Setting, kept: Path) -> None:
    environ = {
        **environment(),
        "BENCH_MICRO_ROUNDS": str(max(1, setting.rows // BATCH)),
        "BENCH_DATABASES": ",".join(setting.kinds),
    }
    folder = ROOT / "bench" / "micro"
    options = ["-c", str(folder / "pytest.ini"), "-q", "-s", "--benchmark-quiet", "--benchmark-autosave"]
    command = [sys.executable, "-m", "pytest", *options, f"--benchmark-storage=file://{kept}", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}")


def _saved(kept: Path) -> list[Path]:
    """Return what was saved so far, the newest last."""
    return sorted(kept.rglob("*.json"), key=lambda path: path.stat().st_mtime)


def _stats(path: Path) -> dict[str, Mapping[str, Any]]:
    """Return seconds a batch, by the name of what was measured."""
    found = json.loads(path.read_text())["benchmarks"]
    return {each["name"].removeprefix("test_").replace("_", " "): each["stats"] for each in found}


def _versus(now: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
    return f"{now['min'] / last['min'] - 1:+.0%}" if last else ""
