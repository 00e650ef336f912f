from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mj_transform_custom import CustomConfig, mj_transform_types
from mj_transform_custom.evaluation import WORKER
from mj_transform_custom.step import Custom

from mjcore.errors import ConfigError, TransformError
from mjcore.records import ABSENT, Reference

(CUSTOM,) = mj_transform_types()


def custom(expression: Any, value: Any = None, record: Any = None) -> Any:
    return CUSTOM.compile(CustomConfig(expression)).apply([value], [record or {}])[0]


# --- Values --------------------------------------------------------------------------------------


def test_value_and_record_are_there() -> None:
    assert custom("value.trim().toLowerCase()", "  Ada ") == "ada"
    assert custom("record.First + ' ' + record['Last Name']", None, {"First": "Ada", "Last Name": "Lovelace"}) == "Ada Lovelace"
    assert custom("Object.keys(record).length", None, {"a": 1, "b": 2}) == 2


def test_undefined_is_absent_and_null_is_null() -> None:
    assert CUSTOM.sees == "absent"
    assert custom("undefined", "x") is ABSENT
    assert custom("null", "x") is None
    assert custom("value === undefined", ABSENT) is True
    assert custom("value === null", None) is True
    assert custom("'a' in record", None, {"a": ABSENT}) is custom("record.a !== undefined", None, {"a": ABSENT}) is False


numbers = st.integers(-(10**30), 10**30) | st.integers(-100, 100) | st.decimals(-(10**9), 10**9, places=3)
texts = st.text() | st.text(st.sampled_from("\0\ud83d\u2028😀'\"\\`${}"))
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("__proto__"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(plain)
def test_every_plain_value_comes_back_as_it_was(value: Any) -> None:
    before = repr(value)
    assert custom("value", value) == value
    assert custom("record.x", None, {"x": value}) == value
    assert repr(value) == before


@pytest.mark.parametrize(
    ("expression", "value", "result"),
    [
        ("value + 1", 41, 42),
        ("value * 2", Decimal("1.25"), Decimal("2.5")),
        ("value + 1n", 2**63, 2**63 + 1),
        ("typeof value", Decimal(10) ** 20, "bigint"),
        ("value[0]", [2**63, 1.5], 2**63),
        ("value", Decimal("1.50"), Decimal("1.5")),
        ("1e300", None, Decimal("1e300")),
        ("value.slice(0, 4)", date(2026, 3, 8), "2026"),
        ("new Date(value)", datetime(2026, 3, 8, 1, 2, tzinfo=UTC), "2026-03-08T01:02:00.000Z"),
        ("value", Reference("contacts", "17"), "17"),
        ("value", ("a", "b"), ["a", "b"]),
        ("({ a: undefined, b: [undefined] })", None, {"b": [None]}),
        ("Object.assign(Object.create(null), { a: 1 })", None, {"a": 1}),
        ("({ toJSON: 1 })", None, {"toJSON": 1}),
        ("'a'.repeat(9000) + value", "b", "a" * 9000 + "b"),
        ("value // a comment", 1, 1),
        ("[3, 1, 2].sort().map(n => n * value)", 2, [2, 4, 6]),
    ],
)
def test_values_cross_the_border(expression: Any, value: Any, result: Any) -> None:
    actual = custom(expression, value)
    assert actual == result
    assert type(actual) is type(result)


@pytest.mark.parametrize("value", [b"a", {1, 2}, float("nan"), Decimal("NaN"), Decimal("0.12345678901234567890"), {(1, 2): 3}])
def test_what_has_no_javascript_value_is_an_error(value: Any) -> None:
    with pytest.raises(TransformError, match="no JavaScript value"):
        custom("1", value)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("value.trim()", "TypeError: cannot read property 'trim' of null"),
        ("0 / 0", "the result is NaN"),
        ("({ a: [1 / 0] })", "the result is Infinity"),
        ("new Date(NaN)", "the result is an invalid date"),
        ("(async () => 1)()", r"the result is \[object Promise\]"),
        ("new Map()", r"the result is \[object Map\]"),
        ("x => x", "the result is a function"),
        ("Symbol('s')", "the result is a symbol"),
        ("'x'.repeat(2e6)", "the result is longer than 1048576 characters"),
        ("(() => { throw new Error('no such country') })()", "Error: no such country"),
        ("(() => { throw null })()", "the expression failed: null"),
        ("(() => { throw { toString() { throw 1 } } })()", "it threw what has no text"),
    ],
)
def test_what_is_no_value_is_an_error(expression: Any, fault: Any) -> None:
    with pytest.raises(TransformError, match=fault):
        custom(expression)


