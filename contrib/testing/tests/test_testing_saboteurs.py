"""Each standard test fails for the plugin that breaks its rule, and for no other: else it would prove nothing."""

from collections.abc import Callable

import pytest
from mj_testing.rules import standard_tests
from mj_testing.suites import PluginSuite, TransformSuite

pytest_plugins = ["pytester"]
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


@pytest.fixture
def packages(package: Callable[..., None]) -> None:
    package("mj_transform_sound", __init__=PLUGIN)
    package("mj_transform_misnamed", "misnamed-transform", __init__=PLUGIN)
    package("mj_transform_needy", __init__=PLUGIN, later="import hypothesis\n")
    package("mj_transform_heavy", needs=("mjcore", "hypothesis"), __init__=f"import hypothesis\n{PLUGIN}")


@pytest.mark.usefixtures("packages")
def test_each_rule_of_transforms_is_broken_by_its_saboteur_alone(check: Callable[..., set[str]]) -> None:
    broken = check("transforms", "packages", suite=TransformSuite)
    assert broken == standard_tests(TransformSuite).keys()
    assert broken >= standard_tests(PluginSuite).keys()
