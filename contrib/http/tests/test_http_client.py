"""The client against a real server on this machine."""

import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from attrs import define, field
from mj_http import HttpClient, Response, TransportFailed, failure

from mjcore.errors import AuthFailed, CheckpointExpired, NotSupported, ProviderError, RateLimited, Unavailable

TOKEN = "pat-na1-0123456789"


@define
class Server:
    """Answers every request with `status`, `headers` and `body`, and remembers what it was asked."""

    url: str
    status: int = 200
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b"{}"
    cut: int = 0
    """Bytes promised, but not sent."""
    drip: float = 0
    """Seconds between single bytes of the body."""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            state.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, sent))
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.body) + state.cut))
            self.end_headers()
            try:
                for piece in [bytes([b]) for b in state.body] if state.drip else [state.body]:
                    self.wfile.write(piece)
                    time.sleep(state.drip)
            except OSError:
                pass
            if state.cut:
                self.close_connection = True

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Be silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    state = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def clients() -> Iterator[list[HttpClient]]:
    opened: list[HttpClient] = []
    yield opened
    for one in opened:
        one.close()


@pytest.fixture
def client(server: Server, clients: list[HttpClient]) -> HttpClient:
    clients.append(
        HttpClient(server.url, lambda: None, headers={"authorization": f"Bearer {TOKEN}"}, secrets=(TOKEN,), timeout=2)
    )
    return clients[-1]


def test_a_request_carries_headers_and_parameters(server: Server, client: HttpClient) -> None:
    client.get("/records", {"limit": 100, "after": None, "q": "a b&c", "fields": "x,y"})
    method, path, headers, _ = server.requests[0]
    assert (method, path) == ("GET", "/records?limit=100&q=a%20b%26c&fields=x,y")
    assert headers["authorization"] == f"Bearer {TOKEN}"


def test_a_posted_body_is_json(server: Server, client: HttpClient) -> None:
    client.post("/search", {"limit": 2})
    assert server.requests[0][2]["content-type"] == "application/json"
    assert msgspec.json.decode(server.requests[0][3]) == {"limit": 2}


def test_a_token_of_the_limiter_is_taken_before_every_request(server: Server, clients: list[HttpClient]) -> None:
    taken: list[int] = []
    client = HttpClient(server.url, lambda: taken.append(len(server.requests)))
    clients.append(client)
    for _ in range(3):
        client.get("/")
    server.status = 503
    with pytest.raises(Unavailable):
        client.get("/")
    assert taken == [0, 1, 2, 3]


def test_numbers_stay_exact(server: Server, client: HttpClient) -> None:
    server.body = b'{"big": 123456789012345678901234567890, "price": 0.10}'
    assert client.get("/").decode() == {"big": 123456789012345678901234567890, "price": Decimal("0.10")}


def test_a_typed_decode_names_what_is_wrong(server: Server, client: HttpClient) -> None:
    server.body = b'{"id": "7"}'
    with pytest.raises(NotSupported, match=r"GET /a: 200: unexpected answer: Expected `int`, got `str`"):
        client.get("/a").decode(dict[str, int])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, NotSupported),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, NotSupported),
        (408, Unavailable),
        (410, CheckpointExpired),
        (414, NotSupported),
        (423, Unavailable),
        (429, RateLimited),
        (477, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (521, Unavailable),
    ],
)
def test_a_status_is_a_typed_error(server: Server, client: HttpClient, status: int, kind: type[ProviderError]) -> None:
    server.status = status
    with pytest.raises(ProviderError, match=f"GET /records: {status}") as error:
        client.get("/records", {"token": TOKEN})
    assert type(error.value) is kind


@pytest.mark.parametrize("status", [429, 503, 477])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("0.5", 0.5), ("0", 0), ("999999999", 86400), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after_is_kept_to(server: Server, client: HttpClient, status: int, text: str, seconds: float) -> None:
    server.status, server.headers = status, {"Retry-After": text}
    with pytest.raises(RateLimited) as error:
        client.get("/")
    assert error.value.retry_after == timedelta(seconds=seconds)


def test_retry_after_as_a_date_counts_from_the_servers_clock() -> None:
    headers = {"retry-after": "Tue, 24 Nov 2015 15:00:30 GMT", "date": "Tue, 24 Nov 2015 15:00:00 GMT"}
    error = failure(Response("GET /: 429", 429, headers, b""))
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("text", ["", "soon", "-5", "inf", "nan", "1e9", "٣"])
def test_a_retry_after_that_makes_no_sense_is_none(text: str) -> None:
    error = failure(Response("GET /: 429", 429, {"retry-after": text}, b""))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize("body", [b"", b'{"results": [{"id": "1', b"<html>maintenance</html>", b'"\xff"'])
def test_what_is_no_json_is_unavailable(server: Server, client: HttpClient, body: bytes) -> None:
    server.body = body
    with pytest.raises(Unavailable, match="no JSON"):
        client.get("/").decode()


