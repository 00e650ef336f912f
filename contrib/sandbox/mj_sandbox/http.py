"""A lean HTTP/1.1 server: one thread per connection, keep-alive, no chunked bodies."""

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock, Thread
from urllib.parse import parse_qsl, unquote

from attrs import define, field, frozen

LONGEST_HEAD = 65_536
LONGEST_PATH = 16_000
"""Longer request lines get 414, as at HubSpot."""
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 411: "Length Required", 414: "URI Too Long",
    415: "Unsupported Media Type", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip


@frozen
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    def query(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found


@frozen
class Response:
    """One answer. With `cut` the connection ends in the middle of the body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    cut: bool = False

    def encode(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}"]
        if self.status != 204:
            lines += ["Content-Type: application/json;charset=utf-8", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        body = self.body[: len(self.body) // 2] if self.cut else self.body
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Unreadable(Exception):
    """The peer does not speak HTTP as this server does; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@define(eq=False)
class Connection:
    """Reads requests from one socket."""

    peer: socket.socket
    _buffer: bytes = field(init=False, default=b"")

    def read(self) -> Request | None:
        """Return the next request, or None at the end. Raises Unreadable and OSError."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > LONGEST_HEAD:
                raise Unreadable(414)
            if not self._more():
                return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        self._buffer = self._buffer[end + 4 :]
        method, _, rest = lines[0].partition(" ")
        target, _, version = rest.rpartition(" ")
        if not target.startswith("/") or not version.startswith("HTTP/1."):
            raise Unreadable(400)
        if len(target) > LONGEST_PATH:
            raise Unreadable(414)
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        path, _, query = target.partition("?")
        return Request(method, unquote(path), query, headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise Unreadable(411)
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise Unreadable(400)
        if "expect" in headers:
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._buffer) < int(length):
            if not self._more():
                raise Unreadable(400)
        body, self._buffer = self._buffer[: int(length)], self._buffer[int(length) :]
        return body

    def _more(self) -> bool:
        chunk = self.peer.recv(262_144)
        self._buffer += chunk
        return bool(chunk)


@define(eq=False)
class Server:
    """Answers on 127.0.0.1 until closed."""

    answer: Callable[[Request], Response]
    port: int = 0
    _listener: socket.socket = field(init=False)
    _peers: set[socket.socket] = field(init=False, factory=set)
    _threads: list[Thread] = field(init=False, factory=list)
    _lock: Lock = field(init=False, factory=Lock)
    _closed: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._start(Thread(target=self._accept, name="mj-sandbox", daemon=True))

    def close(self) -> None:
        """Stop listening, end all connections and wait for their threads."""
        with self._lock:
            self._closed = True
            for each in (self._listener, *self._peers):
                _shut(each)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, thread: Thread) -> None:
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    peer.close()
                    return
                self._peers.add(peer)
                self._start(Thread(target=self._serve, args=(peer,), name="mj-sandbox connection", daemon=True))

    def _serve(self, peer: socket.socket) -> None:
        try:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._converse(Connection(peer))
        except OSError:
            pass  # the client is gone: there is nobody to tell
        finally:
            with self._lock:
                self._peers.discard(peer)
            peer.close()

    def _converse(self, connection: Connection) -> None:
        try:
            while request := connection.read():
                response = self.answer(request)
                connection.peer.sendall(response.encode())
                if response.cut or request.headers.get("connection", "").lower() == "close":
                    return
        except Unreadable as error:
            connection.peer.sendall(Response(error.status, b"{}", {"Connection": "close"}).encode())


def _shut(each: socket.socket) -> None:
    with suppress(OSError):  # not connected any more
        each.shutdown(socket.SHUT_RDWR)
