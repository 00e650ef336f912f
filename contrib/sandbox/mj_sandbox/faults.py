"""Faults on purpose: which request fails, and how, depends on the seed and the request's number alone."""

import time
from collections.abc import Mapping
from hashlib import blake2b
from itertools import accumulate

from attrs import evolve, frozen

from mj_sandbox.http import Response
from mj_sandbox.options import Options
from mj_sandbox.problems import Problem

SLOW = 1.5
"""Seconds a slow answer takes longer."""


@frozen
class Faults:
    """Kinds of fault and the share of requests each hits."""

    shares: Mapping[str, float]
    seed: int
    retry_after: int | None

    @classmethod
    def of(cls, options: Options) -> "Faults":
        return cls(options.faults, options.seed, options.retry_after)

    def kind(self, number: int) -> str | None:
        """Return the fault of the request of this number."""
        if not self.shares:
            return None
        digest = blake2b(f"{self.seed}/fault/{number}".encode(), digest_size=8).digest()
        point = int.from_bytes(digest, "big") / 2**64
        return next((kind for kind, end in zip(self.shares, accumulate(self.shares.values()), strict=True) if point < end), None)

    def strike(self, kind: str | None) -> None:
        """Fail before anything is done. Raises Problem."""
        if kind == "429":
            raise limited("TEN_SECONDLY_ROLLING", self.retry_after)
        if kind in ("500", "502", "503"):
            problem = Problem(int(kind), "INTERNAL_ERROR", "There was a problem with our servers; please try again.")
            raise _with_retry(problem, self.retry_after if kind == "503" else None)

    def spoil(self, kind: str | None, response: Response) -> Response:
        """Fail after everything was done: late, or with half an answer."""
        if kind == "slow":
            time.sleep(SLOW)
        return evolve(response, cut=True) if kind == "cut" and response.body else response


def limited(policy: str, retry_after: int | None) -> Problem:
    """Return the 429 of a limit."""
    words = {"DAILY": "daily", "SECONDLY": "secondly", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling"}[policy]
    message = f"You have reached your {words} limit."
    problem = Problem(429, "", message, errorType="RATE_LIMIT", policyName=policy)
    return _with_retry(problem, retry_after)


def _with_retry(problem: Problem, seconds: int | None) -> Problem:
    if seconds is not None:
        problem.headers["Retry-After"] = str(seconds)
    return problem
