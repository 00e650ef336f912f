"""A simulated HubSpot account on a local port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from mj_sandbox.account import Account
from mj_sandbox.http import Server
from mj_sandbox.options import Options as Options
from mj_sandbox.service import Service


@frozen
class Handle:
    """A running account: its address, its token, and the account itself to look into and to change."""

    address: str
    token: str
    account: Account
    service: Service

    def edit(self, count: int) -> list[int]:
        """Give `count` contacts another job title, as a person would in HubSpot; return their ids."""
        with self.account.lock:
            return self.account.edit(count)

    def stats(self) -> dict[str, Any]:
        """Return how many requests came, and how many records are live."""
        with self.account.lock:
            return self.service.stats()


@contextmanager
def serve(*, port: int = 0, **options: Any) -> Iterator[Handle]:
    """Serve an account on 127.0.0.1 while the context lasts.

    Port 0 takes a free one; options are those of `Options`. Raises ValueError for bad options, OSError for a port in use.
    """
    if not 0 <= port <= 65_535:
        raise ValueError(f"{port} is no port: 0 to 65535 are")
    account = Account(Options(**options))
    service = Service(account)
    server = Server(service.answer, port)
    try:
        yield Handle(f"http://127.0.0.1:{server.port}", account.options.token, account, service)
    finally:
        server.close()
