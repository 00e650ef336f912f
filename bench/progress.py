"""Says what is being measured, and how much is left: a run takes minutes."""

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T", bound=tuple[object, ...])


def told(part: str, subjects: Sequence[T]) -> Iterator[T]:
    """Yield subjects, each with a line on standard error before it."""
    for number, subject in enumerate(subjects, 1):
        words = ", ".join(str(word) for word in subject)
        sys.stderr.write(f"{part} {number}/{len(subjects)}: {words}\n")
        sys.stderr.flush()
        yield subject
