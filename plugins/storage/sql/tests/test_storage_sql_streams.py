"""Streams: flat in memory, alive while batches are committed, and never in anybody's way. And opening, losing, closing."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from mj_storage_sql import mj_store_types

from mjcore.errors import MJError, StoreError
from mjcore.ids import new_ids
from mjcore.models import Company
from mjcore.records import Conflict, Link, RecordError, RowChange
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
    keys = scene.create({i: {"Name": i} for i in ids}, staged_deletes=ids if kind == "staged_deletes" else ())
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
    scene.create({i: {"Name": i} for i in ids}, staged_deletes=ids)
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
    import resource, sys
    from mj_storage_sql import mj_store_types

    (kind,) = mj_store_types()
    store = kind.open(sys.argv[1])
    stream = store.changes()
    first = next(stream)
    for _ in range(2000):
        next(stream)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 2001 + sum(1 for _ in stream)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
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
    assert int(growth) < 8_000, f"grew by {growth} kB"
    assert int(kilobytes) < 110_000, f"{kilobytes} kB"


# --- Open, lose, close -------------------------------------------------------------------------------


def test_the_store_is_found_by_the_schemes_of_its_urls() -> None:
    (kind,) = mj_store_types()
    assert (kind.name, tuple(kind.schemes)) == ("sql", ("sqlite", "postgresql"))


def test_the_plugin_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'alembic', 'psycopg', 'msgspec'}"
    code = f"import sys, mj_storage_sql as m; m.mj_store_types(); print({heavy} & {{*sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://user:hunter2@127.0.0.1:1/crm", "127.0.0.1"),
        ("sqlite:////nowhere/at/all/mj.db", "/nowhere/at/all/mj.db"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(url: str, named: str) -> None:
    (kind,) = mj_store_types()
    with pytest.raises(StoreError, match=named) as error, closing(kind.open(url)) as store:
        store.migrate()
    assert "hunter2" not in str(error.value)
    assert "Traceback" not in str(error.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (kind,) = mj_store_types()
    path = tmp_path / "notes.db"
    path.write_text("these are notes, not a database " * 200)
    with pytest.raises(StoreError, match=r"notes\.db"), closing(kind.open(f"sqlite:///{path}")) as store:
        store.migrate()
    assert path.read_text().startswith("these are notes")


def test_stores_in_memory_are_strangers() -> None:
    (kind,) = mj_store_types()
    with closing(kind.open("sqlite://")) as one, closing(kind.open("sqlite://")) as other:
        one.migrate()
        other.migrate()
        one.save([Company("c", "Acme")])
        assert len(one.load(Company)) == 1
        assert len(other.load(Company)) == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_ended_costs_one_call_at_most(database: Any, store: Store, scene: Any) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for i in range(3):
        database.execute(end)
        change = scene.creation(f"{i}", {"Name": f"{i}"})
        for _ in range(2):
            try:
                scene.commit(changes=[change], links=[scene.link(f"{i}", change.key)])
                break
            except StoreError:
                assert scene.read(change.key) is None
        assert scene.read(change.key)["Name"] == f"{i}"
    assert [c.external_id for c in store.changes()] == ["0", "1", "2"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_transaction_is_left_open(database: Any, store: Store, scene: Any) -> None:
    keys = list(scene.create({"x": {"Name": "A"}}).values())
    store.read(scene.entity, keys, ("Name",))
    store.rows(scene.entity).find(("Name",), [("A",)])
    store.position(scene.context)
    store.is_indexed(scene.entity, ("Name",))
    store.ddl(scene.entity, [("Name",)])
    store.load(Company)
    list(store.changes())
    list(store.unseen(scene.context))
    with pytest.raises(MJError):
        scene.commit(changes=[RowChange("update", keys[0], {"Name": "B"}, {"Name": "C"}, "x")])
    assert database.execute("SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == []


def test_a_closed_store_holds_nothing(database: Any, stage: Callable[..., Any]) -> None:
    store = database.open()
    scene = stage(store)
    scene.create({"x": {"Name": "A"}})
    unread = store.changes()
    assert next(unread).external_id == "x"
    database.close()
    if database.kind == "sqlite":
        path = Path(database.url.removeprefix("sqlite:///"))
        files = Path("/proc/self/fd")
        held = [str(f.readlink()) for f in files.iterdir() if f.is_symlink() and f.exists()] if files.exists() else []
        assert [f for f in held if f.startswith(str(path))] == []
        assert [f.name for f in path.parent.iterdir() if f.name.startswith(path.name)] == [path.name]
    else:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        for _ in range(100):
            if database.execute(query) == [(0,)]:
                break
        assert database.execute(query) == [(0,)]


@EVERYWHERE
def test_links_of_another_process_are_seen_at_once(database: Any, store: Store, scene: Any) -> None:
    scene.create({"x": {"Name": "A"}})
    other = store if database.kind == "memory" else database.open()
    (link,) = other.links(scene.context, ["x"]).values()
    assert isinstance(link, Link)
    assert other.read(scene.entity, [link.key], ("Name",)) == {link.key: {"Name": "A"}}
