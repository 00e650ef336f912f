"""`mj` as a process: exit codes, what a terminal shows, and Ctrl-C."""

import errno
import json
import os
import pty
import re
import select
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import mj_sandbox
import pytest
from mj_cli.scene import CONNECTION, TOKEN, set_up

MJ = [sys.executable, "-m", "mj_cli"]
BEGIN = "signal.signal(signal.SIGINT, signal.SIG_DFL); os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
CONTROLLED = [sys.executable, "-c", f"import os, signal, sys; {BEGIN}"]
"""Makes the terminal the one that sends Ctrl-C, which jobs in the background do not hear otherwise."""
Run = Callable[..., Any]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MJ_") and name != "NO_COLOR"}
    return {**kept, "COLUMNS": "80", "LINES": "40", "TERM": "xterm-256color", **variables}


def ended(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MJ, *arguments], capture_output=True, text=True, timeout=60, env=environment(**variables))


class Terminal:
    """`mj` on a pseudo terminal of 80 columns."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.seen = ""
        leader, follower = pty.openpty()
        self.descriptor = leader
        self.process = subprocess.Popen(
            [*CONTROLLED, *MJ, *arguments], stdin=follower, stdout=follower, stderr=follower, env=environment(**variables)
        )
        os.close(follower)

    def until(self, text: str, seconds: float = 30) -> None:
        """Read until the text has been shown."""
        ends = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < ends, self.seen
            if not self._read():
                raise AssertionError(f"ended without {text!r}: {self.seen}")

    def press(self, key: bytes) -> None:
        os.write(self.descriptor, key)

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(30)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], 30)
        assert ready, self.seen
        try:
            chunk = os.read(self.descriptor, 65536)
        except OSError as error:  # how Linux says that nobody has the other end any more
            if error.errno != errno.EIO:
                raise
            return False
        self.seen += ESCAPES.sub("", chunk.decode(errors="replace"))
        return bool(chunk)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.descriptor)


@contextmanager
def terminal(*arguments: str, **variables: str) -> Iterator[Terminal]:
    with closing(Terminal(*arguments, **variables)) as shown:
        yield shown


@pytest.fixture
def slow(mj: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Return the environment of an account of 1,000 contacts that takes its time, applied in this folder."""
    with mj_sandbox.serve(contacts=1000, latency_ms=100) as handle:
        metadata, _ = set_up(folder / "demo", handle.address)
        monkeypatch.setenv(TOKEN, handle.token)
        assert mj("apply", str(metadata)).code == 0
        yield {TOKEN: handle.token}


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mj.db")) as database:
        return database.execute(sql).fetchall()


def rows_of(folder: Path) -> list[int]:
    return [query(folder, f"SELECT count(*) FROM {table}")[0][0] for table in ("companies", "contacts", "deals")]


# --- exit codes and messages ----------------------------------------------------------------------


def _fine(folder: Path) -> None:
    """Change nothing."""


def _bad_record(folder: Path) -> None:
    with (folder / "data" / "contacts.csv").open("a") as file:
        file.write("4,dee@example.org,Dee,Dee,unheard of,1\n")


def _no_folder(folder: Path) -> None:
    (folder / "data").rename(folder / "elsewhere")


def _no_key(folder: Path) -> None:
    (folder / "data" / "contacts.csv").write_text("email,first,last,stage,revenue\na@example.org,A,B,NO,1\n")


@pytest.mark.parametrize(("change", "code"), [(_fine, 0), (_bad_record, 3), (_no_folder, 2), (_no_key, 1)])
def test_a_sync_ends_with_its_code(mj: Run, folder: Path, change: Callable[[Path], None], code: int) -> None:
    assert mj("apply", "crm.yaml").code == 0
    change(folder)
    done = ended("sync", "Acme files", "--json", MJ_LOG="off")
    assert (done.returncode, json.loads(done.stdout)["Connection"]) == (code, "Acme files")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_is_told_without_a_traceback(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*MJ, "plugins"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, env=environment())
    assert (done.returncode, done.stderr) == (1, "No space left on device\n")


