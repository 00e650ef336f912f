"""Log lines on standard error, by way of structlog, which is loaded with the first line and never configured."""

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
RANKS = {"debug": 1, "info": 2, "warning": 3, "error": 4, "off": 5}


def write(level: Level, event: str, **facts: object) -> None:
    """Write one line, if `MJ_LOG` lets its level pass."""
    stream = sys.stderr
    if stream is None:  # a program without a console
        return
    people = is_terminal(stream)
    if RANKS[level] >= threshold(people):
        logger(stream, people=people)(level, event, facts)


def threshold(people: bool) -> int:
    """Return the rank of the least level that is written: what `MJ_LOG` says.

    Unset: errors alone on a terminal, where `mj` draws progress and prints results itself; elsewhere all but batches.
    """
    name = os.environ.get("MJ_LOG", "").strip().lower()
    if name and name not in RANKS:
        complain(name)
    return RANKS.get(name, RANKS["error" if people else "info"])


@cache
def complain(name: str) -> None:
    """Say once that `MJ_LOG` names no level."""
    logger(sys.stderr, people=is_terminal(sys.stderr))("warning", f"MJ_LOG: {name!r} is none of {', '.join(RANKS)}", {})


def is_terminal(stream: TextIO) -> bool:
    """Return whether people read this stream: asked of its descriptor, since progress bars put other objects before it."""
    try:
        return os.isatty(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def logger(stream: TextIO, *, people: bool) -> Callable[[Level, str, dict[str, object]], None]:
    """Return the function that writes a line: through the host's structlog where it has configured one."""
    import structlog

    if structlog.is_configured():
        bound = structlog.get_logger("mjcore")
    else:
        bound = structlog.wrap_logger(
            structlog.PrintLogger(stream),
            processors=_for_people() if people else _for_machines(),
            wrapper_class=structlog.make_filtering_bound_logger(0),
            context_class=dict,
        )
    return lambda level, event, facts: getattr(bound, level)(event, **facts)


def _for_machines() -> list[Any]:
    import structlog

    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ]


def _for_people() -> list[Any]:
    import structlog

    return [
        readable,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ, sort_keys=False),
    ]


def readable(_: "WrappedLogger", __: str, facts: "EventDict") -> "EventDict":
    """Leave out what is zero, empty or an id; show control characters, which a terminal would obey, as escapes."""
    told = {key: value for key, value in facts.items() if value and key != "run_id"}
    return {key: plain(value) if isinstance(value, str) else value for key, value in told.items()}


def plain(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
