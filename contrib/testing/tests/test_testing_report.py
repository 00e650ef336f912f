"""The report says what was proven and what not, also when workers have done the proving."""

import re
from html import unescape
from typing import Any

import pytest

pytest_plugins = ["pytester"]

SUITES = """
import pytest
from mj_testing.suites import PluginSuite, overridden
from mjcore.hookspecs import hookimpl

class Plugin:
    @hookimpl
    def mj_batch_done(self, context, counts):
        pass

class TestOne(PluginSuite):
    plugin = Plugin()
    lacks = {"packaging": "it is a class", "lightness": "it is <small>"}

    @overridden("the kernel does it")
    def test_it_loads_into_a_kernel(self):
        pass

    @pytest.mark.xfail(strict=True, reason="nobody listens")
    def test_every_hook_is_heard(self):
        assert False

class TestTwo(PluginSuite):
    plugin = Plugin()
    lacks = {"pakcaging": "it is a class", "packaging": "it is a class", "lightness": "it is small"}
"""
STEP = """
from pathlib import Path
from mj_testing.suites import PluginSuite
from mjcore.hookspecs import hookimpl

class Plugin:
    @hookimpl
    def mj_batch_done(self, context, counts):
        pass

class TestOne(PluginSuite):
    plugin, examples = Plugin(), 4
    lacks = {"packaging": "it is a class", "lightness": "it is small"}

    def _loads(self):
        with Path("seen").open("a") as file:
            print(self.examples, file=file)
"""


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "workers"])
def test_the_report_tells_every_rule_with_its_outcome(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    if options:
        pytest.importorskip("xdist")
    pytester.makepyfile(SUITES)
    ended = pytester.runpytest_subprocess("--mj-report", "report.html", "-p", "no:cacheprovider", *options, timeout=120)
    ended.stdout.fnmatch_lines(
        ["16 rules of 2 suites: 8 proven, 1 broken, 1 known to be broken, 6 not tested; * examples: report.html"]
    )
    page = (pytester.path / "report.html").read_text()
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "lightness it is <small>" in text
    assert "replaced by the suite's own test: the kernel does it" in text
    assert "nobody listens" in text
    assert "did you mean 'packaging'?" in text
    assert "it and all its modules import with its declared dependencies alone" in text
    assert not re.findall(r"(?:src|href)=\"(?!#)", page), "nothing is loaded from elsewhere"


def test_the_number_of_examples_can_be_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(STEP)
    for asked in ((), ("--mj-examples", "9")):
        pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *asked, timeout=120)
    assert sorted(set(map(int, (pytester.path / "seen").read_text().split()))) == [4, 9]


def test_without_the_option_nothing_is_written(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    ended: Any = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=120)
    ended.assert_outcomes(passed=1)
    assert not list(pytester.path.glob("*.html"))


def test_the_plugin_loads_nothing_before_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = [name for name in sys.modules if name.startswith(("mj_testing", "mjcore"))]
            assert sorted(ours) == ["mj_testing", "mj_testing.plugin"]
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=120).assert_outcomes(passed=1)
