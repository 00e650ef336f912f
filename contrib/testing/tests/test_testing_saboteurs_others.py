"""Each rule of matchers, notifiers, executors and attributors is broken by the plugin that was made to break it alone."""

from collections.abc import Callable

from mj_testing.rules import standard_tests
from mj_testing.suites import AttributorSuite, ExecutorSuite, MatcherSuite, NotifierSuite, PluginSuite, TransformSuite

pytest_plugins = ["pytester"]


def test_each_rule_of_the_others_is_broken_by_its_saboteur_alone(check: Callable[..., set[str]]) -> None:
    suites = (MatcherSuite, NotifierSuite, ExecutorSuite, AttributorSuite)
    rules = {name for suite in suites for name in standard_tests(suite)}
    shared = standard_tests(PluginSuite).keys() | standard_tests(TransformSuite).keys()
    assert check("others", suite=suites) == rules - shared | {"test_no_secret_is_told"}
