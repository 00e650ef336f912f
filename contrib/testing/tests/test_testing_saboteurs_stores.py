"""Each rule of stores is broken by the store that was made to break it, and by no other."""

from collections.abc import Callable

from mj_testing.rules import standard_tests
from mj_testing.suites import PluginSuite, StoreSuite

pytest_plugins = ["pytester"]


def test_each_rule_of_stores_is_broken_by_its_saboteur_alone(check: Callable[..., set[str]]) -> None:
    rules = standard_tests(StoreSuite).keys() - standard_tests(PluginSuite).keys()
    assert check("stores", suite=StoreSuite) == rules
