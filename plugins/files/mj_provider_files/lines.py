"""Lines of text files, and places between them."""

from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from attrs import define, field

from mj_provider_files import stream
from mj_provider_files.chunk import Place
from mjcore.errors import NotSupported

LONGEST = 2**24
"""Bytes of one line: more is no file of lines."""


@define
class Lines:
    """The lines of a file, and the place behind those that were used."""

    path: Path
    encoding: str
    place: Place
    has_faults: bool = False
    """Bytes were found that cannot be decoded: they come as lone surrogates."""
    _unused: list[bytes] = field(factory=list, init=False)
    """Lines that are decoded and not yet used."""
    _stream: BinaryIO = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._stream, self.encoding = stream.open_stream(self.path, self.encoding, self.place.at)

    def __iter__(self) -> Iterator[str]:
        """Yield lines with their ends: `\\n` alone ends a line."""
        return chain.from_iterable(self._blocks())

    def advance(self, lines: int) -> None:
        """Move the place behind so many lines."""
        self.place = Place(self.place.at + sum(map(len, self._unused[:lines])), self.place.number + lines)
        del self._unused[:lines]

    def text(self, index: int) -> str:
        """Return a line that is decoded and not yet used."""
        return self._unused[index].decode(self.encoding, "surrogateescape").rstrip("\r\n")

    def close(self) -> None:
        self._stream.close()

    def _blocks(self) -> Iterator[Iterable[str]]:
        rest, is_first = b"", self.place.at == 0
        while piece := self._stream.read(stream.BLOCK):
            piece = rest + piece
            cut = piece.rfind(b"\n") + 1
            rest = piece[cut:]
            if len(rest) > LONGEST:
                raise NotSupported(
                    f"{self.path.name}: a line is longer than {LONGEST >> 20} MiB; are these lines that end in \\n?"
                )
            if cut:
                yield self._decoded(piece[:cut], is_first=is_first)
                is_first = False
        if rest:
            yield self._decoded(rest, is_first=is_first)

    def _decoded(self, block: bytes, *, is_first: bool) -> Iterable[str]:
        lines = BytesIO(block).readlines()
        self._unused += lines
        if block.isascii():
            return map(bytes.decode, lines)
        try:
            text = block.decode(self.encoding)
        except UnicodeDecodeError:
            text, self.has_faults = block.decode(self.encoding, "surrogateescape"), True
        return StringIO(text.removeprefix("\ufeff") if is_first else text, newline="\n")


def is_clean(text: str) -> bool:
    """Tell whether every byte could be decoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(text: str) -> str:
    """Return the beginning of a text as any database can keep it, bytes that could not be decoded replaced."""
    return text[:2000].encode(errors="surrogateescape").decode(errors="replace")
