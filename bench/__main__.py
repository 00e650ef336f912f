"""`make bench`, or `python -m bench --parts load,startup --rows 100000 --rounds 3`."""

import os
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from bench.databases import KINDS, databases
from bench.measure import Failed
from bench.publish import RESULTS, circumstances, publish
from bench.report import Section
from bench.setting import Setting

USUAL = ("load", "latency", "files", "bad", "steps", "startup")
SEPARATE = ("memory", "profile")
"""Only when asked: they take long, or are for whoever works on mjcore."""


def main() -> int:
    """Measure and report."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", default=",".join(USUAL), help=f"of {', '.join(USUAL + SEPARATE)}")
    parser.add_argument("--rows", type=int, default=None, help="records; each part has its own default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--document", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--databases", default=",".join(KINDS), help="kinds of database")
    parser.add_argument("--without-dlt", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for JSON, Markdown and plots")
    given = parser.parse_args()
    parts = given.parts.split(",")
    if unknown := set(parts) - {*USUAL, *SEPARATE}:
        parser.error(f"unknown part {min(unknown)!r}: choose from {', '.join(USUAL + SEPARATE)}")
    load = os.getloadavg()[0]
    sections: list[tuple[str, Section]] = []
    try:
        with databases() as made:
            for part in parts:
                module = import_module(f"bench.parts.{part}")
                rows = given.rows or getattr(module, "ROWS", 100_000)
                setting = Setting(made, given.rounds, rows, given.databases.split(","), not given.without_dlt)
                for section in module.measure(setting):
                    section.show()
                    sections.append((part, section))
            publish(sections, circumstances(made.version(), load), given.results, document=given.document)
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
