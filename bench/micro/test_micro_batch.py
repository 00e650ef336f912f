"""What is done to a batch without a database: mapping, content hashes, merge."""

from collections.abc import Mapping
from typing import Any

from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.opened import Opened
from bench.shape import BATCH
from mjcore.merge import merge
from mjcore.models import ConflictResolution
from mjcore.records import MappedRecord


def test_mapping(benchmark: BenchmarkFixture, plain: Opened, rounds: int) -> None:
    plan = plain.batches.plan
    mapped = benchmark.pedantic(plan, setup=lambda: ((plain.changed(),), {}), rounds=rounds, warmup_rounds=1)
    assert len(mapped.records) == BATCH


def test_content_hashes(benchmark: BenchmarkFixture, plain: Opened, rounds: int) -> None:
    found = benchmark.pedantic(plain.batches.plan.hashes, (plain.records,), rounds=rounds, warmup_rounds=1)
    assert len(set(found)) == BATCH


def test_merge(benchmark: BenchmarkFixture, plain: Opened, rounds: int) -> None:
    """Three-way: of each record one field has changed at the source, and nothing in the row."""
    before, after = plain.batches.plan(plain.records).records, plain.batches.plan(plain.changed()).records
    policy: ConflictResolution = "Manual"

    def merged() -> int:
        return sum(len(_merge(plain, old, new.values, policy).changes) for old, new in zip(before, after, strict=True))

    assert benchmark.pedantic(merged, rounds=rounds, warmup_rounds=1) == BATCH


def _merge(plain: Opened, old: MappedRecord, new: Mapping[str, Any], policy: ConflictResolution) -> Any:
    return merge(plain.batches.context.entity, policy, new, old.values, old.values, None)
