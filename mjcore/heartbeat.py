"""Keeps a lease alive while a run works, and gives it back at its end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from mjcore.errors import StoreError
from mjcore.records import Lease
from mjcore.store import Store

LEASE = timedelta(seconds=60)
"""How long a lease lasts without a heartbeat."""


@contextmanager
def kept(store: Store, lease: Lease) -> Iterator[None]:
    """Renew the lease until the block ends, then give it back. A lost lease is noticed by the next commit."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(LEASE.total_seconds() / 3):
            with suppress(StoreError):
                store.renew(lease, LEASE)

    heart = threading.Thread(target=beat, name="mj-lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        store.release(lease)
