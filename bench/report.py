"""Figures of one part: on the terminal, as Markdown, as JSON."""

import statistics
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from mj_cli.output import out, table


@frozen
class Check:
    """A figure and the most it may be."""

    what: str
    value: float
    at_most: float

    @property
    def holds(self) -> bool:
        return self.value <= self.at_most

    def cells(self) -> list[str]:
        return [self.what, f"{self.value:.2f}", f"≤ {self.at_most:g}", "yes" if self.holds else "**no**"]


@frozen
class Section:
    """One table of results. `bars`: what the plot shows of it, by label; `samples`: every single measurement."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    checks: Sequence[Check] = ()
    notes: Sequence[str] = ()
    bars: Sequence[tuple[str, float]] = ()
    unit: str = ""
    samples: Any = field(factory=dict)

    def show(self) -> None:
        """Print it."""
        console = out()
        console.print(f"\n{self.title}", style="bold")
        console.print(table(self.columns, self.rows, numbers=self.columns[1:]))
        for note in self.notes:
            console.print(note)
        for check in self.checks:
            verdict = "reached" if check.holds else "MISSED"
            console.print(f"{verdict}: {check.what}: {check.value:.2f} (≤ {check.at_most:g})")

    def markdown(self) -> str:
        """Return it as Markdown."""
        parts = [f"### {self.title}", _table(self.columns, self.rows), *self.notes]
        if self.checks:
            parts.append(_table(["target", "measured", "", "reached"], [check.cells() for check in self.checks]))
        return "\n\n".join(parts)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["--:" for _ in columns[1:]]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, rule, *rows])


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def seconds(values: Sequence[float]) -> str:
    """Return a median and, of several, the range that it lies in."""
    spread = f" ({min(values):.2f}–{max(values):.2f})" if len(values) > 1 else ""
    return f"{median(values):.2f}{spread}"


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of ratios of measurements of the same round, which a busy machine slows alike."""
    return median([a / b for a, b in zip(ours, theirs, strict=True)])
