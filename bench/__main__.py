"""`make bench`, or `python -m bench --parts load,startup --rows 100000 --rounds 3`."""

import sys
from argparse import ArgumentParser
from importlib import import_module

from bench.databases import databases
from bench.publish import publish
from bench.setting import Setting

USUAL = ("load", "latency", "files", "costs", "bad", "steps", "startup")
SEPARATE = ("memory", "micro", "profile")
"""Only when asked: they take long, or are for whoever works on mjcore."""


def main() -> int:
    """Measure and report; 1 when a target was missed."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", default=",".join(USUAL), help=f"of {', '.join(USUAL + SEPARATE)}")
    parser.add_argument("--rows", type=int, default=None, help="records; each part has its own default")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    parts = given.parts.split(",")
    if unknown := set(parts) - {*USUAL, *SEPARATE}:
        parser.error(f"unknown part {sorted(unknown)[0]!r}: choose from {', '.join(USUAL + SEPARATE)}")
    sections = []
    with databases() as made:
        for part in parts:
            module = import_module(f"bench.parts.{part}")
            setting = Setting(made, given.rounds, given.rows or getattr(module, "ROWS", 100_000))
            for section in module.measure(setting):
                section.show()
                sections.append((part, section))
    publish(sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
