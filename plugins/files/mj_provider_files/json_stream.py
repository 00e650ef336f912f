"""The elements of a JSON array, one by one: a file is never in memory as a whole."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, TextIO

PIECE = 2**16
LONGEST = 2**24
"""Characters in one element: more is taken for a file that is broken."""
SPACE = re.compile(r"[ \t\r\n]*")


def elements(stream: TextIO, decoder: JSONDecoder) -> Iterator[Any]:
    """Yield the elements of an array, or the values of a file that holds one after another.

    `ValueError` where the text is no JSON or ends too early.
    """
    text = _Text(stream, decoder)
    if text.peek() != "[":
        while text.peek():
            yield text.value()
        return
    text.at += 1
    if text.peek() != "]":
        yield text.value()
        while text.peek() == ",":
            text.at += 1
            yield text.value()
    if text.peek() != "]":
        raise ValueError("',' or ']' expected" if text.peek() else "the file ends inside the array")
    text.at += 1
    if text.peek():
        raise ValueError("text after the end of the array")


class _Text:
    """A piece of the file and a place in it."""

    def __init__(self, stream: TextIO, decoder: JSONDecoder) -> None:
        self.stream, self.decoder = stream, decoder
        self.text, self.at = "", 0

    def peek(self) -> str:
        """Move to the next character that is no white space and return it; an empty text at the end."""
        while True:
            found = SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except JSONDecodeError:
                if len(self.text) - self.at < LONGEST and self._more():
                    continue
                raise
            if end == len(self.text) and self._more():
                continue  # what ends with the piece may go on: 12 of 123
            self.at = end
            return value

    def _more(self) -> bool:
        """Append a piece, as long as what is not yet used, so that a long value is decoded a few times only."""
        piece = self.stream.read(max(PIECE, len(self.text) - self.at))
        self.text, self.at = self.text[self.at :] + piece, 0
        return bool(piece)
