"""The parent's side of the child process that evaluates expressions."""

import os
import select
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from attrs import define, field, frozen

from mj_transform_custom.worker import ANSWER, REQUEST
from mjcore.errors import MJError

START_SECONDS = 30.0
GRACE_SECONDS = 2.0
"""Wall time beyond twice the CPU time that a request may use: the last resort against a child that stands still."""


class WorkerDied(Exception):
    """The child process ended, or had to be killed, before it answered."""


@frozen
class Child:
    """A running process and its unbuffered pipes."""

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    answers: IO[bytes]

    def end(self) -> None:
        self.process.kill()
        self.release()
        self.process.wait()

    def release(self) -> None:
        self.requests.close()
        self.answers.close()


@define
class Worker:
    """One child process for all threads. It starts when it is needed, and again when it has died."""

    lock: threading.Lock = field(init=False, factory=threading.Lock)
    child: Child | None = field(init=False, default=None)

    def ask(self, expression: str, items: list[str], budget: float) -> tuple[list[str], float]:
        """Return a line for each item, fewer when the budget was used up, and the CPU time used. Raises `WorkerDied`."""
        head, body = expression.encode("utf-8", "surrogatepass"), "\n".join(items).encode("ascii")
        with self.lock:
            if self.child and self.child.process.poll() is not None:
                self._end()
            self.child = child = self.child or start()
            try:
                _write(child, REQUEST.pack(len(head), len(body), budget) + head + body)
                lines, seconds = _answer(child, GRACE_SECONDS + 2 * budget)
            except BaseException as error:  # after a Ctrl-C too: the answer would be taken for that of the next request
                self._end()
                if isinstance(error, OSError):
                    raise WorkerDied from error
                raise
        return lines.split("\n") if lines else [], seconds

    def stop(self) -> None:
        """End the child process, if there is one."""
        with self.lock:
            self._end()

    def forget(self) -> None:
        """In a forked process: leave the child to the parent, and do not hold its pipes open."""
        self.lock = threading.Lock()
        child, self.child = self.child, None
        if child:
            child.process.returncode = 0  # not ours to wait for
            child.release()

    def _end(self) -> None:
        child, self.child = self.child, None
        if child:
            child.end()


def start() -> Child:
    """Start a child and wait until it is ready."""
    engine = find_spec("_quickjs")
    if engine is None or engine.origin is None:
        raise MJError("the JavaScript engine is missing: install quickjs-ng")
    script = Path(__file__).with_name("worker.py")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", script, Path(engine.origin).parent],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"TZ": "UTC"},
    )
    child = Child(process, *(pipe for pipe in (process.stdin, process.stdout) if pipe))
    try:
        _answer(child, START_SECONDS)
    except BaseException as error:
        child.end()
        if isinstance(error, OSError | WorkerDied):
            raise MJError(f"the sandbox process does not start: exit status {process.returncode}") from error
        raise
    return child


# --- Pipes ---------------------------------------------------------------------------------------


def _write(child: Child, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(child.requests.fileno(), rest) :]


def _answer(child: Child, seconds: float) -> tuple[str, float]:
    deadline = time.monotonic() + seconds
    size, used = ANSWER.unpack(_read(child, ANSWER.size, deadline))
    return _read(child, size, deadline).decode("utf-8", "surrogatepass"), used


def _read(child: Child, size: int, deadline: float) -> bytes:
    poll, data = select.poll(), bytearray()
    poll.register(child.answers, select.POLLIN)
    while len(data) < size:
        if not poll.poll(max(0, (deadline - time.monotonic()) * 1000)):
            raise WorkerDied
        piece = os.read(child.answers.fileno(), size - len(data))
        if not piece:
            raise WorkerDied
        data += piece
    return bytes(data)
