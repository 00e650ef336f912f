"""Who holds a lease: this very process, recognisable on its machine after it is gone."""

import json
import os
import socket
from pathlib import Path


def this_process() -> str:
    """Return host, boot, process namespace, process id and its start time, as JSON text."""
    return json.dumps(
        {
            "host": socket.gethostname(),
            "boot": _read(Path("/proc/sys/kernel/random/boot_id")),
            "namespace": _namespace(),
            "pid": os.getpid(),
            "started": _started(os.getpid()),
        }
    )


def is_gone(holder: str) -> bool:
    """Tell whether a holder is known to be gone: its machine was rebooted, or its process ended. Unknown is False."""
    try:
        them = json.loads(holder)
        me = json.loads(this_process())
        if not them["boot"] or them["host"] != me["host"]:
            return False
        if them["boot"] != me["boot"]:
            return True
        return bool(them["namespace"] == me["namespace"] and them["started"] != _started(int(them["pid"])))
    except (ValueError, KeyError, TypeError):
        return False


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty when there is none, or only what its parent left of it."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in ("Z", "X") else ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
