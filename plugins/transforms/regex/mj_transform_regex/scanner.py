"""Reads a pattern from left to right."""

import re

from attrs import define

from mjcore.errors import ConfigError, Problem


@define
class Scanner:
    """The pattern's text and the place in it."""

    text: str
    at: int = 0

    def fault(self, message: str, at: int | None = None) -> ConfigError:
        return ConfigError(Problem("Pattern", f"{message} at {self.at if at is None else at}"))

    def peek(self) -> str:
        """Return the next character; nothing at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        self.at += len(char)
        return char

    def skip(self, text: str) -> bool:
        """Move past `text` if it is next."""
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def match(self, regex: re.Pattern[str]) -> re.Match[str] | None:
        """Move past what `regex` matches here."""
        match = regex.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match
