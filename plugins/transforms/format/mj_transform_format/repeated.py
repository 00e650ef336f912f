"""Texts that come again and again are converted once."""

from collections.abc import Callable
from functools import lru_cache

from mjcore.records import Value

KEPT, LONGEST = 10_000, 100


def repeated(convert: Callable[[Value], str]) -> Callable[[Value], str]:
    """Return `convert`, with the results of its latest texts kept.

    Of short texts only, which bounds the memory. Other values may be equal and yet differ in their text, as one instant in
    two zones does: they are converted each time.
    """
    kept = lru_cache(maxsize=KEPT)(convert)
    return lambda value: kept(value) if type(value) is str and len(value) <= LONGEST else convert(value)
