"""The database goes away in the middle: restarted, cut off at COMMIT, or full. What was not committed comes with the next run."""

import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

SMALL = {"sizes": {"companies": 200, "contacts": 4000}, "overlapping": 0}


@pytest.fixture
def job() -> dict[str, Any]:
    return {"account": {"phase": 1, **SMALL}}


@pytest.fixture
def finished(nursery: Any, pulls: Any, told: Callable[..., Any], job: Any) -> Callable[[Any], None]:
    """Pull until it is completed, and compare with a pull that nothing happened to."""

    def finish(database: Any) -> None:
        result = nursery.run(database, **job)
        assert result.get("status") == "Completed", result
        smooth = told(pulls.smooth(database.kind, (1,), **SMALL)[0], apart=True)
        other = told(database, apart=True)
        assert not smooth.differences(other)
        assert other.summed == smooth.summed

    return finish


def outcome(result: Any) -> str:
    """Return what a person reads of a failed pull, whether it ended by itself or was thrown out."""
    assert result.get("raised", "StoreError") == "StoreError", result
    assert result.get("status", "Failed") == "Failed", result
    return str(result["error"])


# --- PostgreSQL restarted ----------------------------------------------------------------------------


@pytest.mark.parametrize("call", [1, 4])
@pytest.mark.parametrize("when", ["before", "inside"])
def test_a_server_restarted_in_the_middle(
    nursery: Any, databases: Any, server: Any, job: Any, finished: Callable[[Any], None], call: int, when: str
) -> None:
    """The child waits, stopped by itself, between two commits or inside one."""
    database = databases.new("postgresql")
    child = nursery.start(database, blow={"call": call, "when": when, "signal": signal.SIGSTOP}, **job)
    child.until("T")
    server.restart()
    child.send(signal.SIGCONT)
    result = child.result()
    if result.get("status") != "Completed":
        said = outcome(result)
        assert "mj-storage-sql" in said
        assert "connection" in said or "terminat" in said, said
    finished(database)


# --- The answer to COMMIT lost -----------------------------------------------------------------------

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""As PostgreSQL's protocol writes it: a simple query."""
POSITION = b"mj_integration_sync_watermark SET"
"""The commit of a batch, unlike that of a lease or a run, ends with the position."""


@define
class Proxy:
    """Stands between client and server on 127.0.0.1, and cuts a connection at the `cut`-th COMMIT of a batch.

    `before` it reaches the server, or `after`: the server's answer is here and is not handed on.
    """

    target: str
    cut: int
    when: str
    listener: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    commits: int = 0
    is_cut: bool = False
    ends: list[socket.socket] = field(factory=list)
    threads: list[threading.Thread] = field(factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def start(self, work: Callable[..., None], *arguments: Any) -> None:
        self.threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self.threads[-1].start()

    def serve(self) -> None:
        """Accept clients until the listener is shut down."""
        with self.listener, suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                self.ends += [client, server]
                self.start(self.forward, client, server)

    def forward(self, client: socket.socket, server: socket.socket) -> None:
        is_batch = False
        with client, server, selectors.DefaultSelector() as ready, suppress(OSError):
            for source in (client, server):
                ready.register(source, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is server:
                        if not _passed(server, client):
                            return
                        continue
                    data = client.recv(1 << 20)
                    is_batch = is_batch or POSITION in data
                    if not data or (COMMIT in data and is_batch and self.cuts(server, data)):
                        return
                    is_batch = is_batch and COMMIT not in data
                    server.sendall(data)

    def cuts(self, server: socket.socket, data: bytes) -> bool:
        """Return whether it is time to cut the line."""
        self.commits += 1
        self.is_cut = self.is_cut or self.commits == self.cut
        if self.commits == self.cut and self.when == "after":
            server.sendall(data)
            assert b"COMMIT" in server.recv(1 << 16), "the server says that it is done"
        return self.commits == self.cut

    def close(self) -> None:
        for end in (self.listener, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)


def _passed(source: socket.socket, target: socket.socket) -> bool:
    data = source.recv(1 << 20)
    target.sendall(data)
    return bool(data)


@pytest.fixture
def proxy(server: Any) -> Iterator[Callable[[int, str], Proxy]]:
    opened: list[Proxy] = []

    def start(cut: int, when: str) -> Proxy:
        opened.append(Proxy(server.socket, cut, when))
        opened[-1].start(opened[-1].serve)
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize("cut", [1, 4])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_answer_to_a_commit_is_lost(
    nursery: Any, databases: Any, job: Any, proxy: Any, finished: Callable[[Any], None], cut: int, when: str
) -> None:
    """Nobody can know from the outside whether it was written: what was written is not written again."""
    database = databases.new("postgresql")
    name = database.url.partition("?")[0].rpartition("/")[2]
    between = proxy(cut, when)
    seen = evolve(database, url=f"postgresql://postgres@127.0.0.1:{between.port}/{name}?sslmode=disable")
    result = nursery.run(seen, **job)
    assert between.is_cut, between.commits
    if result.get("status") != "Completed":
        assert "connection" in outcome(result)
    finished(database)


# --- A full disk -------------------------------------------------------------------------------------


def written(database: Any) -> tuple[int, ...]:
    """Return how much there is of what is written together."""
    parts = (
        "(SELECT count(*) FROM companies) + (SELECT count(*) FROM contacts)",
        "(SELECT count(*) FROM mj_record_link)",
        "(SELECT count(*) FROM mj_record_change WHERE kind = 'create')",
        "(SELECT sum(records_created) FROM mj_integration_run_detail)",
        "(SELECT sum(total_records_created) FROM mj_integration_run)",
    )
    return tuple(database.query(f"SELECT {', '.join(parts)}")[0])


@pytest.mark.parametrize(("limit", "share"), [("pages", 0.3), ("pages", 0.7), ("file_size", 0.3)])
def test_a_full_disk_on_sqlite(
    nursery: Any, databases: Any, pulls: Any, job: Any, finished: Callable[[Any], None], limit: str, share: float
) -> None:
    """`pages`: the database may not grow, as if the disk were full. `file_size`: the system refuses to write on."""
    full = Path(pulls.smooth("sqlite", (1,), **SMALL)[0].url.removeprefix("sqlite:///"))
    database = databases.new("sqlite")
    path = Path(database.url.removeprefix("sqlite:///"))
    empty = path.stat().st_size
    room = int(empty + share * (full.stat().st_size - empty))
    result = nursery.run(database, **{limit: room // 4096 if limit == "pages" else room}, **job)
    said = outcome(result)
    assert "mj-storage-sql" in said
    assert "full" in said or "disk I/O error" in said
    rows, *others = written(database)
    assert 0 < rows < sum(SMALL["sizes"].values())  # type: ignore[attr-defined]
    assert others == [rows] * 4
    assert database.value("PRAGMA integrity_check") == "ok"
    finished(database)
