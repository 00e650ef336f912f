"""The page of promises and the suite agree: every promise is there, every test that it names exists, none is forgotten."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
NAMED = re.findall(r"^ *- `([^`:]+)::(\w+)`$", PAGE, re.MULTILINE)
PROMISES = dict(re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def proofs_in(path: Path) -> set[str]:
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}


def test_every_promise_is_listed_in_order() -> None:
    assert [int(number) for number in PROMISES] == list(range(1, 37))


@pytest.mark.parametrize("number", range(1, 37))
def test_a_promise_says_what_it_is_and_names_what_proves_it(number: int) -> None:
    text, *tests = re.split(r"^ *- ", PROMISES[str(number)], flags=re.MULTILINE)
    assert text.strip().endswith(".")
    assert tests
    assert all(re.fullmatch(r"`[^`:]+::\w+`", test.strip()) for test in tests)


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_that_is_named_exists(path: str) -> None:
    assert {name for module, name in NAMED if module == path} <= proofs_in(ROOT / path)


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "promises").glob("test_*.py")), ids=lambda path: path.stem)
def test_no_test_of_a_promise_is_forgotten(path: Path) -> None:
    assert proofs_in(path) <= {name for module, name in NAMED if ROOT / module == path}
