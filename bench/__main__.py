"""`make bench`, or `python -m bench --parts load,startup --rows 100000 --rounds 3`."""

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path

from bench.databases import KINDS, Databases, databases
from bench.measure import Failed
from bench.publish import RESULTS, Circumstances, publish
from bench.report import Section
from bench.setting import Setting

USUAL = ("load", "latency", "files", "bad", "shapes", "costs", "steps", "micro", "startup")
SEPARATE = ("memory", "profile")
"""Only when asked: they take long, or are for whoever works on mjcore."""
FAILED, MISSED = 1, 3
"""Exit codes: a subject did not do its work; a target was missed."""


def main() -> int:
    """Measure and report."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", default=",".join(USUAL), help=f"of {', '.join(USUAL + SEPARATE)}")
    parser.add_argument("--rows", type=int, default=None, help="records; each part has its own default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--document", action="store_true", help="put the tables into docs/benchmarks.md and docs/performance.md")
    parser.add_argument("--databases", default=",".join(KINDS), help="kinds of database")
    parser.add_argument("--without-dlt", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for JSON, Markdown and plots")
    given = parser.parse_args()
    if unknown := set(given.parts.split(",")) - {*USUAL, *SEPARATE}:
        parser.error(f"unknown part {min(unknown)!r}: choose from {', '.join(USUAL + SEPARATE)}")
    load = os.getloadavg()[0]
    failures: list[Failed] = []
    with databases(given.databases.split(",")) as made:
        found = Circumstances(made.version(), load)
        sys.stderr.write(f"load average {load:.1f}{': a busy machine, as every verdict will say' if found.is_busy else ''}\n")
        sections = _measured(given, made, found, failures)
    publish(sections, found, given.results, document=given.document)
    for failure in failures:
        sys.stderr.write(f"FAILED: {failure}\n")
    missed = [check for _, section in sections for check in section.checks if not check.holds]
    sys.stderr.write(f"{found.load()}; {len(missed)} targets missed{' (busy machine)' if found.is_busy else ''}\n")
    return FAILED if failures else MISSED if missed else 0


def _measured(given: Namespace, made: Databases, found: Circumstances, failures: list[Failed]) -> list[tuple[str, Section]]:
    """Return the sections of each part; a part that fails does not keep the others from being measured."""
    sections: list[tuple[str, Section]] = []
    for part in given.parts.split(","):
        module = import_module(f"bench.parts.{part}")
        rows = given.rows or getattr(module, "ROWS", 100_000)
        kinds = given.databases.split(",")
        setting = Setting(made, given.rounds, rows, kinds, with_dlt=not given.without_dlt, results=given.results)
        try:
            for section in module.measure(setting):
                section.show(is_busy=found.is_busy)
                sections.append((part, section))
        except Failed as error:
            sys.stderr.write(f"{part}: {error}\n")
            failures.append(error)
    return sections


if __name__ == "__main__":
    sys.exit(main())
