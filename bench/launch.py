"""Runs one command and prints what it took. Started as a process of its own, with nothing loaded.

A child's peak memory starts at that of the process that forks it, so whoever measures must be small.
"""

import json
import os
import sys
import time


def main(command: list[str]) -> int:
    """Print wall seconds, CPU seconds (the process and its children), peak RSS in KiB and the exit code as JSON."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    taken = {"wall": wall, "user": usage.ru_utime, "system": usage.ru_stime, "rss": usage.ru_maxrss}
    sys.stdout.write(json.dumps({**taken, "exit": os.waitstatus_to_exitcode(status)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
