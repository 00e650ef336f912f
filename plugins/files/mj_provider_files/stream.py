"""Bytes of text files: compressed or not, in any encoding, from any place on."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from mjcore.errors import NotSupported, Unavailable

BLOCK = 2**18
"""Bytes read at a time."""


def open_stream(path: Path, encoding: str, at: int = 0) -> tuple[BinaryIO, str]:
    """Open for reading behind `at` bytes; return the stream and the encoding that its bytes have.

    A compressed file, or one that has to be recoded, is read up to that place: bytes count as they come out.
    """
    is_compressed = path.name.lower().endswith(".gz")
    # GzipFile has all that is needed of a BufferedReader
    stream = cast("BufferedReader", gzip.open(path, "rb")) if is_compressed else path.open("rb")  # noqa: SIM115 - closed by its owner
    try:
        if is_utf8(encoding) and stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
        if is_utf8(encoding) or _has_single_bytes(encoding):
            stream.seek(at)
            return stream, "utf-8" if is_utf8(encoding) else encoding
        stream = BufferedReader(_Recoded(stream, encoding), BLOCK)
        while at > 0 and (skipped := stream.read(min(at, BLOCK))):
            at -= len(skipped)
        return stream, "utf-8"
    except BaseException:
        stream.close()
        raise


def is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


@lru_cache
def _has_single_bytes(encoding: str) -> bool:
    """Tell whether each byte is a character, and those of ASCII their own."""
    try:
        text = bytes(range(256)).decode(encoding, "surrogateescape")
    except UnicodeError:
        return False
    return len(text) == 256 and text.startswith(bytes(range(128)).decode()) and text.count("\n") == 1


class _Recoded(RawIOBase):
    """A stream of another encoding, as UTF-8; bytes that cannot be decoded come as they are, and are no UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.stream, self.rest = stream, b""
        self.decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # that is what BufferedReader hands over
        while not self.rest and (piece := self.stream.read(BLOCK)):
            self.rest = self._utf8(piece)
        self.rest = self.rest or self._utf8(b"")
        given, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _utf8(self, piece: bytes) -> bytes:
        return self.decoder.decode(piece, not piece).encode("utf-8", "surrogateescape")

    def close(self) -> None:
        self.stream.close()
        super().close()


@contextmanager
def file_errors(name: str) -> Iterator[None]:
    """Turn what goes wrong with a whole file into provider errors that name it."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise NotSupported(f"{name}: damaged or incomplete gzip file ({error})") from error
    except UnicodeError as error:
        raise NotSupported(f"{name}: {error}; set Encoding to the file's own") from None
    except (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotSupported(f"{name}: {error.strerror}; is it there, and may this user read it?") from error
    except OSError as error:
        raise Unavailable(f"{name}: {error.strerror or error}") from error
