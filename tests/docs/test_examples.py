"""The plugins that the docs show are real: they load into a kernel and do what they say, over real HTTP."""

import hashlib
import hmac
import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mjcore.capabilities import Connection, Notice, RecordReader, Secret, Source, WebhookReceiver
from mjcore.errors import AuthFailed, CheckpointExpired, NotSupported, RateLimited, TransformError, Unavailable
from mjcore.kernel import Kernel
from mjcore.models import Entity, EntityMap
from mjcore.records import ExternalRecord, FetchRequest, MappedRecord, Reference, RowKey, Value, Watermark

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kernel() -> Kernel:
    names = ("example_plugins", "example_provider")
    kernel = Kernel(plugins={name: example(name) for name in names}, discover=False)
    assert [plugin.error for plugin in kernel.plugins] == [None, None]
    return kernel


# --- Acme CRM ------------------------------------------------------------------------------------------

PEOPLE = [
    {
        "id": number,
        "values": {"email": f"p{number}@acme.test", "name": f"Person {number}"},
        "updated_at": f"2026-01-{number:02}T00:00:00+00:00",
        "deleted_at": "2026-02-01T00:00:00+00:00" if number == 5 else None,
    }
    for number in range(1, 8)
]


class Acme(BaseHTTPRequestHandler):
    """A small CRM: cursor pages of two; the paths below `/fail/` answer with that status."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if self.headers.get("X-Acme-Key") != "right":
            self.answer(401, {})
        elif url.path.startswith("/records/fail-"):
            status = int(url.path.removeprefix("/records/fail-"))
            self.answer(status, {}, **({"Retry-After": "7"} if status == 429 else {}))
        else:
            self.answer(200, self.data(url.path, query))

    def data(self, path: str, query: dict[str, str]) -> Any:
        if path == "/me":
            return {"account": "Acme 1", "server_time": "2026-03-01T00:00:00+00:00"}
        if path == "/objects":
            return {"data": [{"name": "people", "label": "People", "custom": False}]}
        if path == "/objects/people/fields":
            return {"data": [{"name": "email", "label": "E-mail", "type": "text", "readonly": False}]}
        since, ids = query.get("updated_from", ""), query.get("ids")
        wanted = [p for p in PEOPLE if str(p["updated_at"]) >= since and (not ids or str(p["id"]) in ids.split(","))]
        start = int(query.get("cursor", "0"))
        end = start + 2
        return {
            "data": wanted if ids else wanted[start:end],
            "next": str(end) if end < len(wanted) else None,
            "total": len(wanted),
        }

    def answer(self, status: int, data: Any, **headers: str) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Stay silent."""


@pytest.fixture
def acme() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Acme)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(kernel: Kernel, url: str, key: str = "right") -> Source:
    kind = kernel.provider_types["Acme"]
    config, auth = kind.config(base_url=url), kind.auth(key=Secret(key), webhook_secret=Secret("hook"))
    nothing: Any = lambda *_: None  # noqa: E731
    return kind.open(Connection("Acme", config, auth, nothing, nothing, lambda: False, lambda: datetime.now(UTC)))


@pytest.fixture
def source(kernel: Kernel, acme: str) -> Iterator[Source]:
    source = opened(kernel, acme)
    yield source
    source.close()


def request(object_name: str = "people", **known: Any) -> FetchRequest:
    return FetchRequest(object_name, ("email",), known.get("since"), None, known.get("checkpoint"), 2)


def test_the_provider_reads_every_page_and_its_deletes(source: Source) -> None:
    page = source.fetch(request())
    assert page.total == 7
    records = list(page.records)
    while page.next:
        page = source.fetch(request(checkpoint=page.next))
        records += page.records
    assert [record.external_id for record in records] == [str(number) for number in range(1, 8)]
    assert [record.external_id for record in records if record.is_deleted] == ["5"]


def test_the_provider_reads_what_changed_since(source: Source) -> None:
    page = source.fetch(request(since=Watermark("Timestamp", "2026-01-06T00:00:00+00:00")))
    assert [record.external_id for record in page.records] == ["6", "7"]


def test_the_provider_discovers(source: Source) -> None:
    assert source.test() == {"account": "Acme 1"}
    assert [item.name for item in source.objects()] == ["people"]
    assert [(item.name, item.type) for item in source.fields("people")] == [("email", "string")]
    assert source.high_watermark("people") == Watermark("Timestamp", "2026-03-01T00:00:00+00:00")


def test_the_provider_reads_single_records_and_webhooks(source: Source) -> None:
    assert isinstance(source, RecordReader)
    assert isinstance(source, WebhookReceiver)
    assert [record.external_id for record in source.read("people", ["2", "3"], ("email",))] == ["2", "3"]
    body = b'[{"object": "people", "id": 2}]'
    signature = hmac.new(b"hook", body, hashlib.sha256).hexdigest()
    assert source.receive({"x-acme-signature": signature}, body, "") == [Reference("people", "2")]
    with pytest.raises(AuthFailed):
        source.receive({"x-acme-signature": "wrong"}, body, "")


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, AuthFailed), (404, NotSupported), (410, CheckpointExpired), (429, RateLimited), (503, Unavailable)],
)
def test_the_providers_errors_are_typed(source: Source, status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=str(status)) as raised:
        source.fetch(request(f"fail-{status}"))
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after is not None
        assert raised.value.retry_after.seconds == 7


def test_a_wrong_key_is_told_without_showing_it(kernel: Kernel, acme: str) -> None:
    source = opened(kernel, acme, key="very secret")
    with pytest.raises(AuthFailed) as raised:
        source.test()
    source.close()
    assert "very secret" not in str(raised.value)


# --- Initials, phones, ntfy -----------------------------------------------------------------------------


def test_initials(kernel: Kernel) -> None:
    kind = kernel.transform_types["initials"]
    assert list(kind.compile(kind.config(separator=".")).apply(["Ada Lovelace", ""], [{}, {}])) == ["A.L", ""]
    with pytest.raises(TransformError):
        kind.compile(kind.config()).apply([5], [{}])


class People:
    """Rows with a phone."""

    def __init__(self, *phones: str | None) -> None:
        self.phones = phones

    def scan(self, fields: tuple[str, ...]) -> Iterator[tuple[RowKey, tuple[Value, ...]]]:
        assert fields == ("Phone",)
        yield from (((number,), (phone,)) for number, phone in enumerate(self.phones))


def test_phones_match_by_their_digits_and_blank_matches_nothing(kernel: Kernel) -> None:
    kind = kernel.match_types["phone"]
    matcher = kind.compile(kind.config(), EntityMap("people", Entity("People", "people")))
    records = [MappedRecord(ExternalRecord("1", {}), {"Phone": phone}) for phone in ("+1 555-123-4567", None)]
    assert list(matcher.candidates(records, People("5551234567", None, "555 1234567"))) == [[(0,), (2,)], []]  # type: ignore[arg-type]


def test_ntfy_posts_the_notice(kernel: Kernel) -> None:
    got: list[tuple[str | None, bytes]] = []

    class Topic(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.headers["Title"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Topic) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        kind = kernel.notifier_types["ntfy"]
        notifier = kind.open(kind.config(topic_url=Secret(f"http://127.0.0.1:{server.server_port}/alerts")))
        notifier.notify(Notice("failed", "Sync failed", "3 records", "Acme", None, {}))
        server.shutdown()
    assert got == [("Sync failed", b"3 records")]
