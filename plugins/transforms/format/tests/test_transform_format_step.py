"""What all formats have in common."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from mj_transform_format import FormatConfig, mj_transform_types

from mjcore.errors import ConfigError
from mjcore.wire import structure

(FORMAT,) = mj_transform_types()


@pytest.mark.parametrize(
    ("kind", "more", "faults"),
    [
        ("phone", {"input_format": "x"}, ["InputFormat: only for FormatType date and number and currency, not phone"]),
        (
            "number",
            {"zone": "UTC", "currency": "EUR"},
            ["Zone: only for FormatType date", "Currency: only for FormatType currency"],
        ),
    ],
)
def test_keys_that_would_change_nothing_are_refused_all_at_once(kind: Any, more: Any, faults: list[str]) -> None:
    for compiled in (FORMAT.compile, FORMAT.inverse):
        assert compiled is not None
        with pytest.raises(ConfigError) as raised:
            compiled(FormatConfig(kind, "x", **more))
        for fault in faults:
            assert fault in str(raised.value)


@pytest.mark.parametrize("kind", ["number", "currency", "phone"])
def test_only_dates_have_a_way_back(kind: Any) -> None:
    assert FORMAT.inverse is not None
    with pytest.raises(ConfigError, match=f"FormatType: not invertible: {kind}"):
        FORMAT.inverse(FormatConfig(kind, "standard"))


def test_nulls_and_absent_values_pass_by() -> None:
    assert FORMAT.sees == "values"


@pytest.mark.parametrize(
    ("config", "value", "expected"),
    [
        ({"FormatType": "date", "InputFormat": "MM/DD/YYYY", "OutputFormat": "YYYY-MM-DD"}, "03/08/2026", "2026-03-08"),
        ({"FormatType": "currency", "OutputFormat": "¤#,##0.00", "Locale": "en-US"}, "1234.5", "$1,234.50"),
        ({"FormatType": "number", "OutputFormat": "#,##0.00", "Locale": "de-DE"}, 1234.5, "1.234,50"),
        ({"FormatType": "phone", "OutputFormat": "E164", "Locale": "en-US"}, "+1 (555) 123-4567", "+15551234567"),
    ],
)
def test_the_keys_are_those_of_the_metadata_file(config: dict[str, Any], value: Any, expected: str) -> None:
    assert FORMAT.compile(structure(FormatConfig, config)).apply([value], [{}]) == [expected]


def test_texts_that_come_again_are_the_same_and_memory_stays_bounded() -> None:
    step = FORMAT.compile(FormatConfig("date", "MM/DD/YYYY"))
    tracemalloc.start()
    try:
        for day in range(200):
            padded = f"{' ' * 100_000}2026-01-{day % 28 + 1:02}"
            assert step.apply([padded, padded], [{}] * 2) == [f"01/{day % 28 + 1:02}/2026"] * 2
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000


def test_a_batch_is_answered_in_order_and_left_as_it_was() -> None:
    values = ["2026-01-02", "2026-01-01", "2026-01-02"]
    answer = FORMAT.compile(FormatConfig("date", "D")).apply(values, [{}] * 3)
    assert answer == ["2", "1", "2"]
    assert values == ["2026-01-02", "2026-01-01", "2026-01-02"]


README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not README.is_file(), reason="the tests stand alone, without the README")
def test_every_example_of_the_readme_compiles() -> None:
    examples = [json.loads(line) for line in README.read_text().splitlines() if line.startswith('{"Type"')]
    assert examples
    for step in examples:
        assert step["Type"] == "format"
        FORMAT.compile(structure(FormatConfig, step["Config"]))
