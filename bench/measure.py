"""What one process took, from its start to its exit."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from attrs import frozen

ROOT = Path(__file__).parent.parent
LAUNCH = str(Path(__file__).with_name("launch.py"))


class Failed(Exception):
    """A measured command ended with an error: its figures mean nothing."""


@frozen
class Usage:
    """Seconds and MB. `cpu` is user and system time of the process and its children."""

    wall: float
    cpu: float
    rss: float


def run(command: Sequence[str], environment: Mapping[str, str], allowed: Sequence[int] = (0,)) -> Usage:
    """Run a command to its end. `Failed` with what it said, if it ended with an error."""
    launcher = [sys.executable, "-I", "-S", LAUNCH, *command]
    done = subprocess.run(launcher, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
    taken = json.loads(done.stdout)
    if taken["exit"] not in allowed:
        raise Failed(f"{' '.join(command)} ended with {taken['exit']}: {done.stderr.strip()[-2000:]}")
    return Usage(taken["wall"], taken["user"] + taken["system"], taken["rss"] * 1024 / 1e6)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and all its children so far, those that ended too."""
    process = psutil.Process(pid)
    while process.is_running():
        with suppress(psutil.NoSuchProcess):  # a child ended between the list and its turn: its time is now the parent's
            times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
            return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))
    raise Failed(f"process {pid} ended while it was measured")
