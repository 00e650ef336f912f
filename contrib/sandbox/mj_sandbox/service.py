"""The API of one account: authentication, limits and faults around the handlers."""

import time
from collections import Counter
from email.utils import formatdate
from typing import Any
from uuid import UUID

import msgspec
from attrs import define, field

from mj_sandbox.account import Account
from mj_sandbox.call import Answer, Call
from mj_sandbox.faults import Faults
from mj_sandbox.http import Request, Response
from mj_sandbox.limits import Limits
from mj_sandbox.problems import Problem
from mj_sandbox.routes import find, resource

OPEN = ("token", "_sandbox")
"""Resources that need no bearer token."""


@define(eq=False)
class Service:
    """Answers requests to one account. Safe for several threads."""

    account: Account
    faults: Faults = field(init=False)
    limits: Limits = field(init=False)
    requests: Counter[str] = field(init=False, factory=Counter)
    """METHOD resource -> how many requests."""
    statuses: Counter[int] = field(init=False, factory=Counter)
    _number: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        options = self.account.options
        self.faults = Faults.of(options)
        self.limits = Limits(options.rate_limit, options.search_limit, options.retry_after)

    def answer(self, request: Request) -> Response:
        segments, version = resource(request.path)
        if segments[:1] == ("_sandbox",):
            return self._control(request, segments)
        with self.account.lock:
            self._number += 1
            number = self._number
            fault = self.faults.kind(number)
            response = self._respond(request, segments, version, number, fault)
            self.requests[f"{request.method} {'/'.join(_shape(segments))}"] += 1
            self.statuses[response.status] += 1
        if delay := self.account.options.latency_ms:
            time.sleep(delay / 1000)
        return self.faults.spoil(fault, response)

    def _control(self, request: Request, segments: tuple[str, ...]) -> Response:
        with self.account.lock:
            if (request.method, segments[1:]) == ("GET", ("stats",)):
                return Response(200, msgspec.json.encode(self.stats()))
            return self._respond(request, segments, "", 0, None)

    def _respond(self, request: Request, segments: tuple[str, ...], version: str, number: int, fault: str | None) -> Response:
        headers = {"Date": formatdate(self.account.clock.now() / 1000, usegmt=True)}
        correlation = str(UUID(int=self.account.options.seed << 64 & (1 << 128) - 1 | number))
        try:
            if segments[:1] != ("_sandbox",):
                headers.update(self._admit(request, segments, fault))
            headers["X-HubSpot-Correlation-Id"] = correlation
            handler, texts = find(request.method, segments)
            answer = handler(Call(self.account, request, version), *texts)
            return Response(answer.status, answer.encode(), headers)
        except Problem as problem:
            headers |= problem.headers
            return Response(problem.status, Answer(problem.body(correlation)).encode(), headers)

    def _admit(self, request: Request, segments: tuple[str, ...], fault: str | None) -> dict[str, str]:
        """Let a request in and return the headers of its limit. Raises Problem."""
        if segments[:1] not in [(each,) for each in OPEN]:
            self.account.tokens.check(request.headers.get("authorization", ""))
        headers = self.limits.take(search=segments[-1:] == ("search",))
        self.faults.strike(fault)
        return dict(headers)

    def stats(self) -> dict[str, Any]:
        """Return how many requests came, by resource and by status, and how many records are live."""
        return {
            "requests": sum(self.requests.values()),
            "byResource": dict(sorted(self.requests.items())),
            "byStatus": {str(status): count for status, count in sorted(self.statuses.items())},
            "records": {name: table.live_count() for name, table in self.account.tables.items()},
        }


def _shape(segments: tuple[str, ...]) -> list[str]:
    """Return segments with ids as stars, so that counts do not grow with records."""
    return ["*" if each.isdigit() else each for each in segments]
