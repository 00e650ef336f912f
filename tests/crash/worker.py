"""Runs jobs in processes of their own, forked from this one, which has everything loaded: a pull begins within milliseconds.

Each line of standard input is a job (JSON), answered with the id of its process, or `wait PID`, answered with how it ended.
A job kills or freezes itself where it says, through a plugin that wraps the stage `mj_persist`.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import mj_storage_sql.database
import mj_storage_sql.migrate
import mj_storage_sql.store
import psycopg
import sqlalchemy as sa
from account import Account, Plugin, document
from alembic import command
from attrs import asdict, define

import mjcore.apply
import mjcore.heartbeat
import mjcore.sync
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.models import RunRequest
from mjcore.records import BatchWrite

LOADED = (psycopg, command, mjcore.apply)
POSITION = "UPDATE mj_integration_sync_watermark"
"""The last statement of a commit."""


@define
class Blow:
    """Strikes at the `call`-th commit of this process: `before` it, `after` it, or `within` it, after `delay` seconds.

    `inside`: when everything is written and COMMIT is all that is left. `slow` only waits.
    `closed`: after the `call`-th commit that ends a window.
    """

    call: int
    when: str
    signal: int = signal.SIGKILL
    delay: float = 0.0
    calls: int = 0
    is_open: bool = False

    @hookimpl(wrapper=True)
    def mj_persist(self, write: BatchWrite) -> Generator[None, Any, Any]:
        self.calls += write.ends_window or self.when != "closed"
        now = self.when if self.calls == self.call else ""
        self.is_open = now == "inside"
        if now == "before":
            self.strike()
        if now == "slow":
            time.sleep(self.delay)
        if now == "within":
            threading.Thread(target=self._later, daemon=True).start()
        try:
            return (yield)
        finally:
            if now in ("after", "closed"):
                self.strike()

    def _later(self) -> None:
        time.sleep(self.delay)
        self.strike()

    def strike(self) -> None:
        os.kill(os.getpid(), self.signal)

    def watch(self) -> None:
        """Strike inside a transaction, which only the database's driver sees."""

        def executed(_cx: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if self.is_open and statement.startswith(POSITION):
                self.is_open = False
                self.strike()

        sa.event.listen(sa.Engine, "after_cursor_execute", executed)


@define
class Counter:
    """Counts commits, refused ones too."""

    commits: int = 0

    @hookimpl(wrapper=True)
    def mj_persist(self) -> Generator[None, Any, Any]:
        self.commits += 1
        return (yield)


def hasten(job: Mapping[str, Any]) -> None:
    """Shorten what would take a test a minute; narrow the disk."""
    if "lease" in job:
        for module in (mjcore.heartbeat, mjcore.sync):
            vars(module)["LEASE"] = timedelta(seconds=job["lease"])
    if "idle" in job:
        mj_storage_sql.database.SETTINGS["idle_in_transaction_session_timeout"] = job["idle"]
    if "lock" in job:
        mj_storage_sql.database.SETTINGS["lock_timeout"] = job["lock"]
    if "busy" in job:
        mj_storage_sql.database.BUSY = job["busy"]
    if "pages" in job:
        sa.event.listen(sa.Engine, "connect", lambda cx, _: cx.execute(f"PRAGMA max_page_count = {job['pages']}"))
    if "file_size" in job:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"], resource.RLIM_INFINITY))


def run(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do a job; return what became of it."""
    hasten(job)
    counter = Counter()
    plugins: dict[str, object] = {"counter": counter, "account": Plugin(Account(**job.get("account", {"phase": 1, "sizes": {}})))}
    if "blow" in job:
        plugins["blow"] = blow = Blow(**job["blow"])
        blow.watch()
    with Kernel(job["url"], plugins=plugins) as kernel:
        if "apply" in job:
            kernel.apply(document(*job["apply"]))
            return {}
        try:
            if "plan" in job:
                return {"status": kernel.plan(job["connection"], path=Path(job["plan"])).status}
            request = RunRequest(job["connection"], **job.get("request", {}))
            planned = Path(job["planned"]) if "planned" in job else None
            result = kernel.sync(job["connection"], plan=planned, allow_deletes=True) if planned else kernel.run(request)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            notes = getattr(error, "__notes__", [])
            return {"raised": type(error).__name__, "error": str(error), "notes": notes, "commits": counter.commits}
        maps = {m.external_object_name: asdict(m) for m in result.maps}
        answer = {"status": result.status, "error": result.error, "counts": asdict(result.counts), "maps": maps}
        return {**answer, "commits": counter.commits}


def begin(job: Mapping[str, Any]) -> int:
    """Fork; the child writes its answer beside, whole or not at all."""
    if pid := os.fork():
        return pid
    status, answer = 1, Path(job["answer"])
    try:
        null = os.open(os.devnull, os.O_RDWR)
        told = os.open(answer.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, source in ((0, null), (1, told), (2, told)):
            os.dup2(source, target)
        text = json.dumps(run(job), default=str)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        answer.write_text(text)
        status = 0
    finally:
        if status:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("wait"):
            print(os.waitstatus_to_exitcode(os.waitpid(int(line.split()[1]), 0)[1]), flush=True)
        else:
            print(begin(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
