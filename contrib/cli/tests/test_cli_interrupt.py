"""Ctrl-C in a real process."""

import signal
import subprocess
import sys
import time

PROGRAM = """
import sys, time
from mj_cli.interrupt import cancel_on_interrupt
from mj_cli.output import err
with cancel_on_interrupt(err()) as cancelled:
    print("ready", flush=True)
    while not (cancelled() and sys.argv[1] == "listens"):
        time.sleep(0.02)
print("ended in order", flush=True)
"""


def interrupted(kind: str, times: int) -> tuple[int, str, str]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, kind], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_ctrl_c_once_asks_the_run_to_end() -> None:
    code, out, err = interrupted("listens", 1)
    assert (code, out) == (0, "ended in order\n")
    assert "stopping after this batch" in err


def test_ctrl_c_twice_ends_the_process_at_once() -> None:
    code, out, _ = interrupted("deaf", 2)
    assert (code, out) == (130, "")
