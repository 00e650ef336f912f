"""Evaluates an expression for many items: a hostile one harms neither its neighbours nor this process."""

import atexit
import json
import os
import re

from mj_transform_custom.process import Worker, WorkerDied
from mj_transform_custom.worker import KILL_SECONDS, VALUE_SECONDS
from mjcore.errors import ConfigError, Problem

CHUNK = 64
"""Items of one request."""
MEAN_SECONDS = 0.025
"""CPU time of a value on average, which bounds what a batch may use …"""
SPARE_SECONDS = 2.0
"""… beyond this, so that a few hostile values in a small batch leave the others their share."""
MAX_EXPRESSION = 20_000
FIRST_LINE = 4
"""Where an expression begins in the text that the engine compiles."""
POSITION = re.compile(r"\s*at <input>:(\d+):(\d+).*")

KILLED = '"it did not end, and its process was killed"'
OVER_BUDGET = f'"the values of this batch took longer than {MEAN_SECONDS * 1000:g} ms on average"'

WORKER = Worker()
"""One for the whole process: expressions leave nothing behind in it."""
atexit.register(WORKER.stop)
os.register_at_fork(after_in_child=WORKER.forget)


def check(expression: str) -> None:
    """Raise `ConfigError` for a syntax error, with its line and column. Nothing is evaluated."""
    if len(expression) > MAX_EXPRESSION:
        raise ConfigError(Problem("Expression", f"{len(expression):,} characters; {MAX_EXPRESSION:,} are possible"))
    try:
        (line,), _ = WORKER.ask(expression, [], VALUE_SECONDS)
    except WorkerDied:
        raise ConfigError(Problem("Expression", "too complex")) from None
    fault = json.loads(line)
    if fault:
        if position := POSITION.search(fault):
            where = f" at line {int(position[1]) - FIRST_LINE + 1}, column {position[2]}"
            fault = fault[: position.start()] + where
        raise ConfigError(Problem("Expression", fault))


def evaluate(expression: str, items: list[str]) -> list[str]:
    """Return a line of JSON for each item: the result in a list, an empty list for undefined, or a message."""
    lines: list[str] = []
    budget = SPARE_SECONDS + MEAN_SECONDS * len(items)
    for at in range(0, len(items), CHUNK):
        some, budget = _evaluate(expression, items[at : at + CHUNK], budget)
        lines += some
    return lines


def _evaluate(expression: str, items: list[str], budget: float) -> tuple[list[str], float]:
    """Return the lines and what is left of the budget; when the process dies, find out by which item."""
    if budget <= 0:
        return [OVER_BUDGET] * len(items), budget
    try:
        lines, seconds = WORKER.ask(expression, items, min(budget, KILL_SECONDS * len(items)))
    except WorkerDied:
        budget -= KILL_SECONDS
        if len(items) == 1:
            return [KILLED], budget
        lines = []
        for item in items:
            some, budget = _evaluate(expression, [item], budget)
            lines += some
        return lines, budget
    return lines + [OVER_BUDGET] * (len(items) - len(lines)), budget - seconds
