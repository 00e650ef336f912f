"""The client that providers share."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from attrs import evolve, field, frozen

from mj_http.failure import failure
from mj_http.response import Response
from mj_http.transport import HttpcoreTransport, Transport, TransportFailed
from mjcore.errors import ProviderError, Unavailable


def _ignore(_: Response) -> None:
    """Watch nothing."""


@frozen
class HttpClient:
    """Sends requests to one base URL and returns whole answers, or raises the `ProviderError` that says what to do.

    It neither waits nor repeats. Safe for several threads.
    """

    base_url: str
    throttle: Callable[[], None]
    """Called before every request: `Connection.throttle`."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts that no message may show, should the server repeat them."""
    timeout: float = 30.0
    """Seconds, for the connect, each silence of the server and the whole body; ignored with a `transport` of your own."""
    classify: Callable[[Response], ProviderError] = failure
    """Turns an answer of status 300 and above into an error; for services that say more in the body."""
    observe: Callable[[Response], None] = _ignore
    """Sees every answer, such as its rate-limit headers."""
    transport: Transport = field(repr=False)

    @transport.default
    def _httpcore(self) -> Transport:
        return HttpcoreTransport(self.base_url, self.timeout)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """GET `path`; parameters that are None are left out."""
        return self.request("GET", path, params)

    def post(self, path: str, json: Any) -> Response:
        """POST a JSON body."""
        return self.request("POST", path, json=json)

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None, json: Any = None) -> Response:
        """Send one request and return its answer if the status is below 300."""
        body = None if json is None else msgspec.json.encode(json)
        headers = self.headers if body is None else {**self.headers, "content-type": "application/json"}
        self.throttle()
        try:
            status, received, content = self.transport.send(method, self.url(path, params), headers, body)
        except TransportFailed as error:
            raise Unavailable(self._clean(f"{method} {path}: {error}")) from None
        response = Response(self._clean(f"{method} {path}: {status}"), status, received, content)
        self.observe(response)
        if status >= 300:
            raise self.classify(self._safe(response))
        return response

    def url(self, path: str, params: Mapping[str, Any] | None = None) -> str:
        """Return the address of a request."""
        query = urlencode({k: v for k, v in (params or {}).items() if v is not None}, quote_via=quote, safe=",")
        address = self.base_url.rstrip("/") + path
        return f"{address}?{query}" if query else address

    def close(self) -> None:
        self.transport.close()

    def _safe(self, response: Response) -> Response:
        """Return the response as an error may quote it."""
        return evolve(response, body=self._clean(response.body.decode(errors="replace")).encode())

    def _clean(self, text: str) -> str:
        for secret in filter(None, self.secrets):
            text = text.replace(secret, "***")
        return text
