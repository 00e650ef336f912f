"""`mj-sandbox`: a simulated account from the command line."""

import gc
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import Any

from mj_sandbox import serve
from mj_sandbox.moments import milliseconds

SHARE, MOMENT = "KIND=SHARE", "WHEN"


def _fault(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not KIND=SHARE, such as 429=0.05") from None


def _moment(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an instant, such as 2026-06-01T00:00:00Z") from None


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="mj sandbox", description="Run a simulated account on a local port.")
    hubspot = parser.add_subparsers(dest="service", required=True).add_parser("hubspot", help="a HubSpot account")
    add = hubspot.add_argument
    add("--port", type=int, default=8765, help="port on 127.0.0.1; 0 takes a free one")
    add("--contacts", type=int, default=1000, help="contacts; the other records scale with them")
    add("--seed", type=int, default=1, help="the same seed gives the same account")
    add("--token", default=None, help="the bearer token to accept")
    add("--latency-ms", type=float, default=0.0, help="added to every answer")
    add("--fault", type=_fault, action="append", default=[], metavar=SHARE, help="429, 500, 502, 503, cut or slow; repeatable")
    add("--retry-after", type=int, default=None, metavar="S", help="send Retry-After with 429 and 503")
    add("--rate-limit", type=int, default=None, metavar="N", help="requests per 10 seconds")
    add("--search-limit", type=int, default=None, metavar="N", help="searches per second")
    add("--index-lag-ms", type=float, default=0.0, help="time until a write shows in searches")
    add("--clock", type=_moment, default=None, metavar=MOMENT, help="simulated time that moves only with writes")
    add("--duplicates", type=float, default=0.0, metavar="SHARE", help="share of repeated e-mails and domains")
    add("--missing-scope", action="append", default=[], metavar="OBJECT", help="object type the token may not use")
    add("--without", action="append", default=[], metavar="OBJECT", help="object type the account has not got")
    return parser


def _options(given: Namespace) -> dict[str, Any]:
    options = vars(given) | {"faults": dict(given.fault), "missing_scopes": given.missing_scope}
    dropped = {"service", "fault", "missing_scope"} | ({"token"} if given.token is None else set())
    return {name: value for name, value in options.items() if name not in dropped}


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; 2 for arguments that make no sense."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        with serve(**_options(given)) as handle:
            gc.set_threshold(100_000, 50, 100)  # pages are made of many short-lived texts and leave no cycles
            print(handle.address, flush=True)  # noqa: T201  who starts this in a child process reads it
            print(f"token: {handle.token}\nstop with Ctrl-C", flush=True)  # noqa: T201
            _wait()
    except (ValueError, OSError, OverflowError) as error:
        print(f"mj sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _wait() -> None:
    """Return at Ctrl-C or SIGTERM."""
    stop = threading.Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop.wait()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
