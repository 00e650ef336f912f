"""The demo's account: the sandbox in a process of its own, so that it and the run do not wait for each other."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection

from attrs import frozen

from mjcore.errors import ConfigError, MJError

PATIENCE = 10
"""Seconds that the process may take to end."""


@frozen
class Account:
    """A simulated account that answers at `address` to those who have `token`."""

    address: str
    token: str
    _pipe: Connection

    def edit(self, count: int) -> None:
        """Give so many contacts another job title; returns when every request sees it."""
        self._pipe.send(count)
        _received(self._pipe)


def installed() -> None:
    """Do nothing where there is a sandbox, else raise `ConfigError` with what to install."""
    if find_spec("mj_sandbox") is None:
        raise ConfigError("the sandbox is not installed: pip install 'mj-cli[demo]'")


@contextmanager
def account(contacts: int) -> Iterator[Account]:
    """Serve an account while the context lasts. `ConfigError` without a sandbox, `MJError` when it does not start."""
    installed()
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(contacts, theirs), name="mj-demo-account", daemon=True)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: Ctrl-C goes to both, but the last batch needs the account
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    theirs.close()  # so that each side notices when the other one is gone
    try:
        address, token = _received(ours)
        yield Account(address, token, ours)
    finally:
        ours.close()
        process.join(PATIENCE)
        process.kill()
        process.join()
        process.close()


def _received(pipe: Connection) -> tuple[str, str]:
    try:
        address, token = pipe.recv()
    except EOFError:
        raise MJError("the simulated account ended unexpectedly; `mj sandbox hubspot` shows why") from None
    return address, token


def _serve(contacts: int, pipe: Connection) -> None:
    """Serve until the other end of the pipe is closed, however that process ends; each number received is an edit."""
    from mj_sandbox import serve

    with serve(contacts=contacts) as handle, suppress(EOFError):
        while True:
            pipe.send((handle.address, handle.token))
            handle.edit(pipe.recv())
