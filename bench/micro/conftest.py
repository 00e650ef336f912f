"""A connection opened in each kind of database, and how often everything is measured."""

import os
import sys
from collections.abc import Iterator

import pytest

from bench.databases import KINDS, Databases, databases
from bench.micro.opened import Opened, opened


@pytest.fixture(scope="session")
def rounds() -> int:
    return int(os.environ.get("BENCH_MICRO_ROUNDS", "15"))


@pytest.fixture(scope="session")
def made() -> Iterator[Databases]:
    with databases() as found:
        yield found


@pytest.fixture(scope="session", params=os.environ.get("BENCH_DATABASES", ",".join(KINDS)).split(","))
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
