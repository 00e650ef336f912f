"""Each standard test fails for the plugin that breaks its rule, and for no other: else it would prove nothing."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from mj_testing.rules import standard_tests
from mj_testing.suites import PluginSuite, TransformSuite

SABOTEURS = Path(__file__).parent / "saboteurs"
PLUGIN = """
from attrs import frozen
from mjcore.capabilities import TransformType
from mjcore.hookspecs import hookimpl
from mjcore.scalars import text_of

@frozen
class Plain:
    pass

class Step:
    def apply(self, values, records):
        return [text_of(value) for value in values]

@hookimpl
def mj_transform_types():
    return [TransformType("plain", Plain, lambda config: Step())]
"""


def breaks(module: str) -> dict[str, str]:
    """Return the test that each class of a module says it breaks; "" is sound."""
    text = (SABOTEURS / f"{module}.py").read_text()
    found = re.findall(r"^class (Test\w+)\(.*?:\n((?:    .*\n)*)", text, re.MULTILINE)
    return {name: (re.findall(r'breaks = "(\w+)"', body) or [""])[0] for name, body in found}


def check(run: Any, modules: Iterable[str]) -> set[str]:
    """Check that each saboteur fails its own test, in plain words; return all those tests."""
    wanted = {name: test for module in modules for name, test in breaks(module).items()}
    wrong = {name: sorted(run.failed(name)) for name, test in wanted.items() if run.failed(name) != {test} - {""}}
    assert not wrong, f"these failed other tests than their own: {wrong}"
    return set(wanted.values()) - {""}


def check_words(run: Any, suite: type, tests: Iterable[str]) -> None:
    """Every failure gives the rule and the remedy."""
    text = " ".join(run.text.split())
    for name in tests:
        mark = standard_tests(suite)[name]
        assert " ".join(mark.text.split()) in text
        assert " ".join(mark.remedy.split()) in text


@pytest.fixture
def packages(package: Callable[..., None]) -> None:
    package("mj_transform_sound", __init__=PLUGIN)
    package("mj_transform_misnamed", "misnamed-transform", __init__=PLUGIN)
    package("mj_transform_needy", __init__=PLUGIN, later="import hypothesis\n")
    package("mj_transform_heavy", needs=("mjcore", "hypothesis"), __init__=f"import hypothesis\n{PLUGIN}")


@pytest.mark.usefixtures("packages")
def test_each_rule_of_transforms_is_broken_by_its_saboteur_alone(sub_run: Callable[..., Any]) -> None:
    modules = ("transforms", "packages")
    run = sub_run(*modules)
    broken = check(run, modules)
    assert broken == standard_tests(TransformSuite).keys()
    assert broken >= standard_tests(PluginSuite).keys()
    check_words(run, TransformSuite, broken)