# --- Configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("value +* 2", r"unexpected token in expression: '\*' at line 1, column 8"),
        ("value.trim()\n  .", "at line 3, column 1"),
        ("", "SyntaxError"),
        ("return value", "'return' at line 1, column 1"),
        ("1); (2", r"'\)' at line 1, column 2"),
        ("1)}; (() => {(2", "SyntaxError"),
        ("value /*", "SyntaxError"),
        ("a" * 20_001, "20,001 characters; 20,000 are possible"),
        ("(" * 10_000 + ")" * 10_000, "Maximum call stack size exceeded"),
    ],
)
def test_a_syntax_error_is_a_configuration_error_with_its_place(expression: Any, fault: Any) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        CUSTOM.compile(CustomConfig(expression))
    assert caught.value.problems[0].path == "Expression"


def test_compiling_evaluates_nothing() -> None:
    CUSTOM.compile(CustomConfig("(() => { while (true); })()"))


@pytest.mark.parametrize(
    ("expression", "reads"),
    [
        ("record.a + record?.b + record['c d'] + record?.[\"e\"]", ("a", "b", "c d", "e")),
        ("record.a.trim() + record.a", ("a",)),
        ("record.toString() + record.a + my_record.b", ("a",)),
        ("Object.keys(record)", ()),
        ("value", ()),
    ],
)
def test_the_fields_that_are_written_out_are_named_to_the_kernel(expression: Any, reads: Any) -> None:
    step = CUSTOM.compile(CustomConfig(expression))
    assert isinstance(step, Custom)
    assert step.reads == reads


@pytest.mark.parametrize(
    "expression",
    ["record[value]", "(({ b }) => b)(record)", "({ ...record }).b", "arguments[1].b", r"rec\u006frd.b", "record /**/ .b"],
)
def test_fields_are_found_in_any_other_way_too(expression: Any) -> None:
    assert custom(f"[record.a, {expression}]", "b", {"a": 1, "b": 2}) == [1, 2]


# --- Columns -------------------------------------------------------------------------------------


def test_a_column_that_fails_is_not_evaluated_again_value_by_value() -> None:
    step = CUSTOM.compile(CustomConfig("value.n.toFixed(record.digits)"))
    values = [{"n": i} if i % 10 else None for i in range(200)]
    records = [{"digits": 1} for _ in values]
    with pytest.raises(TransformError):
        step.apply(values, records)
    WORKER.stop()
    for i, (value, record) in enumerate(zip(values, records, strict=True)):
        if i % 10:
            assert step.apply([value], [record]) == [f"{i}.0"]
        else:
            with pytest.raises(TransformError, match="cannot read property 'n' of null"):
                step.apply([value], [record])
    assert WORKER.child is None
    assert step.apply([{"n": 1}], [{"digits": 2}]) == ["1.00"]


@pytest.mark.parametrize(
    "expression", ["Date.now()", "new Date()", "Date()", "Math.random()", "value.constructor.constructor('return 1')()"]
)
def test_there_is_no_clock_no_chance_and_no_code_from_text(expression: Any) -> None:
    with pytest.raises(TransformError, match=r"not available|not a function"):
        custom(expression, {})


def test_dates_are_in_utc() -> None:
    assert custom("new Date(2026, 2, 8, 1).toISOString()") == "2026-03-08T01:00:00.000Z"
    assert custom("new Date(0) instanceof Date && new Date(0).constructor === Date") is True
    assert custom("Date.parse('2026-03-08') === Date.UTC(2026, 2, 8)") is True
