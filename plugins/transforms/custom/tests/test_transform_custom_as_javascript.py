"""Random expressions over random values: the sandbox and a bare JavaScript engine must agree."""

import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
import quickjs  # type: ignore[import-untyped]  # it has no py.typed
from mj_transform_custom import CustomConfig, mj_transform_types

from mjcore.errors import TransformError
from mjcore.records import ABSENT

(CUSTOM,) = mj_transform_types()

ENGINE = """(expression => {
  const evaluate = new Function("value", "record", `"use strict"; return (${expression})`)
  const finite = (_, value) => { if (typeof value === "number" && !isFinite(value)) throw new Error(value); return value }
  return text => {
    const [value, record] = JSON.parse(text)
    try {
      const result = evaluate(value, record)
      return result === undefined ? "[]" : JSON.stringify([result], finite)
    } catch (error) { return '"failed"' }
  }
})"""

TEXTS = ["value", "record.s", "record['t u']", "'a,b,,c'", "' Ä '", "''", "'12'"]
NUMBERS = ["value", "record.n", "record.d", "0", "1", "-7", "2.5", "1e3"]
OF_TEXT = [
    "{}.trim()", "{}.toUpperCase()", "{}.toLowerCase()", "{}.slice(1, -1)", "{}.split(',')[1]", "{}.replace(/[a-c]+/g, '<$&>')",
    "{}.padStart(8, '0')", "`${{{}}}!`", "({} + {})", "{}.substring(2)", "{}.at(-1)", "{}.normalize('NFD')", "String({})",
    "{}.replaceAll(',', ';')", "[...{}].reverse().join('')", "{}.charAt(1)", "encodeURIComponent({})", "{}.match(/(\\d+)/)?.[1]",
]  # fmt: skip
OF_NUMBER = [
    "({} + {})", "({} - {})", "({} * {})", "({} / {})", "({} % {})", "Math.floor({})", "Math.abs({})", "Math.max({}, {})", "-{}",
    "Number({})", "parseInt({}, 10)", "parseFloat({})", "Math.round({} * 100) / 100", "Number({}.toFixed(2))", "({} | 0)",
]  # fmt: skip
OF_ANY = [
    "({} ? {} : {})", "({} ?? {})", "({} || {})", "({} && {})", "[{}, {}]", "({{ a: {}, b: {} }})", "({} === {})", "({} < {})",
    "JSON.parse(JSON.stringify({}))", "typeof {}", "[{}, {}].map(x => x).filter(Boolean)", "(x => [x, x])({})", "!{}", "void {}",
    "({{ ...record, z: {} }})", "(() => {{ const {{ s, ...rest }} = record; return [rest, {}] }})()",
    "Object.entries({{ k: {} }})",
    "new Map([['k', {}]]).get('k')", "(() => {{ try {{ return {}.a.b }} catch (e) {{ return e.name }} }})()", "record.list?.[{}]",
    "(() => {{ let n = 0; for (const x of [{}, {}]) n += String(x).length; return n }})()",
    "new Date(Number({})).getUTCFullYear()",
]  # fmt: skip


class Generator:
    def __init__(self, seed: Any) -> None:
        self.random = random.Random(seed)

    def expression(self, depth: Any, leaves: Any = None) -> Any:
        pick = self.random
        if depth == 0:
            return f"({pick.choice(leaves or TEXTS + NUMBERS)})"
        shapes, leaves = pick.choice([(OF_TEXT, TEXTS), (OF_NUMBER, NUMBERS), (OF_ANY, None)])
        shape = pick.choice(shapes)
        holes = shape.replace("{{", "").replace("}}", "").count("{}")
        return f"({shape.format(*(self.expression(pick.randint(0, depth - 1), leaves) for _ in range(holes)))})"

    def scalar(self) -> Any:
        pick = self.random
        text = "".join(pick.choice(["a", "B", "ä", "😀", ",", " ", "7", "\0", "\ud83d", "\u2028", "'", "\\"]) for _ in range(5))
        return pick.choice(
            [text, text, pick.randint(-1000, 1000), 2**53 - 1, Decimal(pick.randint(-999, 999)) / 8, True, None, ""]
        )

    def record(self) -> Any:
        fields = {"s": self.scalar(), "t u": self.scalar(), "n": self.scalar(), "d": Decimal("12.5"), "list": [1, self.scalar()]}
        return {name: value for name, value in fields.items() if self.random.random() < 0.9}


def sent(value: Any) -> Any:
    """Return what the engine gets, without the code under test."""
    return json.dumps(value, default=float)


def outcomes(step: Any, values: Any, records: Any) -> Any:
    """Apply a step as the kernel does: to the column, and if that fails, value by value."""
    try:
        return [[] if result is ABSENT else [result] for result in step.apply(values, records)]
    except TransformError:
        pass
    results: list[Any] = []
    for value, record in zip(values, records, strict=True):
        try:
            results.append([step.apply([value], [record])[0]])
        except TransformError:
            results.append("failed")
    return [[] if result == [ABSENT] else result for result in results]


@pytest.mark.parametrize("seed", range(4))
def test_expressions_do_what_javascript_does(seed: Any) -> None:
    generator, engine = Generator(seed), quickjs.Context().eval(ENGINE)
    seen: Counter[str] = Counter()
    for _ in range(600):
        expression = generator.expression(4)
        step, evaluate = CUSTOM.compile(CustomConfig(expression)), engine(expression)
        values, records = [generator.scalar() for _ in range(12)], [generator.record() for _ in range(12)]
        expected = [json.loads(evaluate(sent([v, r])), parse_float=Decimal) for v, r in zip(values, records, strict=True)]
        assert outcomes(step, values, records) == expected, expression
        seen.update(map(str, expected))
    assert seen["failed"] < 600 * 12 / 2
    assert len(seen) > 500
