"""Where a secret could show: errors with all that hangs on them, and log lines of every level."""

import logging
import traceback
from typing import Any, Self


def words_of(error: BaseException) -> str:
    """Return all that an error can print: its text and arguments, notes, causes, and what it was raised while handling, unless
    it was raised `from None`."""
    parts: list[Any] = []
    waiting: list[BaseException | None] = [error]
    known: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in known:
            continue
        known.add(id(each))
        parts += [str(each), repr(each.args), *getattr(each, "__notes__", ()), *map(repr, vars(each).values())]
        waiting += [each.__cause__, None if each.__suppress_context__ else each.__context__, *getattr(each, "exceptions", ())]
    return "\n".join([*map(str, parts), *traceback.format_exception(error)])


class Listener(logging.Handler):
    """Hears every log line while it is used as a context; `text` is all that was said."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._level = logging.NOTSET

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {self.format(record)}")

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)
