"""A JavaScript pattern, compiled: finds its matches in a text as JavaScript does, and in bounded time."""

import re
from collections.abc import Iterator
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from attrs import frozen

from mj_transform_regex.emitter import emit
from mj_transform_regex.flags import Flags
from mj_transform_regex.nodes import Pattern, min_width, quick_length
from mj_transform_regex.parser import parse
from mjcore.errors import ConfigError, Problem, TransformError

if TYPE_CHECKING:
    import regex

TIMEOUT = 0.2
"""Seconds of CPU time per value."""
MAX_PATTERN = 10_000


@frozen
class Expression:
    """A compiled pattern."""

    translated: str
    """As the library `regex` has it."""
    pattern: Pattern
    flags: Flags
    emptied: frozenset[int]
    """Groups whose empty match may mean that they took no part."""
    quick_length: int
    """Texts up to this length need no deadline, which costs more than a quick search."""
    may_be_empty: bool
    """A match may have no characters."""

    @cached_property
    def standard(self) -> re.Pattern[str] | None:
        """What the standard library makes of it, where it may be used and can: it knows no properties of Unicode."""
        if not self.quick_length:
            return None
        try:
            return re.compile(self.translated, re.DOTALL)
        except (re.error, OverflowError, RecursionError):
            return None

    @cached_property
    def compiled(self) -> "regex.Pattern[str]":
        """What `regex` makes of it, which keeps to a deadline; to load it takes 15 ms. `ConfigError` for what it refuses."""
        import regex

        try:
            return regex.compile(self.translated, regex.DOTALL | regex.VERSION0, cache_pattern=False)
        except (regex.error, OverflowError, RecursionError) as error:
            raise ConfigError(Problem("Pattern", f"not supported: {error}")) from None

    def matches(self, text: str) -> "Iterator[regex.Match[str]]":
        """Yield the first match, with the flag g every one. Raises `TransformError` when it takes too long."""
        deadline = monotonic() + TIMEOUT
        try:
            for match in self._matches(text, deadline):
                yield match
                if monotonic() > deadline:
                    raise TimeoutError
        except TimeoutError:
            raise TransformError(f"the pattern took longer than {TIMEOUT:g} s; avoid repetitions inside repetitions") from None

    def _matches(self, text: str, deadline: float) -> "Iterator[regex.Match[str]]":
        timeout = TIMEOUT if len(text) > self.quick_length else None
        if not self.flags.every_match:
            first = self.compiled.search(text, timeout=timeout)
            return iter([first] if first else [])
        if self.may_be_empty:
            return self._advancing(text, deadline)
        return self.compiled.finditer(text, timeout=timeout)

    def _advancing(self, text: str, deadline: float) -> "Iterator[regex.Match[str]]":
        """After an empty match JavaScript goes on one character further; `regex` first looks for another one here."""
        at = 0
        while at <= len(text) and (match := self.compiled.search(text, at, timeout=max(deadline - monotonic(), 0.001))):
            yield match
            start, end = match.span()
            at = end + (start == end)


def compile_expression(text: str, flags: Flags) -> Expression:
    """Raises `ConfigError` for what JavaScript refuses, and for the little that is not supported."""
    if len(text) > MAX_PATTERN:
        raise ConfigError(Problem("Pattern", f"{len(text):,} characters; {MAX_PATTERN:,} are possible"))
    pattern = parse(text if flags.unicode else to_units(text), flags)
    translated, emptied = emit(pattern)
    root = pattern.root
    expression = Expression(translated, pattern, flags, emptied, quick_length(root), may_be_empty=min_width(root) == 0)
    if expression.standard is None:
        _ = expression.compiled  # refuses now what it would refuse later
    return expression


# --- UTF-16: without the flag u, JavaScript sees halves of characters beyond U+FFFF ----------------


def to_units(text: str) -> str:
    """Write each character beyond U+FFFF as its two surrogates."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def from_units(text: str) -> str:
    """Join surrogates; a half alone stays."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
