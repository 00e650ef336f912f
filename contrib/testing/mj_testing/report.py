"""`--mj-report FILE`: one HTML page of what was proven, with how many examples, and what plugins declare that they cannot do."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import define, field

Outcome = Literal["proven", "broken", "absent", "known"]
WORDS: Mapping[Outcome, tuple[str, str]] = {
    "proven": ("✓", "proven"),
    "broken": ("✗", "broken"),
    "known": ("!", "known to be broken"),
    "absent": ("–", "not tested"),
}
"""Sign and words of each outcome."""
STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c9252d; --known: #9a6700; --quiet: #767676 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem }
h2 code { font-size: 1em } .quiet, .note { color: var(--quiet) } .note { font-size: .875rem; white-space: pre-wrap }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .35rem .6rem; vertical-align: top }
tr + tr td, thead + tbody td { border-top: 1px solid var(--line) } th { font-weight: 600 }
.sign { width: 1.2rem; font-weight: 700 } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.proven .sign { color: var(--good) } .broken .sign, .broken .note { color: var(--bad) }
.known .sign { color: var(--known) } .absent { color: var(--quiet) } pre { overflow-x: auto }
"""


@define
class Line:
    """One standard test of one suite."""

    suite: str
    plugin: str
    rule: str
    needs: str
    outcome: Outcome = "proven"
    examples: int = 0
    note: str = ""


@define
class Report:
    """A pytest plugin that collects what the suites tell, workers' results too, and writes the page at the end."""

    path: Path
    lines: dict[str, Line] = field(factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = next((value for name, value in report.user_properties if name == "mj"), None)
        if told is None:
            return
        facts: Mapping[str, Any] = dict(told)  # type: ignore[call-overload]
        new = Line(facts["suite"], facts["plugin"], facts["rule"], facts["needs"])
        line = self.lines.setdefault(report.nodeid, new)
        line.examples = facts.get("examples", line.examples)
        if facts.get("replaced"):
            line.note = f"replaced by the suite's own test: {facts['replaced']}"
        if report.skipped:
            reason = getattr(report, "wasxfail", None)
            line.outcome, line.note = ("known", reason) if reason else ("absent", _reason(report))
        elif report.failed:
            line.outcome, line.note = "broken", report.longreprtext

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(page(list(self.lines.values())), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{summary(list(self.lines.values()))}: {self.path}")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def summary(lines: list[Line]) -> str:
    """Return the numbers of a run in a sentence."""
    counts = {outcome: sum(line.outcome == outcome for line in lines) for outcome in WORDS}
    told = [f"{counts[outcome]} {words}" for outcome, (_, words) in WORDS.items() if counts[outcome]]
    suites, examples = len({line.suite for line in lines}), sum(line.examples for line in lines)
    return f"{len(lines)} rules of {suites} suites: {', '.join(told) or 'nothing'}; {examples:,} examples"


def page(lines: list[Line]) -> str:
    """Return the page, with nothing to load."""
    suites: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        suites.setdefault((line.plugin, line.suite), []).append(line)
    sections = "".join(section(plugin, suite, found) for (plugin, suite), found in sorted(suites.items()))
    absent = [line for line in lines if line.outcome == "absent" and line.needs]
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>What was proven</title><style>{STYLE}</style>'
        f'<h1>What was proven</h1><p class="quiet">{escape(summary(lines))}. {made}.</p>'
        f"{overview(suites)}{lacking(absent)}{sections}</html>\n"
    )


def overview(suites: Mapping[tuple[str, str], list[Line]]) -> str:
    """Return one row per suite."""
    head = "".join(f'<th class="number">{words}</th>' for _, words in WORDS.values())
    rows = ""
    for (plugin, suite), lines in sorted(suites.items()):
        counts = "".join(_number(sum(line.outcome == outcome for line in lines)) for outcome in WORDS)
        link = f'<a href="#{escape(plugin)}.{escape(suite)}">{escape(suite)}</a>'
        examples = _number(sum(line.examples for line in lines))
        rows += f"<tr><td><code>{escape(plugin)}</code></td><td>{link}</td>{counts}{examples}</tr>"
    return (
        f'<table><thead><tr><th>plugin</th><th>suite</th>{head}<th class="number">examples</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def lacking(lines: Iterable[Line]) -> str:
    """Return what plugins declare that they cannot do."""
    found = dict.fromkeys((line.plugin, line.needs, line.note.partition(": ")[2] or line.note) for line in lines)
    if not found:
        return ""
    rows = "".join(f"<tr><td><code>{escape(p)}</code></td><td>{escape(n)}</td><td>{escape(why)}</td></tr>" for p, n, why in found)
    return f"<h2>Declared absent</h2><table><tbody>{rows}</tbody></table>"


def section(plugin: str, suite: str, lines: list[Line]) -> str:
    """Return the rules of one suite."""
    rows = ""
    for line in lines:
        sign, words = WORDS[line.outcome]
        note = f'<div class="note">{escape(line.note.strip())}</div>' if line.note else ""
        shown = _number(line.examples) if line.outcome == "proven" else "<td></td>"
        told = f'<td class="sign" title="{words}">{sign}</td><td>{escape(line.rule)}{note}</td>{shown}'
        rows += f'<tr class="{line.outcome}">{told}</tr>'
    title = f'<h2 id="{escape(plugin)}.{escape(suite)}">{escape(suite)} <code class="quiet">{escape(plugin)}</code></h2>'
    head = '<thead><tr><th></th><th>rule</th><th class="number">examples</th></tr></thead>'
    return f"{title}<table>{head}<tbody>{rows}</tbody></table>"


def _number(count: int) -> str:
    return f'<td class="number">{f"{count:,}" if count else "·"}</td>'
