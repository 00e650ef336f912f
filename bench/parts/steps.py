"""Steps: µs a value of every transform step, on batches of a thousand."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import count, islice
from typing import Any

from bench.report import Section, median
from bench.setting import Setting
from mjcore import Kernel
from mjcore.wire import structure

ROWS = 20_000
BATCH = 1000
TEXT = "Ada  Lovelace of Marylebone {}".format
PHONE = "+1 202-5{:06}".format


def _american(number: int) -> str:
    """Return one of three million dates."""
    return (date(1000, 1, 1) + timedelta(days=number)).strftime("%m/%d/%Y")


STEPS: Mapping[str, tuple[str, Mapping[str, Any], Callable[[int], str]]] = {
    "direct": ("direct", {}, TEXT),
    "regex, replace": ("regex", {"Pattern": "[^0-9]", "Replacement": "", "Flags": "g"}, PHONE),
    "regex, extract": ("regex", {"Pattern": "([0-9]{3})-"}, PHONE),
    "split": ("split", {"Delimiter": " ", "Index": 0}, TEXT),
    "combine": ("combine", {"Parts": ["{{a}}", "{{b}}"], "Separator": " "}, TEXT),
    "lookup": (
        "lookup",
        {"Map": {"lead": "Lead", "customer": "Customer"}, "DefaultValue": "Unknown"},
        lambda number: ("lead", "customer", "other")[number % 3],
    ),
    "format, phone": ("format", {"FormatType": "phone", "OutputFormat": "E164", "Locale": "en-US"}, PHONE),
    "format, date": ("format", {"FormatType": "date", "InputFormat": "MM/DD/YYYY", "OutputFormat": "YYYY-MM-DD"}, _american),
    "substring": ("substring", {"Start": 0, "Length": 10}, TEXT),
    "coerce, number": ("coerce", {"TargetType": "number"}, "{}.50".format),
    "coerce, date": ("coerce", {"TargetType": "date", "Zone": "UTC"}, "2024-01-23T09:46:37.{:06}Z".format),
    "custom": ("custom", {"Expression": "value.toUpperCase()"}, TEXT),
    "text, lower": ("text", {"Operation": "lower"}, TEXT),
    "text, collapse": ("text", {"Operation": "collapse"}, TEXT),
}


def measure(setting: Setting) -> Iterator[Section]:
    """Yield one section. Wall time, as `custom` works in a child process."""
    kernel = Kernel()
    rows, found = [], {}
    for name, (kind, config, value) in STEPS.items():
        declared = kernel.transform_types[kind]
        found[name] = list(_costs(declared.compile(structure(declared.config, config)), value, setting))
        rows.append([name, f"{median(found[name]):.2f}"])
    bars = [(name, median(costs)) for name, costs in found.items()]
    yield Section("Steps, µs a value in batches of 1,000", ["step", "µs"], rows, bars=bars, unit="µs a value", samples=found)


def _costs(step: Any, value: Callable[[int], str], setting: Setting) -> Iterator[float]:
    """Yield µs a value, one figure a round. No value comes twice, but in a look-up: what a step remembers does not flatter it."""
    records = [{"a": "Ada", "b": str(i)} for i in range(BATCH)]
    numbers = count()
    step.apply([value(number) for number in islice(numbers, BATCH)], records)
    for _ in range(setting.rounds):
        batches = [[value(number) for number in islice(numbers, BATCH)] for _ in range(max(1, setting.rows // BATCH))]
        began = time.perf_counter()
        for batch in batches:
            step.apply(batch, records)
        yield (time.perf_counter() - began) / len(batches) / BATCH * 1e6
    if hasattr(step, "close"):
        step.close()
