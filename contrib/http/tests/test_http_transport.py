"""The transport against a server that sends just the bytes that a test wants."""

import gzip
import socket
import ssl
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import define, field
from mj_http import HttpClient, TransportFailed
from mj_http.transport import HttpcoreTransport

from mjcore.errors import ConfigError, Unavailable

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Of this machine, signed by itself, with its key: it secures nothing."""


def answer(body: bytes, *headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "")).encode() + body


def chunked(*chunks: bytes) -> bytes:
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces


@define
class Bytes:
    """Answers every request with the same bytes, and closes the connection behind those that have no end."""

    port: int
    content: bytes = answer(b"{}")
    ends: bool = True
    tls: ssl.SSLContext | None = None
    heads: list[str] = field(factory=list)
    connections: int = 0

    def serve(self, connection: socket.socket) -> None:
        self.connections += 1
        try:
            with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as open_connection:
                open_connection.settimeout(5)
                while head := self.head(open_connection):
                    self.heads.append(head)
                    open_connection.sendall(self.content)
                    if not self.ends:
                        return
        except OSError:
            pass  # the client has gone

    def head(self, connection: socket.socket) -> str:
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            piece = connection.recv(65536)
            if not piece:
                return ""
            received += piece
        return received.decode("latin-1")


@pytest.fixture
def server() -> Iterator[Bytes]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Bytes(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=found.serve, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for thread in threads:
            thread.join()


@pytest.fixture
def opened() -> Iterator[list[HttpcoreTransport]]:
    transports: list[HttpcoreTransport] = []
    yield transports
    for transport in transports:
        transport.close()


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def transport(opened: list[HttpcoreTransport], base_url: str) -> HttpcoreTransport:
    opened.append(HttpcoreTransport(base_url, 2))
    return opened[-1]


def get(opened: list[HttpcoreTransport], server: Bytes, path: str = "/a") -> tuple[int, dict[str, str], bytes]:
    base = f"http://127.0.0.1:{server.port}"
    status, headers, body = transport(opened, base).send("GET", base + path, {}, None)
    return status, dict(headers), body


# --- Bodies --------------------------------------------------------------------------------------

BODY = b'{"results": [' + b'{"id": "1"}, ' * 20_000 + b"{}]}"
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    "content",
    [
        answer(BODY),
        answer(gzip.compress(BODY), "Content-Encoding: gzip"),
        answer(gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), "Content-Encoding: X-GZIP"),
        answer(zlib.compress(BODY), "Content-Encoding: deflate"),
        answer(RAW.compress(BODY) + RAW.flush(), "Content-Encoding: deflate"),
        answer(gzip.compress(zlib.compress(BODY)), "Content-Encoding: deflate, gzip"),
        answer(BODY, "Content-Encoding: identity"),
        chunked(BODY[:5], BODY[5:], b""),
    ],
    ids=["plain", "gzip", "gzip twice", "deflate", "deflate without header", "both", "identity", "chunked"],
)
def test_a_body_is_what_the_server_meant(server: Bytes, opened: list[HttpcoreTransport], content: bytes) -> None:
    server.content = content
    assert get(opened, server)[2] == BODY


@pytest.mark.parametrize(
    "content",
    [
        answer(BODY)[:-1],
        answer(gzip.compress(BODY)[:-9], "Content-Encoding: gzip"),
        answer(gzip.compress(BODY)[:-9] + b"x" * 9, "Content-Encoding: gzip"),
        answer(zlib.compress(BODY)[:-5], "Content-Encoding: deflate"),
        chunked(BODY[:5], BODY[5:]),
        chunked(BODY)[:-9],
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
    ids=["cut", "cut gzip", "wrong gzip", "cut deflate", "no last chunk", "cut chunk", "cut head", "no HTTP", "nothing"],
)
def test_a_body_that_is_not_whole_is_none(server: Bytes, opened: list[HttpcoreTransport], content: bytes) -> None:
    server.content, server.ends = content, False
    with pytest.raises(TransportFailed) as failure:
        get(opened, server)
    assert str(server.port) not in f"{failure.value}{failure.value.__context__!r}"


# --- Requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/a?x=1&y=a%20b,c", "/a?x=1&y=a%20b,c"),
        ("/a b/ä", "/a%20b/%C3%A4"),
        ("/a\r\nX-Evil: 1", "/a%0D%0AX-Evil:%201"),
        ("", "/"),
        ("?x=1", "/?x=1"),
    ],
)
def test_an_address_is_sent_so_that_it_stays_one(server: Bytes, opened: list[HttpcoreTransport], path: str, line: str) -> None:
    get(opened, server, path)
    assert server.heads[0].splitlines()[0] == f"GET {line} HTTP/1.1"
    assert "X-Evil" not in server.heads[0].splitlines()


def test_a_request_says_what_it_takes_and_a_caller_may_say_otherwise(server: Bytes, opened: list[HttpcoreTransport]) -> None:
    base = f"http://127.0.0.1:{server.port}"
    transport(opened, base).send("GET", f"{base}/", {"Accept": "application/json", "Authorization": "Bearer x"}, None)
    headers = [line.lower() for line in server.heads[0].splitlines()[1:]]
    expected = [f"host: 127.0.0.1:{server.port}", "accept: application/json", "accept-encoding: gzip, deflate"]
    assert [line for line in headers if line.startswith(("host", "accept"))] == expected
    assert "authorization: bearer x" in headers


def test_headers_have_lower_case_names_and_repeated_ones_are_joined(server: Bytes, opened: list[HttpcoreTransport]) -> None:
    server.content = answer(b"", "X-Rate: 1", "Vary: a", "vary: b")
    assert get(opened, server)[1] == {"content-length": "0", "x-rate": "1", "vary": "a, b"}


def test_connections_are_kept_and_shared_by_threads(server: Bytes, opened: list[HttpcoreTransport]) -> None:
    base = f"http://127.0.0.1:{server.port}"
    one = transport(opened, base)
    for _ in range(5):
        one.send("GET", base, {}, None)
    assert server.connections == 1
    server.content = answer(BODY)
    with ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(lambda _: one.send("GET", base, {}, None)[2], range(40)))
    assert bodies == [BODY] * 40
    assert server.connections <= 5


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="authenticate by a header") as error:
        HttpcoreTransport("http://user:secret@127.0.0.1", 1)
    assert "secret" not in str(error.value)


def test_a_port_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="BaseURL"):
        HttpcoreTransport("http://127.0.0.1:99999999", 1)


# --- The way -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(
    server: Bytes, opened: list[HttpcoreTransport], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://us%40er:secret@127.0.0.1:{server.port}")
    transport(opened, "http://api.acme.test").send("GET", "http://api.acme.test/a?b=1", {}, None)
    head = server.heads[0].lower()
    assert head.startswith("get http://api.acme.test/a?b=1 http/1.1\r\n")
    assert "host: api.acme.test\r\n" in head
    assert f"proxy-authorization: basic {b64encode(b'us@er:secret').decode()}".lower() in head


@pytest.mark.parametrize("spared", ["127.0.0.1", "*", "acme.test,127.0.0.1"])
def test_a_server_that_the_environment_names_is_asked_without_proxy(
    server: Bytes, opened: list[HttpcoreTransport], monkeypatch: pytest.MonkeyPatch, spared: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", spared)
    assert get(opened, server)[0] == 200


def test_a_proxy_carries_tls_through_a_tunnel(
    server: Bytes, opened: list[HttpcoreTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{server.port}")
    server.content, server.ends = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", False
    with pytest.raises(TransportFailed, match="ProxyError"):
        transport(opened, "https://api.acme.test").send("GET", "https://api.acme.test/a", {}, None)
    assert server.heads[0].startswith("CONNECT api.acme.test:443 HTTP/1.1\r\n")


def test_a_server_that_nobody_vouches_for_is_not_asked(
    server: Bytes, opened: list[HttpcoreTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(CERTIFICATE)
    base = f"https://localhost:{server.port}"
    with pytest.raises(TransportFailed, match="ConnectError"):
        transport(opened, base).send("GET", f"{base}/a", {"authorization": "secret"}, None)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert transport(opened, base).send("GET", f"{base}/a", {}, None)[0] == 200
    with pytest.raises(TransportFailed, match="ConnectError"):  # the certificate is not of this name
        transport(opened, base.replace("localhost", "127.0.0.2")).send("GET", base.replace("localhost", "127.0.0.2"), {}, None)
    assert len(server.heads) == 1


def test_a_server_that_speaks_no_tls_is_unavailable(server: Bytes) -> None:
    client = HttpClient(f"https://127.0.0.1:{server.port}", lambda: None, timeout=0.5)
    server.content, server.ends = b"HTTP/1.1 400 Bad Request\r\n\r\n", False
    with pytest.raises(Unavailable, match=r"GET /a: (ConnectError|ConnectTimeout)"):
        client.get("/a")
    client.close()
