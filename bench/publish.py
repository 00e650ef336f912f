"""Keeps results: JSON, Markdown and plots below bench/results, and the tables of the documents."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path

from attrs import frozen

from bench.measure import ROOT
from bench.plot import bars
from bench.report import Section

RESULTS = ROOT / "bench" / "results"
DOCUMENTS = (ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "performance.md")
PROGRAMS = ("SQLAlchemy", "psycopg", "httpcore", "httpx", "msgspec", "dlt")
BUSY = 0.5
"""Load average a core; above it, other work slows what is measured."""
Sections = Sequence[tuple[str, Section]]
"""Each with the part that it is of."""


@frozen
class Circumstances:
    """PostgreSQL's version, and the load average before anything was measured."""

    postgresql: str
    load_before: float
    cores: int = os.cpu_count() or 1

    @property
    def is_busy(self) -> bool:
        return self.load_before > BUSY * self.cores

    def load(self) -> str:
        busy = "**busy machine**, " if self.is_busy else ""
        return f"{busy}load average {self.load_before:.1f} before and {os.getloadavg()[0]:.1f} after"

    def line(self) -> str:
        """Return when, on what and beside what was measured."""
        versions = ", ".join(f"{name} {version(name)}" for name in PROGRAMS if any(distributions(name=name)))
        return (
            f"{time.strftime('%Y-%m-%d')}, {platform.system()}, {self.cores} cores, {self.load()}; Python "
            f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, PostgreSQL {self.postgresql}, {versions}."
        )


def publish(sections: Sections, found: Circumstances, folder: Path = RESULTS, *, document: bool = False) -> None:
    """Write what was measured; with `document` into the documents, too."""
    folder.mkdir(parents=True, exist_ok=True)
    name, line = time.strftime("%Y%m%d-%H%M%S", time.gmtime()), found.line()
    data = [
        {"part": part, "title": section.title, "columns": section.columns, "rows": section.rows, "samples": section.samples,
         "checks": [[check.what, check.value, check.target, check.cpu, check.holds] for check in section.checks]}
        for part, section in sections
    ]  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps({"circumstances": line, "sections": data}, indent=1))
    tables = [section.markdown(is_busy=found.is_busy) for _, section in sections]
    (folder / f"{name}.md").write_text("\n\n".join([line, *tables]) + "\n")
    for path in DOCUMENTS if document else ():
        path.write_text(documented(path.read_text(), sections, line, is_busy=found.is_busy))
    for number, (part, section) in enumerate(sections):
        if section.bars:
            (folder / f"{name}-{part}-{number}.svg").write_text(bars(section.title, section.bars, section.unit))


def documented(text: str, sections: Sections, circumstances: str, *, is_busy: bool) -> str:
    """Return a document with each measured part between its two markers. Parts without markers stay out of it."""
    for part in dict.fromkeys(part for part, _ in sections):
        begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            tables = "\n\n".join([circumstances, *[s.markdown(is_busy=is_busy) for name, s in sections if name == part]])
            text = f"{before}{begin}\n{tables}\n{end}{rest.partition(end)[2]}"
    return text
