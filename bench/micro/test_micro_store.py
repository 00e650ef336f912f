"""What a batch asks of the database: look up links, decide, commit."""

from collections.abc import Callable
from typing import Any

from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.opened import Opened
from bench.shape import BATCH
from mjcore.records import ExternalRecord

Arguments = Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]


def given(records: Callable[[], Any]) -> Arguments:
    """Return what prepares one round: the argument."""
    return lambda: ((records(),), {})


def test_links(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    ids = [record.external_id for record in stored.records]
    store, context = stored.batches.store, stored.batches.context
    assert len(benchmark.pedantic(store.links, (context, ids), rounds=rounds, warmup_rounds=1)) == BATCH


def test_decide_creates(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    write = benchmark.pedantic(stored.decided, setup=given(stored.fresh), rounds=rounds, warmup_rounds=1)
    assert write.counts.created == BATCH


def test_decide_updates(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    write = benchmark.pedantic(stored.decided, setup=given(stored.changed), rounds=rounds, warmup_rounds=1)
    assert write.counts.updated == BATCH


def test_decide_unchanged(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    def again() -> list[ExternalRecord]:
        """Return what is stored now: other tests of this module update it."""
        records = stored.changed()
        stored.commit(stored.decided(records))
        return records

    write = benchmark.pedantic(stored.decided, setup=given(again), rounds=rounds, warmup_rounds=1)
    assert write.counts.unchanged == BATCH


def test_commit_creates(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    writes = given(lambda: stored.decided(stored.fresh()))
    benchmark.pedantic(stored.commit, setup=writes, rounds=rounds, warmup_rounds=1)


def test_commit_updates(benchmark: BenchmarkFixture, stored: Opened, rounds: int) -> None:
    writes = given(lambda: stored.decided(stored.changed()))
    benchmark.pedantic(stored.commit, setup=writes, rounds=rounds, warmup_rounds=1)
