"""Keeps results: JSON, Markdown and plots below bench/results, and the tables of docs/benchmarks.md."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path

from bench.measure import ROOT
from bench.plot import bars
from bench.report import Section

RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PROGRAMS = ("SQLAlchemy", "psycopg", "httpx", "msgspec", "dlt")
Sections = Sequence[tuple[str, Section]]
"""Each with the part that it is of."""


def publish(sections: Sections, circumstances: str, folder: Path = RESULTS, *, document: bool = False) -> None:
    """Write what was measured; with `document` into docs/benchmarks.md, too."""
    folder.mkdir(parents=True, exist_ok=True)
    name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    data = [
        {"part": part, "title": section.title, "columns": section.columns, "rows": section.rows, "samples": section.samples,
         "checks": [[check.what, check.value, check.at_most] for check in section.checks]}
        for part, section in sections
    ]  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps({"circumstances": circumstances, "sections": data}, indent=1))
    (folder / f"{name}.md").write_text("\n\n".join([circumstances, *[section.markdown() for _, section in sections]]) + "\n")
    if document:
        DOCUMENT.write_text(documented(DOCUMENT.read_text(), sections, circumstances))
    for number, (part, section) in enumerate(sections):
        if section.bars:
            (folder / f"{name}-{part}-{number}.svg").write_text(bars(section.title, section.bars, section.unit))


def documented(text: str, sections: Sections, circumstances: str) -> str:
    """Return a document with each measured part between its two markers. Parts without markers stay out of it."""
    for part in dict.fromkeys(part for part, _ in sections):
        begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            tables = "\n\n".join([circumstances, *[section.markdown() for name, section in sections if name == part]])
            text = f"{before}{begin}\n{tables}\n{end}{rest.partition(end)[2]}"
    return text


def circumstances(postgresql: str, load_before: float) -> str:
    """Return when, on what and beside what was measured, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in PROGRAMS if any(distributions(name=name)))
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.system()}, {os.cpu_count()} cores, load average {load_before:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {postgresql}, {versions}."
    )
