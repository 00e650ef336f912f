"""Whether a person is there: what runs by itself (cron, systemd, CI) has no terminal to be asked at."""

import sys


def is_attended() -> bool:
    """Tell whether standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()
