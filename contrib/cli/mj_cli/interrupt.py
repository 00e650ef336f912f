"""Ctrl-C, once: the run ends after its batch. Twice: the process ends at once, as if it had crashed."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

HARD = 130
"""Exit code of a process that ended at once, as shells know it."""


@contextmanager
def cancel_on_interrupt(console: Console) -> Iterator[Callable[[], bool]]:
    """Yield the flag that a run asks. In a thread other than the main one, signals stay as they are."""
    asked = threading.Event()

    def handle(_: int, __: FrameType | None) -> None:
        if asked.is_set():
            console.show_cursor()
            os._exit(HARD)
        asked.set()
        console.print("stopping after this batch; once more to stop at once")

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
