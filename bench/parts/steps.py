"""Steps: µs a value of every transform step, on batches of a thousand."""

import time
from collections.abc import Iterator
from typing import Any

from bench import targets
from bench.progress import told
from bench.report import Check, Section, median
from bench.setting import Setting
from bench.shape import BATCH
from bench.steps import CASES, Case
from mjcore import Kernel
from mjcore.wire import structure

ROWS = 20_000


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section. Wall time, as `custom` works in a child process."""
    kernel = Kernel()
    found: dict[str, list[float]] = {}
    for (name,) in told("steps", [(name,) for name in CASES]):
        declared = kernel.transform_types[CASES[name].type]
        step = declared.compile(structure(declared.config, CASES[name].config))
        found[name] = list(_costs(step, CASES[name], setting))
    checks = [Check(name, median(costs), _limit(name)) for name, costs in found.items()]
    bars = [(name, median(costs)) for name, costs in found.items()]
    yield Section("Steps, µs a value in batches of 1,000", (), (), checks, bars=bars, unit="µs a value", samples=found)


def _limit(name: str) -> float:
    return targets.STEPS.get(name) or next((most for of, most in targets.STEPS.items() if name.startswith(of)), targets.STEP)


def _costs(step: Any, case: Case, setting: Setting) -> Iterator[float]:
    """Yield µs a value, one figure a round. But where a case says so, no value comes twice: what a step remembers is no merit."""
    records = [{"a": "Ada", "b": str(i)} for i in range(BATCH)]
    step.apply(case.values(0, BATCH), records)
    batches = max(1, setting.rows // BATCH)
    for round_ in range(setting.rounds):
        first = BATCH * (1 + round_ * batches)
        values = [case.values(first + BATCH * i, BATCH) for i in range(batches)]
        began = time.perf_counter()
        for batch in values:
            step.apply(batch, records)
        yield (time.perf_counter() - began) / batches / BATCH * 1e6
    if hasattr(step, "close"):
        step.close()
