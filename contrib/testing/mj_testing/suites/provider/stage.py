"""The provider under test, open to an account that the test writes to, faults between the two."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest
from attrs import define, evolve, field
from hypothesis import strategies as st

from mj_testing.accounts import Account
from mj_testing.clock import START
from mj_testing.faults import FaultServer, forward
from mj_testing.proof import Broken, broken
from mj_testing.strategies import Move
from mj_testing.suites.plugin import PluginSuite
from mjcore.capabilities import Connection, ProviderType, Source
from mjcore.errors import CheckpointExpired, WatermarkExpired
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.wire import structure

MOST_PAGES = 200
"""Of a window that a test reads."""


@define(eq=False)
class Stage:
    """One account, a model of it, the server before it, and the sources that were opened."""

    kind: ProviderType[Any, Any]
    account: Account
    server: FaultServer
    model: dict[str, str] = field(factory=dict)
    """Text by id, of the records that are there."""
    gone: set[str] = field(factory=set)
    tokens: int = 0
    """Taken from the limiter."""
    _open: list[Source] = field(factory=list)

    @property
    def object_name(self) -> str:
        return self.account.object_name

    # --- Writing ----------------------------------------------------------------------------------------

    def make(self, *moves: Move) -> set[str]:
        """Make moves; return the ids of the records that they touched."""
        touched = set()
        for move in moves:
            known = sorted(self.model)
            if move.kind == "create" or not known:
                id_ = self.account.create(move.text)
                self.model[id_] = move.text
            else:
                id_ = known[move.number % len(known)]
                self._write(move, id_)
            touched.add(id_)
        return touched

    def _write(self, move: Move, id_: str) -> None:
        if move.kind == "change":
            self.account.change(id_, move.text)
            self.model[id_] = move.text
        else:
            self.account.delete(id_)
            del self.model[id_]
            self.gone.add(id_)

    def fill(self, texts: Sequence[str]) -> None:
        self.make(*(Move("create", 0, text) for text in texts))

    # --- Reading ----------------------------------------------------------------------------------------

    def open(self) -> Source:
        """Return a source that is opened anew, as by another process."""
        url = self.server.url if self.account.url else None
        config = structure(self.kind.config, self.account.configuration(url))
        secrets = self.account.secrets()
        auth = structure(self.kind.auth, {key: f"test:{key}" for key in secrets}, lambda name: secrets[name.partition(":")[2]])
        connection = Connection("The test", config, auth, self._take, lambda *_: None, lambda: False, lambda: START)
        self._open.append(self.kind.open(connection))
        return self._open[-1]

    def _take(self) -> None:
        self.tokens += 1

    def fields(self, source: Source) -> tuple[str, ...]:
        return tuple(each.name for each in source.fields(self.object_name))

    def request(self, source: Source, limit: int, since: Watermark | None = None, **parts: Any) -> FetchRequest:
        """Return the request of a window's first page; it ends now unless `until` is given."""
        until = parts["until"] if "until" in parts else source.high_watermark(self.object_name)
        names = parts.get("fields", (self.account.field,))
        return FetchRequest(self.object_name, names, since, until, None, limit)

    def pages(self, source: Source, request: FetchRequest, between: Callable[[int], None] = lambda _: None) -> Iterator[Page]:
        """Yield pages from a request on, as the kernel reads them. `between` is called behind each page but the last."""
        seen = [request.checkpoint]
        for number in range(MOST_PAGES):
            page = source.fetch(request)
            yield page
            if page.next is None:
                return
            if page.next in seen:
                broken(pages=number + 1, seen=f"the checkpoint {page.next} leads back to a page that was read")
            seen.append(page.next)
            between(number)
            request = evolve(request, checkpoint=page.next)
        broken(seen=f"{MOST_PAGES} pages, and no end")

    def drain(self, source: Source, request: FetchRequest, between: Callable[[int], None] = lambda _: None) -> "Window":
        """Read a window to its end, as the kernel does: begun again, or in full, where the source asks for that."""
        for _ in range(10):
            try:
                return Window(request, list(self.pages(source, request, between)))
            except CheckpointExpired:
                request = evolve(request, until=source.high_watermark(self.object_name))
            except WatermarkExpired:
                request = evolve(request, since=None)
        raise Broken(seen="ten times the source could not read its own window")

    def close(self) -> None:
        while self._open:
            with suppress(Exception):  # closing is a rule of its own
                self._open.pop().close()
        self.account.close()


@define
class Window:
    """A window that was read to its end."""

    request: FetchRequest
    pages: list[Page]

    @property
    def records(self) -> list[ExternalRecord]:
        return [record for page in self.pages for record in page.records]

    @property
    def watermark(self) -> Watermark | None:
        """Where the next window starts."""
        return self.pages[-1].watermark or self.request.until


class Accounts(PluginSuite):
    """What the rules of providers share."""

    account: ClassVar[type[Account]]
    """Makes an empty account: a subclass of `mj_testing.accounts.Account`."""
    provider: ClassVar[str | None] = None
    """The provider's name, where the plugin has several."""
    limits: ClassVar[Sequence[int]] = (1, 2, 3, 100)
    """Sizes of pages to ask for."""

    @property
    def type(self) -> ProviderType[Any, Any]:
        """The declaration under test."""
        declared = {kind.name: kind for kind in self.plugin.mj_provider_types()}
        return declared[self.provider] if self.provider else next(iter(declared.values()))

    server: FaultServer

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        """Stand before the accounts of one test."""
        with FaultServer() as self.server:
            yield

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """Give an empty account."""
        account = type(self).account()
        self.server.heal()
        if account.url:
            self.server.upstream = forward(account.url)
        stage = Stage(self.type, account, self.server)
        try:
            yield stage
        finally:
            stage.close()

    def texts(self, least: int = 0, most: int = 7) -> st.SearchStrategy[list[str]]:
        """Return the texts of the records to begin with."""
        return st.lists(type(self).account.texts(), min_size=least, max_size=most)

    def page_limits(self) -> st.SearchStrategy[int]:
        return st.sampled_from(list(self.limits))


def by_id(stage: Stage, records: Sequence[ExternalRecord]) -> Mapping[str, Any]:
    """Return the texts of the records that are there after these deliveries, by id."""
    found: dict[str, Any] = {}
    for record in records:
        if record.is_deleted:
            found.pop(record.external_id, None)
        else:
            found[record.external_id] = stage.account.read_text(record)
    return found
