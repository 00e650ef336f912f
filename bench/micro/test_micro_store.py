"""What a batch asks of the database: look up links, decide, commit."""

from collections.abc import Callable
from typing import Any

from bench.micro.opened import Opened, Timed
from bench.shape import BATCH
from mjcore.records import ExternalRecord

Arguments = Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]


def given(records: Callable[[], Any]) -> Arguments:
    """Return what prepares one round: the argument."""
    return lambda: ((records(),), {})


def test_links(timed: Timed, stored: Opened) -> None:
    ids = [record.external_id for record in stored.records]
    store, context = stored.batches.store, stored.batches.context
    assert len(timed(store.links, (context, ids))) == BATCH


def test_decide_creates(timed: Timed, stored: Opened) -> None:
    write = timed(stored.decided, setup=given(stored.fresh))
    assert write.counts.created == BATCH


def test_decide_updates(timed: Timed, stored: Opened) -> None:
    write = timed(stored.decided, setup=given(stored.changed))
    assert write.counts.updated == BATCH


def test_decide_unchanged(timed: Timed, stored: Opened) -> None:
    def again() -> list[ExternalRecord]:
        """Return what is stored now: other tests of this module update it."""
        records = stored.changed()
        stored.commit(stored.decided(records))
        return records

    write = timed(stored.decided, setup=given(again))
    assert write.counts.unchanged == BATCH


def test_commit_creates(timed: Timed, stored: Opened) -> None:
    writes = given(lambda: stored.decided(stored.fresh()))
    timed(stored.commit, setup=writes)


def test_commit_updates(timed: Timed, stored: Opened) -> None:
    writes = given(lambda: stored.decided(stored.changed()))
    timed(stored.commit, setup=writes)
