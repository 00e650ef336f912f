"""The seam: the only module that knows which HTTP library carries the requests."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from mj_http.decoding import CODINGS, decoded

if TYPE_CHECKING:
    import httpcore


class TransportFailed(Exception):
    """No whole answer arrived: no connection, a timeout, a torn body. The text holds neither URL nor header."""


class Transport(Protocol):
    """Carries one request; follows no redirect. Used by several threads at once."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers with lower-case names, and the whole decoded body, or raise `TransportFailed`."""

    def close(self) -> None: ...


class HttpcoreTransport:
    """httpcore, on which httpx stands, with kept connections to the server of one `base_url`.

    `timeout` (seconds) bounds the connect, each silence of the server and the whole body.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        import httpcore

        from mj_http.route import proxy_to, server_of, trust

        self._server = server = server_of(base_url)
        self._timeout = timeout
        self._timeouts = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)}
        self._failures = (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            httpcore.UnsupportedProtocol,
        )
        self._request, self._url = httpcore.Request, httpcore.URL
        self._defaults = {
            "host": server.host_header,
            "accept": "*/*",
            "accept-encoding": ", ".join(CODINGS),
            "user-agent": "mj-http",
        }
        self._pool = httpcore.ConnectionPool(
            # to load the authorities' certificates takes 20 ms: an address without TLS needs none
            ssl_context=trust() if server.scheme == "https" else None,
            proxy=proxy_to(server),
            max_connections=32,
            max_keepalive_connections=16,
            keepalive_expiry=15,  # a server that closes an idle connection must not cost an attempt: reconnect before it does
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        request = self._request_for(method, url, headers, body)
        try:
            response = self._pool.handle_request(request)
            try:
                received = _read_headers(response.headers)
                return response.status, received, self._read(response, received)
            finally:
                response.close()
        except self._failures as error:
            reason = type(error).__name__
        raise TransportFailed(reason)  # outside of the except: the library's error, which may hold the URL, is not chained

    def _request_for(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> "httpcore.Request":
        server = self._server
        target = quote(url.removeprefix(server.address), safe="/:?[]@!$&'()*+,;=%")
        sent = self._defaults | {name.lower(): value for name, value in headers.items()}
        if body is not None:
            sent["content-length"] = str(len(body))
        return self._request(
            method,
            self._url(
                scheme=server.scheme,
                host=server.host,
                port=server.port,
                target=target if target.startswith("/") else f"/{target}",
            ),
            headers=list(sent.items()),
            content=body,
            extensions=self._timeouts,
        )

    def _read(self, response: "httpcore.Response", headers: Mapping[str, str]) -> bytes:
        """Read the body within the timeout: one that only drips is cut off, and its connection closed."""
        deadline = time.monotonic() + self._timeout
        chunks = []
        for chunk in response.iter_stream():
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise TransportFailed(f"the body did not end within {self._timeout:g} s")
        try:
            return decoded(b"".join(chunks), headers.get("content-encoding", ""))
        except ValueError as error:
            raise TransportFailed(str(error)) from None

    def close(self) -> None:
        self._pool.close()


def _read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return headers by lower-case name; what is there several times is joined by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
