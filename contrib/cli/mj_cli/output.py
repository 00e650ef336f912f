"""What commands print: tables for people, JSON for programs, messages on standard error."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mjcore.records import ABSENT, Value

WIDE = 240
"""Columns where nobody looks at a terminal: lines stay whole for grep."""


def out() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console for messages and progress."""
    return _console(sys.stderr)


def _console(file: IO[str]) -> Console:
    width = None if file.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print one JSON value."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = (), whole: Sequence[str] = ()
) -> Table:
    """Return a table that folds long cells instead of cutting them.

    `numbers` names columns to align at the right, `whole` others that stay on one line as well.
    """
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="bold")
    for column in columns:
        number = column in numbers
        drawn.add_column(column, overflow="fold", justify="right" if number else "left", no_wrap=number or column in whole)
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(plain(str(cell))) for cell in row))
    return drawn


def plain(text: str) -> str:
    """Return text without what a terminal would obey: control characters are shown as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def without_password(url: str) -> str:
    """Return a database URL that may be shown."""
    return re.sub(r"(://[^/@:]*):.*@", r"\1:***@", url)


def shown(value: Value, longest: int = 60) -> str:
    """Return a value as a person reads it: text in quotes, so that "5" and 5 differ; long ones cut."""
    if value is ABSENT:
        return "(not sent)"
    if value is None:
        return "null"
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, str | bool | list | dict) else str(value)
    return shortened(text, longest)


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
