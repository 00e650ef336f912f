"""Text files: compressed or not, in any encoding, with or without a byte order mark."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Literal, TextIO, cast

from mjcore.errors import NotSupported, Unavailable


def open_text(path: Path, encoding: str, errors: Literal["strict", "surrogateescape"]) -> TextIO:
    """Open for reading, line ends kept. With `surrogateescape`, bytes of another encoding come as lone surrogates."""
    compressed = path.name.lower().endswith(".gz")
    # GzipFile has all that TextIOWrapper needs of a BufferedReader
    stream = cast("BufferedReader", gzip.open(path, "rb")) if compressed else path.open("rb")  # noqa: SIM115 - closed by its owner
    try:
        if codecs.lookup(encoding).name == "utf-8":
            is_utf16 = stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            encoding = "utf-16" if is_utf16 else "utf-8-sig"
        return TextIOWrapper(stream, encoding, errors, newline="")
    except BaseException:
        stream.close()
        raise


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
    """Return a text that any database can keep, bytes that could not be decoded replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


@contextmanager
def file_errors(name: str) -> Iterator[None]:
    """Turn what goes wrong with a whole file into provider errors that name it."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise NotSupported(f"{name}: damaged or incomplete gzip file ({error})") from error
    except UnicodeError as error:
        raise NotSupported(f"{name}: {error}; set Encoding to the file's own") from None
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        raise NotSupported(f"{name}: {error.strerror}") from error
    except OSError as error:
        raise Unavailable(f"{name}: {error.strerror or error}") from error
