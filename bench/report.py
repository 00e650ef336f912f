"""Figures of one part: on the terminal, as Markdown, as JSON."""

import statistics
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from mj_cli.output import out, table


@frozen
class Check:
    """A figure and the most it may be, or with `at_least` the least. `cpu` is the same ratio of CPU times: shown, not judged."""

    what: str
    value: float
    limit: float
    cpu: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def target(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:,g}"

    def cells(self, *, is_busy: bool) -> list[str]:
        cpu = "" if self.cpu is None else f"{self.cpu:.2f}"
        verdict = "yes" if self.holds else "**no**"
        return [self.what, figure(self.value), cpu, self.target, f"{verdict} (busy machine)" if is_busy else verdict]

    def said(self, *, is_busy: bool) -> str:
        """Return the verdict in one line."""
        cpu = "" if self.cpu is None else f"; CPU {self.cpu:.2f}"
        busy = " (busy machine)" if is_busy else ""
        return f"{'reached' if self.holds else 'MISSED'}{busy}: {self.what}: {figure(self.value)} ({self.target}{cpu})"


@frozen
class Section:
    """One table of results, and the verdict on each target.

    `bars`: what the plot shows of it, by label; `samples`: every single measurement.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    checks: Sequence[Check] = ()
    notes: Sequence[str] = ()
    bars: Sequence[tuple[str, float]] = ()
    unit: str = ""
    samples: Any = field(factory=dict)

    def show(self, *, is_busy: bool) -> None:
        """Print it."""
        console = out()
        console.print(f"\n{self.title}", style="bold")
        if self.rows:
            console.print(table(self.columns, self.rows, numbers=self.columns[1:]))
        for line in [*self.notes, *[check.said(is_busy=is_busy) for check in self.checks]]:
            console.print(line)

    def markdown(self, *, is_busy: bool) -> str:
        """Return it as Markdown."""
        parts = [f"### {self.title}", *([_table(self.columns, self.rows)] if self.rows else ()), *self.notes]
        if self.checks:
            cells = [check.cells(is_busy=is_busy) for check in self.checks]
            parts.append(_table(["target", "measured", "in CPU time", "", "reached"], cells))
        return "\n\n".join(parts)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["--:" for _ in columns[1:]]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, rule, *rows])


def figure(value: float) -> str:
    """Return a number with as many decimals as matter."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def seconds(values: Sequence[float]) -> str:
    """Return a median and, of several, the range that it lies in."""
    spread = f" ({min(values):.2f}–{max(values):.2f})" if len(values) > 1 else ""
    return f"{median(values):.2f}{spread}"


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of ratios of measurements of the same round, which a busy machine slows alike."""
    return median([a / b for a, b in zip(ours, theirs, strict=True)])
