"""Steps: µs a value of every transform step, on batches of a thousand."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from bench.report import Section, median
from bench.setting import Setting
from mjcore import Kernel
from mjcore.wire import structure

ROWS = 20_000
BATCH = 1000
TEXT = "Ada  Lovelace of Marylebone {}"
STEPS: Mapping[str, tuple[str, Mapping[str, Any], Any]] = {
    "direct": ("direct", {}, TEXT),
    "regex, replace": ("regex", {"Pattern": "[^0-9]", "Replacement": "", "Flags": "g"}, "+1 202-555-{:04}"),
    "regex, extract": ("regex", {"Pattern": "([0-9]{3})-"}, "+1 202-555-{:04}"),
    "split": ("split", {"Delimiter": " ", "Index": 0}, TEXT),
    "combine": ("combine", {"Parts": ["{{a}}", "{{b}}"], "Separator": " "}, TEXT),
    "lookup": ("lookup", {"Map": {"lead": "Lead", "customer": "Customer"}, "DefaultValue": "Unknown"}, "customer"),
    "format, phone": ("format", {"FormatType": "phone", "OutputFormat": "E164", "Locale": "en-US"}, "+1 202-555-{:04}"),
    "format, date": ("format", {"FormatType": "date", "InputFormat": "MM/DD/YYYY", "OutputFormat": "YYYY-MM-DD"}, "03/08/{:04}"),
    "substring": ("substring", {"Start": 0, "Length": 10}, TEXT),
    "coerce, number": ("coerce", {"TargetType": "number"}, "{}.50"),
    "coerce, date": ("coerce", {"TargetType": "date", "Zone": "UTC"}, "{:04}-01-23T09:46:37.611Z"),
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


def _costs(step: Any, value: Any, setting: Setting) -> Iterator[float]:
    """Yield µs a value, one figure a round. Values differ, so that what a step remembers of a column does not flatter it."""
    values = [value.format(i) for i in range(1000, 1000 + BATCH)]
    records = [{"a": "Ada", "b": str(i)} for i in range(BATCH)]
    step.apply(values, records)
    for _ in range(setting.rounds):
        began = time.perf_counter()
        for _ in range(max(1, setting.rows // BATCH)):
            step.apply(values, records)
        yield (time.perf_counter() - began) / max(1, setting.rows // BATCH) / BATCH * 1e6
    if hasattr(step, "close"):
        step.close()
