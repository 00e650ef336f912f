"""Bodies as they were before the server compressed them."""

import gzip
import zlib

CODINGS = ("gzip", "deflate")
"""What is asked for."""


def decoded(body: bytes, codings: str) -> bytes:
    """Undo the codings that a header names, the last one first; `ValueError` for a body that is torn or not so coded."""
    for coding in reversed(codings.lower().replace(" ", "").split(",")):
        try:
            if coding in ("gzip", "x-gzip"):
                body = gzip.decompress(body)
            elif coding == "deflate":
                body = _inflated(body)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the body is no whole {coding} ({type(error).__name__})") from None
    return body


def _inflated(body: bytes) -> bytes:
    """Some servers leave out the header that the standard asks for."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, -zlib.MAX_WBITS)
