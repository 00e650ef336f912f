"""The flags of a JavaScript pattern."""

from attrs import evolve, frozen

from mjcore.errors import ConfigError, Problem

KNOWN = {"g": "every_match", "i": "ignore_case", "m": "multiline", "s": "dot_all", "u": "unicode"}


@frozen
class Flags:
    """g, i, m, s, u."""

    every_match: bool = False
    ignore_case: bool = False
    multiline: bool = False
    dot_all: bool = False
    unicode: bool = False

    def switched(self, letters: str, on: bool) -> "Flags":
        return evolve(self, **{KNOWN[letter]: on for letter in letters})


def parse_flags(text: str) -> Flags:
    """Return the flags; one that is unknown or there twice is a `ConfigError`."""
    for letter in text:
        if letter not in KNOWN:
            raise ConfigError(Problem("Flags", f"{letter!r} is not supported; use some of g, i, m, s, u"))
        if text.count(letter) > 1:
            raise ConfigError(Problem("Flags", f"{letter!r} is there twice"))
    return Flags().switched(text, on=True)