def test_a_body_that_is_cut_is_unavailable(server: Server, client: HttpClient) -> None:
    server.body, server.cut = b'{"results": []}', 5
    with pytest.raises(Unavailable):
        client.get("/")


def test_a_torn_compressed_body_is_unavailable(server: Server, client: HttpClient) -> None:
    server.body, server.headers = b"\x1f\x8bnonsense", {"Content-Encoding": "gzip"}
    with pytest.raises(Unavailable):
        client.get("/")


def test_no_server_is_unavailable(clients: list[HttpClient]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clients.append(HttpClient(f"http://127.0.0.1:{port}", lambda: None))
    with pytest.raises(Unavailable, match="GET /: ConnectError"):
        clients[-1].get("/")


@pytest.mark.parametrize("drip", [0.05, 5.0])
def test_the_timeout_ends_a_slow_and_a_silent_body(server: Server, clients: list[HttpClient], drip: float) -> None:
    clients.append(HttpClient(server.url, lambda: None, timeout=0.3))
    server.body, server.drip = b"x" * 30, drip
    began = time.monotonic()
    with pytest.raises(Unavailable):
        clients[-1].get("/")
    assert time.monotonic() - began < 1.2
    server.drip = 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_follows_no_redirect(server: Server, client: HttpClient, status: int) -> None:
    server.status, server.headers = status, {"Location": "http://127.0.0.1:1/steal"}
    with pytest.raises(NotSupported, match="redirects are not followed"):
        client.get("/")
    assert len(server.requests) == 1


def test_no_message_and_no_log_shows_a_secret(server: Server, client: HttpClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = [repr(client)]
    for status, body in [(200, b"{"), (401, b"bad token " + TOKEN.encode()), (429, b"{}"), (500, TOKEN.encode())]:
        server.status, server.body = status, body
        with pytest.raises(ProviderError) as error:
            client.get("/x", {"key": TOKEN}).decode()
        chain: BaseException | None = error.value
        while chain:
            shown += ["".join(traceback.format_exception(chain)), repr(chain)]
            chain = chain.__context__
    server.cut = 10
    with pytest.raises(Unavailable) as torn:
        client.get("/x", {"key": TOKEN})
    shown += [repr(torn.value), repr(torn.value.__context__)]
    shown += [record.getMessage() for record in caplog.records]
    assert any("GET" in text and "500" in text for text in shown)
    assert not [text for text in shown if TOKEN in text]


def test_a_provider_reads_more_in_the_body(server: Server, clients: list[HttpClient]) -> None:
    def classify(response: Response) -> ProviderError:
        return RateLimited("quota") if response.decode()["code"] == "QUOTA" else failure(response, "said so")

    clients.append(HttpClient(server.url, lambda: None, classify=classify))
    server.status, server.body = 403, b'{"code": "QUOTA"}'
    with pytest.raises(RateLimited, match="quota"):
        clients[-1].get("/")
    server.body = b'{"code": "OTHER"}'
    with pytest.raises(AuthFailed, match="GET /: 403: said so"):
        clients[-1].get("/")


def test_every_answer_is_observed(server: Server, clients: list[HttpClient]) -> None:
    seen: list[str] = []
    clients.append(HttpClient(server.url, lambda: None, observe=lambda r: seen.append(r.headers["x-remaining"])))
    for status, left in [(200, "9"), (503, "8")]:
        server.status, server.headers = status, {"X-Remaining": left}
        try:
            clients[-1].get("/")
        except Unavailable:
            assert status == 503
    assert seen == ["9", "8"]


def test_another_transport_can_carry_the_requests() -> None:
    class Recorded:
        def send(self, method: str, url: str, headers: object, body: bytes | None) -> tuple[int, dict[str, str], bytes]:
            if url.endswith("/torn"):
                raise TransportFailed("torn")
            return 200, {}, url.encode()

        def close(self) -> None:
            """Nothing is open."""

    client = HttpClient("https://api.acme.test/", lambda: None, transport=Recorded())
    assert client.get("/a", {"b": 1}).body == b"https://api.acme.test/a?b=1"
    with pytest.raises(Unavailable, match="GET /torn: torn"):
        client.get("/torn")


@pytest.mark.parametrize(("url", "times"), [("http://api.acme.test", 0), ("https://api.acme.test", 1)])
def test_certificates_are_loaded_for_tls_only(
    clients: list[HttpClient], monkeypatch: pytest.MonkeyPatch, url: str, times: int
) -> None:
    loaded: list[ssl.SSLContext] = []
    load = ssl.SSLContext.load_verify_locations

    def recorded(context: ssl.SSLContext, *where: Any, **more: Any) -> None:
        loaded.append(context)
        load(context, *where, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", recorded)
    clients.append(HttpClient(url, lambda: None))
    assert len(loaded) == times
    assert all(context.get_ca_certs() and context.verify_mode == ssl.CERT_REQUIRED for context in loaded)


def test_httpcore_is_imported_with_the_first_client_only() -> None:
    import subprocess
    import sys

    code = "import mj_http, sys; sys.exit('httpcore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
