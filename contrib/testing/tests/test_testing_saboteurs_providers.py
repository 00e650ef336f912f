"""Each rule of providers is broken by the provider that was made to break it, and by no other."""

from collections.abc import Callable
from typing import Any

from mj_testing.rules import standard_tests
from mj_testing.suites import PluginSuite, ProviderSuite

pytest_plugins = ["pytester"]


def test_each_rule_of_providers_is_broken_by_its_saboteur_alone(check: Callable[..., set[str]]) -> None:
    rules: dict[str, Any] = standard_tests(ProviderSuite)
    assert check("providers", suite=ProviderSuite) == rules.keys() - standard_tests(PluginSuite).keys()
