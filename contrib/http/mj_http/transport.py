"""The seam: the only module that knows which HTTP library carries the requests."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx


class TransportFailed(Exception):
    """No whole answer arrived: no connection, a timeout, a torn body. The text holds neither URL nor header."""


class Transport(Protocol):
    """Carries one request; follows no redirect. Used by several threads at once."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers with lower-case names, and the whole decoded body, or raise `TransportFailed`."""

    def close(self) -> None: ...


class HttpxTransport:
    """httpx with kept connections, for one `base_url`.

    `timeout` (seconds) bounds the connect, each silence of the server and the whole body.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        import ssl

        import httpx

        logging.getLogger("httpx").addFilter(_without_query)
        self._failures = (httpx.RequestError, httpx.InvalidURL, httpx.StreamError)
        self._timeout = timeout
        # a server that closes an idle connection must not cost an attempt: reconnect before it does
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=15)
        # to load the authorities' certificates takes 20 ms: an address without TLS needs none, and is then given none to trust
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url.lower().startswith("http:") else True
        self._client = httpx.Client(verify=verify, timeout=timeout, follow_redirects=False, limits=limits)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        try:
            with self._client.stream(method, url, headers=dict(headers), content=body) as response:
                return response.status_code, dict(response.headers), self._read(response)
        except self._failures as error:
            reason = type(error).__name__
        raise TransportFailed(reason)  # outside of the except: the library's error, which holds the URL, is not chained

    def _read(self, response: "httpx.Response") -> bytes:
        """Read the body within the timeout: one that only drips is cut off, and its connection closed."""
        deadline = time.monotonic() + self._timeout
        chunks = []
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise TransportFailed(f"the body did not end within {self._timeout:g} s")
        return b"".join(chunks)

    def close(self) -> None:
        self._client.close()


def _without_query(record: logging.LogRecord) -> bool:
    """Cut the query, which may hold a token, from the URLs that httpx logs."""
    if isinstance(record.args, tuple):
        record.args = tuple(str(arg).partition("?")[0] if type(arg).__name__ == "URL" else arg for arg in record.args)
    return True