def test_who_reads_may_have_enough(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run([*MJ, "plugins"], stdout=closed, stderr=subprocess.PIPE, text=True, timeout=60, env=environment())
    assert done.stderr == ""


# --- a terminal -------------------------------------------------------------------------------------


def test_on_a_terminal_a_sync_shows_bars_with_records_a_second(slow: dict[str, str]) -> None:
    with terminal("sync", CONNECTION, **slow) as shown:
        assert shown.end() == 0
    assert re.search(r"contacts → Contacts\s+━+\s+1,000/1,000 [\d,]+/s", shown.seen)
    drawn = {int(n.replace(",", "")) for n in re.findall(r"contacts → Contacts .*?([\d,]+)/1,000 ", shown.seen)}
    assert len(drawn) > 2, "the bar has to move"
    assert max(len(line) for line in re.split(r"[\r\n]+", shown.seen)) <= 80
    assert '{"' not in shown.seen
    assert re.search(r"total\s+1,200\s+1,200\s+0\s+0", shown.seen)


def test_elsewhere_progress_is_plain_lines(slow: dict[str, str]) -> None:
    done = ended("sync", CONNECTION, MJ_LOG="off", **slow)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines == list(dict.fromkeys(lines))
    assert all(re.fullmatch(rf"{CONNECTION}: \w+ → \w+: \d+ of \d+, [\d,]+/s", line) for line in lines)
    assert f"{CONNECTION}: contacts → Contacts: 1000 of 1000" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_ctrl_c_ends_a_run_after_its_batch_and_the_next_one_goes_on(slow: dict[str, str], folder: Path) -> None:
    with terminal("sync", CONNECTION, **slow) as shown:
        shown.until("contacts → Contacts")
        shown.press(b"\x03")
        assert shown.end() == 1
    assert "stopping after this batch; once more to stop at once" in shown.seen
    assert "Cancelled" in shown.seen
    assert "Traceback" not in shown.seen
    assert sum(rows_of(folder)) < 1200
    assert query(folder, "SELECT total_records_created FROM mj_integration_run") == [(sum(rows_of(folder)),)]
    again = ended("sync", CONNECTION, "--json", MJ_LOG="off", **slow)
    assert again.returncode == 0
    assert rows_of(folder) == [100, 1000, 100]


def test_ctrl_c_twice_ends_the_process_and_the_next_run_continues(slow: dict[str, str], folder: Path) -> None:
    with terminal("sync", CONNECTION, **slow) as shown:
        shown.until("contacts → Contacts")
        shown.press(b"\x03")
        shown.until("stopping after this batch")
        shown.press(b"\x03")
        assert shown.end() in (1, 130)  # 1: the batch was done before the second one
    assert "Traceback" not in shown.seen
    again = ended("sync", CONNECTION, "--json", MJ_LOG="off", **slow)
    assert again.returncode == 0
    assert rows_of(folder) == [100, 1000, 100]


def test_ctrl_c_ends_a_command_that_runs_nothing(folder: Path) -> None:
    with mj_sandbox.serve(contacts=20, latency_ms=1_000) as handle:
        metadata, _ = set_up(folder / "demo", handle.address)
        with terminal("test", CONNECTION, "--file", str(metadata), **{TOKEN: handle.token}) as shown:
            ends = time.monotonic() + 30
            while not handle.stats()["requests"]:
                assert shown.process.poll() is None
                assert time.monotonic() < ends
                time.sleep(0.05)
            shown.press(b"\x03")
            assert shown.end() in (1, 130)
        assert "Traceback" not in shown.seen


# --- who asks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "is_manual"), [([], False), (["--manual"], True)])
def test_what_runs_by_itself_does_not_end_the_pause_of_an_undo(
    mj: Run, folder: Path, arguments: list[str], is_manual: bool
) -> None:
    assert mj("apply", "crm.yaml").code == 0
    run = mj("sync", "Acme files", "--json").json["RunID"]
    assert query(folder, "SELECT trigger_type FROM mj_integration_run") == [("Scheduled",)]
    assert mj("undo", run).code == 0
    done = subprocess.run(
        [*MJ, "sync", "Acme files", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment()
    )
    assert done.returncode == (0 if is_manual else 2), done.stderr
    status = query(folder, "SELECT status FROM mj_company_integration")
    assert status == [("Active" if is_manual else "Inactive",)]
    every = mj("sync", "--all")
    assert (every.code, "left out, as they are Inactive: 'Acme files'" in every.err) == (0, not is_manual)


def test_at_a_terminal_a_sync_is_manual(mj: Run, folder: Path) -> None:
    assert mj("apply", "crm.yaml").code == 0
    run = mj("sync", "Acme files", "--json").json["RunID"]
    assert mj("undo", run).code == 0
    with terminal("sync", "Acme files") as shown:
        assert shown.end() == 0
    assert query(folder, "SELECT trigger_type FROM mj_integration_run ORDER BY id")[-1] == ("Manual",)
    assert query(folder, "SELECT status FROM mj_company_integration") == [("Active",)]
