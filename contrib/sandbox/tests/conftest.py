"""A running account, and two ways to talk to it: plain requests, and HubSpot's own client."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import hubspot  # type: ignore[import-untyped]
import msgspec
import pytest
from attrs import define, frozen
from mj_sandbox import Handle, serve

START = 1_780_000_000_000
"""The simulated clock of the account, in ms."""


@frozen
class Reply:
    status: int
    headers: dict[str, str]
    json: Any
    body: bytes


@define
class Caller:
    """Sends requests with the account's token."""

    handle: Handle

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        connection = HTTPConnection(self.handle.address.removeprefix("http://"), timeout=30)
        try:
            content = None if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
            sent = {"Authorization": f"Bearer {self.handle.token}"} | (headers or {})
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            received = answer.read()
            return Reply(answer.status, dict(answer.headers), msgspec.json.decode(received) if received else None, received)
        finally:
            connection.close()


@pytest.fixture
def account() -> Iterator[Handle]:
    """An account of 250 contacts on a simulated clock."""
    with serve(contacts=250, seed=7, clock=START) as handle:
        yield handle


@pytest.fixture
def call(account: Handle) -> Caller:
    return Caller(account)


@pytest.fixture
def caller() -> Callable[[Handle], Caller]:
    return Caller


@pytest.fixture
def official(account: Handle) -> Iterator[Any]:
    """HubSpot's own client; its connections are closed at the end, which it does not do itself."""
    made: list[Any] = []

    def factory(package: Any, name: str, config: dict[str, Any]) -> Any:
        configuration = package.Configuration()
        configuration.host, configuration.access_token = account.address, config["access_token"]
        client = package.ApiClient(configuration=configuration)
        made.append(client)
        return getattr(package, name)(api_client=client)

    yield hubspot.HubSpot(access_token=account.token, api_factory=factory)
    for client in made:
        client.rest_client.pool_manager.clear()
        client.close()


@pytest.fixture(scope="module")
def standing() -> Iterator[Caller]:
    """An account of 1234 contacts, a few of them changed, for tests that only read."""
    with serve(contacts=1234, seed=3, clock=START, duplicates=0.02) as handle:
        ids = handle.edit(40)
        table = handle.account.tables["contacts"]
        for each in ids[:10]:
            table.archive(each, handle.account.clock.tick())
        for number in range(7):
            table.create({"firstname": "Made", "email": f"made{number}@example.com"}, handle.account.clock.tick())
        yield Caller(handle)
