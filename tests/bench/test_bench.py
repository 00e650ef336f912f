"""The benchmarks measure what they say: a small run of the parts that need nothing but the project."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.contents import Agreement, Contents
from bench.measure import Failed
from bench.publish import documented
from bench.report import Section

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


def of(*rows: tuple[Any, ...]) -> Contents:
    found = Contents()
    for row in rows:
        found += row
    return found


def test_subjects_that_leave_less_or_other_contacts_have_no_figures() -> None:
    agreement = Agreement()
    agreement.check("full load", "hand-written, sqlite", of(("1", "Ada"), ("2", "")), 2)
    agreement.check("full load", "mjcore, sqlite", of(("2", ""), ("1", "Ada")), 2)
    agreement.check("full load", "floor, sqlite", of(("1", "ADA"), ("2", "")), 2)
    agreement.check("full load", "dlt arrow, postgresql", of(("1", "Ada"), ("2", None)), 2)
    with pytest.raises(Failed, match="full load: mjcore, sqlite left other records than hand-written, sqlite"):
        agreement.check("full load", "mjcore, sqlite", of(("1", "Ada"), ("2", None)), 2)
    with pytest.raises(Failed, match="floor, sqlite left 1 records of 2"):
        agreement.check("full load", "floor, sqlite", of(("1", "Ada")), 2)


def test_a_part_that_was_measured_replaces_its_own_tables_alone() -> None:
    text = "Text\n<!-- load -->\nold\n<!-- end of load -->\n\n<!-- files -->\nkept\n<!-- end of files -->\n"
    sections = [("load", Section("New", ["", "s"], [["a", "1"]])), ("profile", Section("Unknown", [""], []))]
    table = "### New\n\n|  | s |\n| --- | --: |\n| a | 1 |"
    assert documented(text, sections, "Where.") == text.replace("old", f"Where.\n\n{table}")
