"""The benchmarks measure what they say: a small run of the parts that need nothing but the project."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_a_small_run_does_the_work_and_reports_it(tmp_path: Path) -> None:
    options = ["--parts", "load,steps", "--rows", "500", "--rounds", "1", "--without-dlt", "--databases", "sqlite"]
    command = [sys.executable, "-m", "bench", *options, "--results", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    (kept,) = tmp_path.glob("*.json")
    sections = json.loads(kept.read_text())["sections"]
    assert [section["part"] for section in sections] == ["load", "steps"]
    full = {name: taken for name, taken in sections[0]["samples"].items() if name.startswith("full load")}
    assert {name.partition(": ")[2] for name in full} == {"floor", "hand-written", "expert's bound", "mjcore"}
    assert all(0 < taken["cpu"][0] < 60 and taken["rss"][0] > 5 for taken in full.values())
    assert "| full load: mjcore | " in (tmp_path / kept.name.replace(".json", ".md")).read_text()
