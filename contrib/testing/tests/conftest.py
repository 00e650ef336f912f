"""Runs saboteurs: plugins that break one rule each, under their suites, in a pytest of their own."""

import re
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field
from mj_testing.rules import standard_tests

SABOTEURS = Path(__file__).parent / "saboteurs"
LINE = re.compile(r"^test_\w+\.py::(\w+)::(\w+) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)", re.MULTILINE)
ENTRY = "[mj]\n{entry} = {package}\n"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"


@define
class SubRun:
    """What came of a run: outcome → names of tests, by class; and all that was printed."""

    text: str
    outcomes: dict[str, dict[str, set[str]]] = field(factory=dict)

    def failed(self, suite: str) -> set[str]:
        return self.outcomes[suite]["FAILED"] | self.outcomes[suite]["ERROR"]

    def told(self) -> str:
        """Return the failures as they were printed."""
        return self.text.partition("= FAILURES =")[2].partition("= short test summary")[0][-20_000:]


@pytest.fixture
def check(sub_run: Callable[..., SubRun]) -> Callable[..., set[str]]:
    """Run saboteurs: each has to fail the test that it says it breaks, and no other, in plain words; return all those tests."""

    def check(*modules: str, suite: type | tuple[type, ...]) -> set[str]:
        run = sub_run(*modules)
        wanted = {name: test for module in modules for name, test in breaks(module).items()}
        wrong = {name: sorted(run.failed(name)) for name, test in wanted.items() if run.failed(name) != {test} - {""}}
        assert not wrong, f"these failed other tests than their own: {wrong}\n{run.told()}"
        tests, text = set(wanted.values()) - {""}, " ".join(run.text.split())
        suites = suite if isinstance(suite, tuple) else (suite,)
        for rule in (found[name] for found in map(standard_tests, suites) for name in tests & found.keys()):
            assert " ".join(rule.text.split()) in text
            assert " ".join(rule.remedy.split()) in text
        return tests

    return check


def breaks(module: str) -> dict[str, str]:
    """Return the test that each class of a module says it breaks; "" is sound."""
    found = re.findall(r"^class (Test\w+)\(.*?:\n((?:    .*\n)*)", (SABOTEURS / f"{module}.py").read_text(), re.MULTILINE)
    return {name: (re.findall(r'breaks = "(\w+)"', body) or [""])[0] for name, body in found}


@pytest.fixture
def package(pytester: pytest.Pytester) -> Callable[..., None]:
    """Install a package into the folder of the sub-run: its modules, its entry point, what it declares to need."""

    def install(name: str, entry: str | None = None, needs: tuple[str, ...] = ("mjcore",), **modules: str) -> None:
        distribution = name.replace("_", "-")
        folder = pytester.mkdir(name)
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(source)
        info = pytester.mkdir(f"{name}-1.0.dist-info")
        lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
        (info / "METADATA").write_text(METADATA.format(name=distribution, needs=lines))
        entry = distribution.removeprefix("mj-") if entry is None else entry
        (info / "entry_points.txt").write_text(ENTRY.format(entry=entry, package=name))

    return install


@pytest.fixture
def sub_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SubRun]:
    """Run modules of `saboteurs` in a pytest of their own."""
    monkeypatch.setenv("CI", "true")  # hypothesis then draws the same examples each time

    def run(*modules: str, options: tuple[str, ...] = ()) -> SubRun:
        for module in modules:
            shutil.copy(SABOTEURS / f"{module}.py", pytester.path / f"test_{module}.py")
        ended = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider", *options, timeout=240)
        text = ended.stdout.str()
        outcomes: dict[str, dict[str, set[str]]] = {}
        for suite, test, outcome in LINE.findall(text):
            outcomes.setdefault(suite, defaultdict(set))[outcome].add(test)
        assert outcomes, text + ended.stderr.str()
        return SubRun(text, outcomes)

    return run
