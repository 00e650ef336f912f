"""A connection opened in each kind of database, and how often everything is measured."""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from bench.databases import Databases, databases
from bench.micro.chosen import CHOSEN, ROUNDS
from bench.micro.opened import Opened, Timed, opened


@pytest.fixture
def timed(benchmark: Any) -> Timed:
    return partial(benchmark.pedantic, rounds=ROUNDS, warmup_rounds=1)


@pytest.fixture(scope="session")
def made() -> Iterator[Databases]:
    with databases(CHOSEN) as found:
        yield found


@pytest.fixture(scope="session", params=CHOSEN)
def stored(request: pytest.FixtureRequest, made: Databases) -> Iterator[Opened]:
    with made.empty(request.param) as store, opened(store) as found:
        yield found


@pytest.fixture(scope="session")
def plain() -> Iterator[Opened]:
    """For what needs no database."""
    with opened("sqlite://") as found:
        yield found


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Say what is being measured, and how much is left."""
    every = item.session.items
    sys.stderr.write(f"micro {every.index(item) + 1}/{len(every)}: {item.name}\n")
