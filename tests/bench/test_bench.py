"""The benchmarks measure what they say: a small run of each part, with nothing but the project and SQLite."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import FAILED, MISSED, SEPARATE, USUAL, main
from bench.contents import Agreement, Contents
from bench.measure import Failed
from bench.parts import bad

Run = Callable[..., list[Mapping[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Measure parts, and return the sections that were kept."""

    def run(parts: str, rows: int, code: int | None = None) -> list[Mapping[str, Any]]:
        options = ["--parts", parts, "--rows", str(rows), "--rounds", "1", "--without-dlt", "--databases", "sqlite"]
        monkeypatch.setattr(sys, "argv", ["bench", *options, "--results", str(tmp_path)])
        ended = main()
        (kept,) = tmp_path.glob("2*.json")
        sections: list[Mapping[str, Any]] = json.loads(kept.read_text())["sections"]
        assert f"### {sections[0]['title']}" in kept.with_suffix(".md").read_text()
        missed = [what for section in sections for what, _, _, _, holds in section["checks"] if not holds]
        assert ended == (code if code is not None else MISSED if missed else 0)
        return sections

    return run


def names(section: Mapping[str, Any]) -> list[str]:
    return [row[0] for row in section["rows"]]


def test_load(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (section,) = run("load", 500)
    full = {name: taken for name, taken in section["samples"].items() if name.startswith("full load")}
    assert {name.partition(": ")[2] for name in full} == {"floor", "hand-written", "expert's bound", "mjcore"}
    assert all(0 < taken["cpu"][0] < 60 and taken["rss"][0] > 5 and taken["serving"][0] > 0 for taken in full.values())
    assert "load 4/4: round 1 of 1, sqlite, mjcore" in capsys.readouterr().err


def test_latency(run: Run) -> None:
    (section,) = run("latency", 300)
    assert all(taken["wall"][0] > 3 * 0.05 for taken in section["samples"].values())


@pytest.mark.parametrize(
    ("part", "rows", "expected"),
    [
        ("files", 200, ["sqlite: bare script", "sqlite: mjcore", "sqlite: mjcore, unchanged"]),
        ("bad", 250, ["sqlite: clean", "sqlite: 1 % bad"]),
        ("memory", 2000, ["sqlite: 100", "sqlite: 2,000"]),
        (
            "costs",
            200,
            ["all of it", "without audit trail", "without links", "without fence, checkpoint", "a plain upsert"],
        ),
        ("startup", 1, ["a bare Python", "import mjcore", "a kernel with all plugins", "mj runs"]),
    ],
)
def test_a_part_compares_its_subjects(part: str, rows: int, expected: list[str], run: Run) -> None:
    (section,) = run(part, rows)
    assert names(section) == expected
    assert section["checks"]


def test_shapes(run: Run) -> None:
    (section,) = run("shapes", 100)
    assert names(section) == [
        f"{s}: {p}" for s in ("100 fields", "wide text", "50 maps") for p in ("floor", "hand-written", "mjcore")
    ]


def test_steps(run: Run) -> None:
    (section,) = run("steps", 1000)
    assert len(section["checks"]) == len(section["samples"]) > 25
    limits = {what: target for what, _, target, _, _ in section["checks"]}
    assert (limits["custom"], limits["regex, extract"], limits["text, lower"]) == ("≤ 15", "≤ 20", "≤ 2")


def test_micro_compares_with_the_last_run(run: Run, tmp_path: Path) -> None:
    last = tmp_path / "micro" / "here" / "0001_last.json"
    last.parent.mkdir(parents=True)
    last.write_text(json.dumps({"benchmarks": [{"name": "test_merge", "stats": {"min": 1000.0}}]}))
    (section,) = run("micro", 1000)
    versus = {row[0]: row[-1] for row in section["rows"]}
    assert {"mapping", "content hashes", "links[sqlite]", "commit creates[sqlite]", "step[custom]"} <= {*versus}
    assert {name: text for name, text in versus.items() if text} == {"merge": "-100%"}
    assert "0001_last" in next(tmp_path.glob("2*.md")).read_text()


def can_trace(folder: Path) -> bool:
    """Tell whether py-spy may look into processes here: some systems allow nobody but root."""
    command = [
        "py-spy",
        "record",
        "--format",
        "raw",
        "--output",
        str(folder / "spied"),
        "--",
        sys.executable,
        "-c",
        "import time; time.sleep(1)",
    ]
    command[0] = str(Path(sys.executable).with_name("py-spy"))
    return subprocess.run(command, capture_output=True).returncode == 0


def test_profile(run: Run, tmp_path: Path) -> None:
    if not can_trace(tmp_path):
        pytest.skip("py-spy may not trace processes on this system")
    (stages, functions, picture) = run("profile", 300)
    assert {"start-up", "fetch", "decode", "hash", "map", "encode", "rows", "links", "audit", "commit"} <= {*names(stages)}
    assert all(sum(counts.values()) > 20 for counts in stages["samples"].values())
    assert functions["rows"]
    assert Path(names(picture)[0]).stat().st_size > 1000


def test_a_subject_that_fails_does_not_keep_others_from_being_measured(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise Failed("person has 3 rows of 4")

    monkeypatch.setattr(bad, "measure", fail)
    assert [section["part"] for section in run("bad,steps", 1000, code=FAILED)] == ["steps"]
    assert "FAILED: person has 3 rows of 4" in capsys.readouterr().err


def test_the_exit_code_tells_of_a_missed_target(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (section,) = run("files", 100, code=MISSED)  # within a second, start-up included, there are no 15,000 records
    assert [holds for _, _, _, _, holds in section["checks"]] == [False, False]
    told = capsys.readouterr()
    assert told.out.count("MISSED") == 2
    assert "2 targets missed" in told.err


def test_every_part_is_run_here() -> None:
    here = Path(__file__).read_text()
    assert [part for part in (*USUAL, *SEPARATE) if f'"{part}"' not in here] == []


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
