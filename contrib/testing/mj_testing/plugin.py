"""The pytest plugin: fixtures for tests of plugins, and the report. What it needs is imported when it is used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mj_testing.clock import Clock
    from mj_testing.kernels import Kernels
    from mj_testing.recorder import Recorder
    from mj_testing.syncs import Syncs


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mj-testing", "conformance of mjcore plugins")
    group.addoption("--mj-report", metavar="FILE", help="write an HTML page of what the suites have proven")
    group.addoption(
        "--mj-examples", metavar="N", type=int, help="test each rule with N examples instead of the suite's own number"
    )


def pytest_configure(config: pytest.Config) -> None:
    if (path := config.getoption("--mj-report")) and not hasattr(config, "workerinput"):
        from pathlib import Path

        from mj_testing.report import Report

        config.pluginmanager.register(Report(Path(path)), "mj-report")


@pytest.fixture
def clock() -> "Clock":
    """A clock that stands until it is moved: hand it to a kernel as `now=clock`."""
    from mj_testing.clock import Clock

    return Clock()


@pytest.fixture
def recorder() -> "Recorder":
    """A plugin that notes every hook call: hand it to a kernel."""
    from mj_testing.recorder import Recorder

    return Recorder()


@pytest.fixture
def kernel(clock: "Clock") -> "Iterator[Kernels]":
    """Make kernels: `kernel(plugin, …)` has these plugins, a store in memory, the clock of the test, and nothing else."""
    from mj_testing.kernels import Kernels

    with Kernels(clock) as kernels:
        yield kernels


@pytest.fixture
def sync(kernel: "Kernels") -> "Syncs":
    """Sync one entity map: `sync(records, field_maps, plugins=[…])` returns result, rows and failed records."""
    from mj_testing.syncs import Syncs

    return Syncs(kernel)
