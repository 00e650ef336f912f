"""JSON text that is read piece by piece."""

import codecs
import re
from json import JSONDecodeError, JSONDecoder
from typing import Any, BinaryIO

import msgspec

PIECE = 2**16
LONGEST = 2**24
"""Characters of one value: more is taken for a file that is broken."""
TRIES = 3
"""Brackets from the end of a piece on, of which one should end a whole object."""
SPACE = re.compile(r"[ \t\r\n]*")


class JSONText:
    """A piece of a file, and a place in it. Owns the stream."""

    def __init__(self, stream: BinaryIO, encoding: str, decoder: JSONDecoder, at: int = 0) -> None:
        self.stream, self.encoding, self.decoder = stream, encoding, decoder
        self.incoming = codecs.getincrementaldecoder(encoding)()
        self._before, self._text, self._next = at, "", 0
        self._is_start, self._is_tried = at == 0, False

    @property
    def at(self) -> int:
        """Return the bytes of the file before the place."""
        return self._before + len(self._text[: self._next].encode(self.encoding))

    def peek(self) -> str:
        """Move to the next character that is no white space and return it; an empty text at the end."""
        while True:
            found = SPACE.match(self._text, self._next)
            self._next = found.end() if found else self._next
            if self._next < len(self._text) or not self._more():
                return self._text[self._next : self._next + 1]

    def skip(self) -> None:
        """Move behind one character."""
        self._next += 1

    def value(self) -> Any:
        """Move behind the next value and return it; `ValueError` where there is none."""
        self.peek()
        while True:
            try:
                value, end = self.decoder.raw_decode(self._text, self._next)
            except JSONDecodeError:
                if len(self._text) - self._next < LONGEST and self._more():
                    continue
                raise
            if end == len(self._text) and self._more():
                continue  # what ends with the piece may go on: 12 of 123
            self._next = end
            return value

    def objects(self, decoder: "msgspec.json.Decoder[list[dict[str, Any]]]", most: int) -> list[dict[str, Any]]:
        """Move behind all objects that are whole in the piece, divided by commas, and return them.

        None where they are more than `most`, or anything else: then each value needs a look of its own. A piece is tried once.
        """
        end = len(self._text)
        for _ in range(0 if self._is_tried else TRIES):
            end = self._text.rfind("}", self._next, end)
            if end < 0:
                break
            try:  # an end inside of an object or a text leaves no JSON
                found = decoder.decode(f"[{self._text[self._next : end + 1]}]")
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if len(found) > most:
                break
            self._next = end + 1
            return found
        self._is_tried = True
        return []

    def close(self) -> None:
        self.stream.close()

    def _more(self) -> bool:
        """Append a piece, as long as what is not yet used, so that a long value is decoded a few times only."""
        piece = ""
        while not piece:
            content = self.stream.read(max(PIECE, len(self._text) - self._next))
            piece = self.incoming.decode(content, not content)
            if not content:
                break
        self._before = self.at
        self._text, self._next, self._is_tried = self._text[self._next :] + piece, 0, False
        if self._is_start:
            self._next, self._is_start = int(piece.startswith("\ufeff")), False
        return bool(piece)
