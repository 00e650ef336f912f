"""A server that answers as each test says, and sources that are open to it."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, field, frozen
from mj_provider_hubspot import open_hubspot
from mj_provider_hubspot.config import Auth, Config
from mj_provider_hubspot.source import HubSpotSource

from mjcore.capabilities import Connection, Secret

TOKEN = "pat-na1-00000000-secret"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@frozen
class Asked:
    """One request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    url: str
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@define
class Script:
    """Answers with the route's function; everything else is 404."""

    url: str = ""
    routes: dict[str, Callable[[Asked], Answer]] = field(factory=dict)
    asked: list[Asked] = field(factory=list)
    cut: bool = False

    def on(self, route: str, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Answer a route such as `GET /crm/v3/objects/contacts` always the same."""
        self.routes[route] = lambda _: (status, body, headers or {})

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        route = self.routes.get(str(asked))
        return route(asked) if route else (404, {"status": "error", "message": "no such path", "category": "OBJECT_NOT_FOUND"})


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one segment an answer: else each waits for a delayed acknowledgement

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, url.path, query, json.loads(body) if body else None, self.path, headers)
            status, answer, *more = script.answer(asked)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + 9 * script.cut))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = script.cut

        do_GET = do_POST = reply

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Be silent."""

    return Handler


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connect() -> Iterator[Callable[..., HubSpotSource]]:
    """Open a source: `connect(url, token=…, **settings)`."""
    opened: list[HubSpotSource] = []

    def connect(url: str, token: str = TOKEN, throttle: Callable[[], None] = lambda: None, **settings: Any) -> HubSpotSource:
        config = Config(base_url=url, **settings)
        source = open_hubspot(
            Connection("test", config, Auth(Secret(token)), throttle, lambda _, __: None, lambda: False, lambda: NOW)
        )
        assert isinstance(source, HubSpotSource)
        opened.append(source)
        return source

    yield connect
    for source in opened:
        source.close()


@pytest.fixture
def source(script: Script, connect: Callable[..., HubSpotSource]) -> HubSpotSource:
    return connect(script.url)
