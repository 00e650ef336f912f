"""Each transform step, on values that it has not seen."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from bench.micro.opened import Timed
from bench.shape import BATCH
from bench.steps import CASES
from mjcore import Kernel
from mjcore.wire import structure


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture(params=CASES)
def step(request: pytest.FixtureRequest, kernel: Kernel) -> Iterator[tuple[str, Any]]:
    case = CASES[request.param]
    declared = kernel.transform_types[case.type]
    compiled = declared.compile(structure(declared.config, case.config))
    yield request.param, compiled
    if hasattr(compiled, "close"):
        compiled.close()


def test_step(timed: Timed, step: tuple[str, Any]) -> None:
    name, compiled = step
    records: Sequence[Mapping[str, str]] = [{"a": "Ada", "b": str(i)} for i in range(BATCH)]
    starts = count(0, BATCH)

    def values() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (CASES[name].values(next(starts), BATCH), records), {}

    timed(compiled.apply, setup=values)
