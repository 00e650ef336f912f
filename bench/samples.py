"""What subjects took, round by round, and the columns and checks made of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from bench.measure import Usage
from bench.report import Check, median, paired, seconds


@frozen
class Samples:
    """What one subject took in one scenario, a value a round: seconds and MB."""

    wall: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)
    rss: list[float] = field(factory=list)
    postgresql: list[float] = field(factory=list)
    """CPU seconds of the server."""
    serving: list[float] = field(factory=list)
    """CPU seconds of the account, and its answers."""
    answers: list[float] = field(factory=list)

    def keep(self, usage: Usage, postgresql: float = 0.0, serving: tuple[float, int] = (0.0, 0)) -> None:
        """Add one measurement."""
        self.wall.append(usage.wall)
        self.cpu.append(usage.cpu)
        self.rss.append(usage.rss)
        self.postgresql.append(postgresql)
        self.serving.append(serving[0])
        self.answers.append(serving[1])

    def lists(self) -> Mapping[str, list[float]]:
        """Return every measurement, by what was measured."""
        return {"wall": self.wall, "cpu": self.cpu, "rss": self.rss, "postgresql": self.postgresql, "serving": self.serving}


Found = defaultdict[tuple[str, ...], Samples]
"""By kind of database, and what else tells subjects apart."""


def new() -> Found:
    return defaultdict(Samples)


COLUMNS = ("wall s", "CPU s", "peak MB", "PostgreSQL CPU s")


def cells(found: Samples) -> list[str]:
    """Return the cells of `COLUMNS`."""
    return [seconds(found.wall), seconds(found.cpu), f"{median(found.rss):.0f}", f"{median(found.postgresql):.2f}"]


RATIOS = ("wall ÷ {}", "CPU ÷ {}")


def ratios(found: Samples, other: Samples) -> list[str]:
    """Return the cells of `RATIOS`."""
    return [f"{paired(found.wall, other.wall):.2f}", f"{paired(found.cpu, other.cpu):.2f}"]


def versus(what: str, ours: Samples, theirs: Samples, limit: float) -> Check:
    """Return the check of a ratio of wall times, the ratio of CPU times beside it."""
    return Check(what, paired(ours.wall, theirs.wall), limit, paired(ours.cpu, theirs.cpu))


def of_kind(found: Found, kind: str) -> Iterator[tuple[str, Samples]]:
    """Yield the samples of one kind of database by the rest of their names."""
    for (first, *rest), samples in found.items():
        if first == kind:
            yield ": ".join(rest), samples


def bars(found: Found, kind: str) -> Sequence[tuple[str, float]]:
    """Return what a plot shows: wall seconds."""
    return [(name, median(samples.wall)) for name, samples in of_kind(found, kind)]
