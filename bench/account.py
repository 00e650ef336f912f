"""A simulated HubSpot account whose list is answered from recorded bytes: to serve it costs next to nothing.

Run as a process of its own; the first line of output is the address. Whatever properties are asked for, every page has the
same 25, so that all peers download and decode the same bytes. Searches, properties and edits go to the sandbox itself.
"""

import mmap
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import closing
from typing import BinaryIO

import msgspec
from attrs import define, evolve, field
from mj_sandbox.account import Account
from mj_sandbox.http import Request, Response, Server
from mj_sandbox.options import TOKEN, Options
from mj_sandbox.service import Service

from bench.shape import LIST, PAGE, PROPERTIES

BEGAN = 1_790_000_000_000
"""The account's clock, in ms since 1970: later than every record was modified. It moves with edits and `pass` only."""


class _Next(msgspec.Struct):
    after: str


class _Paging(msgspec.Struct):
    next: _Next


class _Listed(msgspec.Struct):
    paging: _Paging | None = None


@define(eq=False)
class Recorded:
    """The pages of the list as the sandbox answered them, by `after`, in a file."""

    file: BinaryIO
    places: dict[str, tuple[int, int]] = field(factory=dict)
    content: mmap.mmap = field(init=False)

    def record(self, service: Service) -> None:
        after = ""
        while True:
            query = f"limit={PAGE}&archived=false&properties={','.join(PROPERTIES)}" + (f"&after={after}" if after else "")
            headers = {"authorization": f"Bearer {TOKEN}", "host": "127.0.0.1"}
            body = service.answer(Request("GET", LIST, query, headers, b"")).body
            self.places[after] = (self.file.tell(), len(body))
            self.file.write(body)
            paging = msgspec.json.decode(body, type=_Listed).paging
            if paging is None:
                break
            after = paging.next.after
        self.file.flush()
        self.content = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)

    def page(self, after: str) -> bytes:
        start, length = self.places[after]
        return self.content[start : start + length]


@define(eq=False)
class Replay:
    """Answers requests. `latency` (seconds) is added to each answer of the API."""

    options: Options
    recorded: Recorded
    latency: float = 0.0
    answers: int = 0
    service: Service = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.service = Service(Account(self.options))
        self.recorded.record(self.service)

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/_bench/"):
            return self._control(request)
        self.answers += 1
        if self.latency:
            time.sleep(self.latency)
        query = request.query()
        if request.path == LIST and query.get("limit") == [str(PAGE)] and query.get("archived") == ["false"]:
            return Response(200, self.recorded.page(query.get("after", [""])[0]))
        return self.service.answer(_with_all_properties(request))

    def _control(self, request: Request) -> Response:
        words = request.path.split("/")[2:]
        match words:
            case ["reset"]:
                self.service = Service(Account(self.options))
            case ["latency", milliseconds]:
                self.latency = float(milliseconds) / 1000
            case ["pass", minutes]:
                self.service.account.clock.advance(int(minutes) * 60_000)
            case ["edit", count]:
                self.service.account.edit(int(count))
            case ["served"]:
                return Response(200, f"{time.process_time()} {self.answers}".encode())
            case _:
                return Response(404)
        return Response(204)


def _with_all_properties(request: Request) -> Request:
    if not request.path.endswith("/search"):
        return request
    query = msgspec.json.decode(request.body)
    return evolve(request, body=msgspec.json.encode({**query, "properties": PROPERTIES}))


def main() -> None:
    """Serve until standard input ends, as it does when whoever started this is gone."""
    parser = ArgumentParser(prog="python -m bench.account")
    parser.add_argument("--contacts", type=int, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryFile() as file:
        replay = Replay(Options(contacts=given.contacts, clock=BEGAN), Recorded(file))
        with closing(Server(replay.answer)) as server:
            sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main()
