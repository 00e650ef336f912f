"""New ids: UUIDv7 (RFC 9562) as text, sorted by the time they were made."""

import os
from threading import Lock
from time import time_ns

_TAIL_BITS = 74  # beside the 48 bits of milliseconds, six bits are fixed
_NODE = (1 << 48) - 1
"""The last group of digits."""
_lock = Lock()
_last = 0


def new_id() -> str:
    """Return an id greater than every id that this process made before."""
    return new_ids(1)[0]


def new_ids(n: int) -> list[str]:
    """Return `n` ids in ascending order."""
    global _last  # noqa: PLW0603 - one sequence for the whole process, whatever thread asks
    with _lock:
        # one draw of random bits per call, then counted up; the top bit is left free for the count to carry into
        drawn = int.from_bytes(os.urandom(10)) >> (80 - _TAIL_BITS + 1)
        first = max(time_ns() // 1_000_000 << _TAIL_BITS | drawn, _last + 1)
        _last = first + n - 1
    if (first & _NODE) + n > _NODE:
        return [_text(number) for number in range(first, first + n)]
    head, node = _text(first)[:-12], first & _NODE  # all else is the same
    return [f"{head}{number:012x}" for number in range(node, node + n)]


def _text(number: int) -> str:
    """Lay out milliseconds, version 7, 12 bits, variant 2 and 62 bits."""
    milliseconds, tail = number >> _TAIL_BITS, number & (1 << _TAIL_BITS) - 1
    high, low = tail >> 62, tail & (1 << 62) - 1
    digits = f"{milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _start_anew() -> None:
    """Let a forked child not go on counting where its parent does."""
    global _last, _lock
    _last, _lock = 0, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
