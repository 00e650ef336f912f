"""The order in which rows are written, and so locked."""

from collections.abc import Sequence
from operator import attrgetter

from mjcore.records import RowChange


def in_order(changes: Sequence[RowChange]) -> list[RowChange]:
    """Return changes by kind and key, so that all who write the same rows lock them in one order."""
    try:
        return sorted(changes, key=attrgetter("kind", "key"))
    except TypeError:  # keys of several types, as SQLite allows
        return sorted(changes, key=lambda change: (change.kind, tuple(map(str, change.key))))
