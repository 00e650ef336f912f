"""Opening, losing and closing a database: what cannot be used is named, and nothing is held that is not needed."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mj_storage_sql import mj_store_types

from mjcore.errors import MJError, StoreError
from mjcore.models import Company, IntegrationRun
from mjcore.records import Link, RowChange
from mjcore.store import Store

EVERYWHERE = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)


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


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_settings_of_the_server_change_no_value(database: Any, stage: Callable[..., Any]) -> None:
    name = database.execute("SELECT current_database()")[0][0]
    settings = {
        "datestyle": "'SQL, DMY'",
        "intervalstyle": "'sql_standard'",
        "extra_float_digits": "0",
        "bytea_output": "'escape'",
    }
    database.execute(*(f"ALTER DATABASE {name} SET {key} = {value}" for key, value in settings.items()))
    try:
        store = database.open()
        scene = stage(store)
        key = scene.create({"x": {"Name": "A"}})["x"]
        assert scene.read(key)["Name"] == "A"
        assert list(store.load(IntegrationRun)) == [scene.run]
        assert store.links(scene.context, ["x"]) == {"x": scene.link("x", key)}
    finally:
        database.execute(*(f"ALTER DATABASE {name} RESET {key}" for key in settings))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_single_question_takes_no_transaction_and_leaves_none_without(database: Any) -> None:
    import sqlalchemy as sa
    from mj_storage_sql.database import driver, open_database

    with closing(open_database(database.url)) as opened:
        for given, status in ((opened.ask, "IDLE"), (opened.read, "INTRANS"), (opened.ask, "IDLE"), (opened.write, "INTRANS")):
            with given() as cx:
                cx.execute(sa.select(1))
                assert driver(cx).info.transaction_status.name == status
