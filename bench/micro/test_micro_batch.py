"""What is done to a batch without a database: mapping, content hashes, merge."""

from collections.abc import Mapping
from typing import Any

from bench.micro.opened import Opened, Timed
from bench.shape import BATCH
from mjcore.merge import merge
from mjcore.models import ConflictResolution
from mjcore.records import MappedRecord


def test_mapping(timed: Timed, plain: Opened) -> None:
    plan = plain.batches.plan
    mapped = timed(plan, setup=lambda: ((plain.changed(),), {}))
    assert len(mapped.records) == BATCH


def test_content_hashes(timed: Timed, plain: Opened) -> None:
    found = timed(plain.batches.plan.hashes, (plain.records,))
    assert len(set(found)) == BATCH


def test_merge(timed: Timed, plain: Opened) -> None:
    """Three-way: of each record one field has changed at the source, and nothing in the row."""
    before, after = plain.batches.plan(plain.records).records, plain.batches.plan(plain.changed()).records
    policy: ConflictResolution = "Manual"

    def merged() -> int:
        return sum(len(_merge(plain, old, new.values, policy).changes) for old, new in zip(before, after, strict=True))

    assert timed(merged) == BATCH


def _merge(plain: Opened, old: MappedRecord, new: Mapping[str, Any], policy: ConflictResolution) -> Any:
    return merge(plain.batches.context.entity, policy, new, old.values, old.values, None)
