"""Streams: flat in memory, alive while batches are committed, and never in anybody's way."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from attrs import evolve

from mjcore.ids import new_ids
from mjcore.records import Conflict, RecordError, RowChange
from mjcore.store import Store

EVERYWHERE = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)
MANY = 1250


def chunks(links: Iterator[Any], size: int = 500) -> Iterator[list[Any]]:
    while chunk := list(islice(links, size)):
        yield chunk


# --- Commits made while a stream is read -------------------------------------------------------------


@EVERYWHERE
@pytest.mark.parametrize("kind", ["staged_deletes", "unseen"])
def test_what_is_to_be_deleted_streams_while_it_is_deleted(store: Store, scene: Any, kind: str) -> None:
    ids = [f"{i}" for i in range(MANY)]
    keys = scene.create({i: {"Name": i} for i in ids}, staged_deletes=dict.fromkeys(ids if kind == "staged_deletes" else ()))
    met: list[str] = []
    stream = getattr(store, kind)(scene.context)
    for chunk in chunks(stream):
        met += [link.external_id for link in chunk]
        rows = store.read(scene.entity, [link.key for link in chunk], ("id", "Email", "Name", "Amount"))
        scene.commit(
            changes=[RowChange("delete", x.key, rows[x.key], {}, x.external_id) for x in sorted(chunk, key=lambda x: x.key)],
            links=[evolve(link, is_tombstone=True) for link in chunk],
            cleared=[link.external_id for link in chunk],
            unstaged=[link.external_id for link in chunk],
        )
    assert sorted(met) == sorted(ids), "each once"
    assert list(getattr(store, kind)(scene.context)) == []
    assert store.count_links(scene.context) == 0
    assert store.read(scene.entity, list(keys.values()), ("id",)) == {}


@EVERYWHERE
def test_the_past_and_the_queues_stream_while_they_grow(store: Store, scene: Any) -> None:
    ids = [f"{i}" for i in range(MANY)]
    failed = [RecordError(i, "fetch", "code", "message") for i in ids]
    keys = scene.create({i: {"Name": i} for i in ids}, failed=failed, conflicts=[Conflict(i, (i,), {}, {}, {}) for i in ids])
    streams: list[Iterator[Any]] = [
        store.changes(),
        store.failed(scene.context),
        store.conflicts(),
        store.rows(scene.entity).scan(("Name",)),
    ]
    met: list[set[Any]] = [set() for _ in streams]
    for i, (key, external_id) in enumerate(sorted((key, i) for i, key in keys.items())):
        for items, stream in zip(met, streams, strict=True):
            item = next(stream, None)
            if item is not None:
                items.add(item[0] if isinstance(item, tuple) else item.external_id)
        if i % 100 == 0:
            changes = [RowChange("update", key, {"Name": external_id}, {"Name": f"{external_id}!"}, external_id)]
            scene.commit(changes=changes, failed=[RecordError("z", "fetch", "code", "later")], conflicts=[])
    for items, stream in zip(met, streams, strict=True):
        items |= {item[0] if isinstance(item, tuple) else item.external_id for item in stream}
    assert [len(items - {"z"}) for items in met] == [MANY] * 4


@EVERYWHERE
def test_a_stream_that_is_left_unread_is_in_nobodys_way(store: Store, scene: Any) -> None:
    ids = [f"{i}" for i in range(MANY)]
    scene.create({i: {"Name": i} for i in ids}, staged_deletes=dict.fromkeys(ids[::2]))
    left = [
        store.changes(),
        store.staged_deletes(scene.context),
        store.unseen(scene.context),
        store.rows(scene.entity).scan(("id",)),
    ]
    assert all(next(stream) for stream in left)
    scene.create({"another": {"Name": "n"}})
    store.migrate()
    assert len(list(store.changes())) == MANY + 1


# --- Memory ------------------------------------------------------------------------------------------

READER = """
    import sys
    from pathlib import Path
    from mj_storage_sql import mj_store_types

    def peak():
        # of this process alone; what getrusage tells goes on from the parent's
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    (kind,) = mj_store_types()
    store = kind.open(sys.argv[1])
    stream = store.changes()
    first = next(stream)
    for _ in range(2000):
        next(stream)
    before = peak()
    count = 2001 + sum(1 for _ in stream)
    after = peak()
    store.close()
    print(count, first.external_id, after, after - before)
"""


def test_fifty_thousand_changes_are_read_in_flat_memory(database: Any, store: Store, scene: Any) -> None:
    """Their texts alone are 50 MB; a process that held them all would be far above what a reader needs."""
    ids = new_ids(50_000)
    for start in range(0, len(ids), 5000):
        some = ids[start : start + 5000]
        scene.commit(changes=[RowChange("create", (i,), {}, {"id": i, "Name": i * 28}, i) for i in some])
    command = [sys.executable, "-c", textwrap.dedent(READER), database.url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.stderr == ""
    count, first, kilobytes, growth = ended.stdout.split()
    assert (int(count), first) == (50_000, ids[0])
    assert int(growth) < 20_000, f"grew by {growth} kB"
    assert int(kilobytes) < 130_000, f"{kilobytes} kB"
