"""A real HTTP server on 127.0.0.1 that stands before another one, or answers from a script, and fails when it is told to."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from attrs import define, field, frozen

HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "server"})
LONGEST_STALL = 5.0
"""Seconds after which a stalled answer ends anyway."""


@frozen
class Fault:
    """What one request meets instead of its answer.

    `status`: an answer of `status` that repeats all that was sent, secrets too. `cut`: the body ends in the middle. `reset`: the
    connection ends before the answer. `stall`: no answer. `garbage`: 200 and a page of HTML. `repeat`: what the request before
    it to the same path got.
    """

    kind: Literal["status", "cut", "reset", "stall", "garbage", "repeat"]
    status: int = 0
    retry_after: int | None = None
    """Seconds, in the header Retry-After."""

    def __str__(self) -> str:
        after = "" if self.retry_after is None else f" with Retry-After: {self.retry_after}"
        return f"{self.status}{after}" if self.kind == "status" else self.kind


@frozen
class Request:
    """One request as it came; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The first value of each parameter."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}


@frozen
class Answer:
    """One answer; a body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Upstream = Callable[[Request], Answer]


def forward(url: str) -> Upstream:
    """Return what sends requests on to the server at `url`."""

    def send(request: Request) -> Answer:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
        try:
            sent = {name: value for name, value in request.headers.items() if name not in HOP}
            connection.request(request.method, request.target, request.body or None, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {n: v for n, v in answer.getheaders() if n.lower() not in HOP})
        except (OSError, HTTPException) as error:
            return Answer(502, {"message": f"the server behind the faults is gone: {error}"})
        finally:
            connection.close()

    return send


def script(routes: Mapping[str, Answer | Upstream]) -> Upstream:
    """Return what answers `METHOD /path` (or `METHOD /path?query` first) from a table; all else is 404."""

    def answer(request: Request) -> Answer:
        for key in (f"{request.method} {request.target}", f"{request.method} {request.path}"):
            if found := routes.get(key):
                return found if isinstance(found, Answer) else found(request)
        return Answer(404, {"message": f"no route {request.method} {request.path}"})

    return answer


@define(eq=False)
class FaultServer:
    """Use it as a context. `upstream` may be changed at any time."""

    upstream: Upstream = field(default=script({}))
    requests: list[Request] = field(factory=list)
    arriving: Callable[[], None] = field(default=lambda: None)
    """Called as each request arrives."""
    struck: int | None = None
    """How many requests had come when the fault struck, that one included."""
    _fault: Fault | None = None
    _left: int = 0
    _last: dict[str, Answer] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)
    _over: threading.Event = field(factory=threading.Event)
    _server: ThreadingHTTPServer = field(init=False)
    _thread: threading.Thread = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, fault: Fault, after: int = 0) -> None:
        """Let one request fail: the next, or the one `after` so many more."""
        with self._lock:
            self._fault, self._left, self.struck = fault, after, None

    def heal(self) -> None:
        """Forget a fault that has not struck, who listens, and what was seen."""
        with self._lock:
            self._fault, self.struck, self.arriving = None, None, lambda: None
            self.requests.clear()
            self._last.clear()

    def take(self, request: Request) -> Fault | None:
        """Note a request; return the fault that it meets."""
        with self._lock:
            self.requests.append(request)
            self.arriving()
            if self._fault is None or self._left:
                self._left -= self._fault is not None
                return None
            fault, self._fault, self.struck = self._fault, None, len(self.requests)
            return fault

    def answer(self, request: Request) -> tuple[Answer, Fault | None]:
        fault = self.take(request)
        if fault and fault.kind == "repeat":
            return self._last.get(request.path) or self.upstream(request), None
        if fault and fault.kind == "status":
            sent = {"message": f"{fault.status}: {request.target} {dict(request.headers)} {request.body!r}"}
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return Answer(fault.status, sent, {"Content-Type": "application/json", **headers}), fault
        if fault and fault.kind == "garbage":
            return Answer(200, b"<html>Sign in to the guest network</html>", {"Content-Type": "text/html"}), fault
        found = self.upstream(request)
        self._last[request.path] = found
        return found, fault

    def stall(self) -> None:
        """Wait until nobody waits any more."""
        self._over.wait(LONGEST_STALL)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,), name="mj-testing faults", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one segment an answer: else each waits for a delayed acknowledgement
        disable_nagle_algorithm = True

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer, fault = server.answer(Request(self.command, self.path, headers, body))
            kind = fault.kind if fault else None
            if kind == "stall":
                server.stall()
            if kind in ("stall", "reset"):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            content = answer.content
            self.send_response_only(answer.status)
            for name, value in {"Date": self.date_time_string(), **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (kind == "cut")))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if kind == "cut" else content)
            self.wfile.flush()
            self.close_connection = kind == "cut" or self.close_connection

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = reply  # noqa: N815 - the base class calls them so

        def handle(self) -> None:
            with suppress(OSError):  # the client is gone: there is nobody to tell
                super().handle()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Be silent."""

    return Handler
