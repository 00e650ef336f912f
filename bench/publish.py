"""Keeps results: JSON, Markdown and a plot below bench/results, and the tables of docs/benchmarks.md."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.measure import ROOT
from bench.plot import bars
from bench.report import Section

RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- last run -->", "<!-- end of last run -->"


def publish(sections: Sequence[tuple[str, Section]], folder: Path = RESULTS, *, document: bool = False) -> None:
    """Write what was measured; with `document` into docs/benchmarks.md, too."""
    folder.mkdir(parents=True, exist_ok=True)
    name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    data = [
        {"part": part, "title": section.title, "columns": section.columns, "rows": section.rows, "samples": section.samples,
         "checks": [[check.what, check.value, check.at_most] for check in section.checks]}
        for part, section in sections
    ]  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps({"machine": machine(), "sections": data}, indent=1))
    (folder / f"{name}.md").write_text("\n\n".join([machine(), *[section.markdown() for _, section in sections]]) + "\n")
    if document:
        _into_document(sections)
    for number, (part, section) in enumerate(sections):
        if section.bars:
            (folder / f"{name}-{part}-{number}.svg").write_text(bars(section.title, section.bars, section.unit))


def _into_document(sections: Sequence[tuple[str, Section]]) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    tables = "\n\n".join([machine(), *[section.markdown() for _, section in sections]])
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}")


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "psycopg", "httpx", "msgspec"))
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.system()}, {cores} cores, load {load:.1f}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {versions}"
    )
