"""A JavaScript pattern, compiled: finds its matches in a text as JavaScript does, and in bounded time."""

from collections.abc import Iterator
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
MAX_QUICK = 65_536


@frozen
class Expression:
    """A compiled pattern."""

    compiled: "regex.Pattern[str]"
    pattern: Pattern
    flags: Flags
    emptied: frozenset[int]
    """Groups whose empty match may mean that they took no part."""
    quick_length: int
    """Texts up to this length need no deadline, which costs more than a quick search."""

    def replaced(self, text: str, literal: str) -> str | None:
        """Return the text with a literal for what matches; None where `matches` has to find it, with a deadline."""
        if len(text) > self.quick_length or len(text) * len(literal) > MAX_QUICK or not min_width(self.pattern.root):
            return None
        return self.compiled.sub(literal.replace("\\", "\\\\"), text, 0 if self.flags.every_match else 1)

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
        if min_width(self.pattern.root):
            return self.compiled.finditer(text, timeout=timeout)
        return self._advancing(text, deadline)

    def _advancing(self, text: str, deadline: float) -> "Iterator[regex.Match[str]]":
        """After an empty match JavaScript goes on one character further; `regex` first looks for another one here."""
        at = 0
        while at <= len(text) and (match := self.compiled.search(text, at, timeout=max(deadline - monotonic(), 0.001))):
            yield match
            start, end = match.span()
            at = end + (start == end)


def compile_expression(text: str, flags: Flags) -> Expression:
    """Raises `ConfigError` for what JavaScript refuses, and for the little that is not supported."""
    import regex

    if len(text) > MAX_PATTERN:
        raise ConfigError(Problem("Pattern", f"{len(text):,} characters; {MAX_PATTERN:,} are possible"))
    pattern = parse(text if flags.unicode else to_units(text), flags)
    translated, emptied = emit(pattern)
    try:
        compiled = regex.compile(translated, regex.DOTALL | regex.VERSION0, cache_pattern=False)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ConfigError(Problem("Pattern", f"not supported: {error}")) from None
    return Expression(compiled, pattern, flags, emptied, quick_length(pattern.root))


# --- UTF-16: without the flag u, JavaScript sees halves of characters beyond U+FFFF ----------------


def to_units(text: str) -> str:
    """Write each character beyond U+FFFF as its two surrogates."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def from_units(text: str) -> str:
    """Join surrogates; a half alone stays."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
