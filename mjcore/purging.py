"""Ends retention: removes what a connection's past holds from before a time, batch by batch, while nothing else writes it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from mjcore.cancel import Stop, never
from mjcore.errors import ConfigError
from mjcore.heartbeat import LEASE, kept
from mjcore.history import Purged
from mjcore.holder import is_gone, this_process

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

PurgeListener: TypeAlias = Callable[[Purged, int], None]
"""Told after every transaction what is removed so far, and how many entries there were to remove."""


@frozen
class PurgeResult:
    """What a purge has removed, or with `is_dry_run` would remove."""

    connection: str
    before: datetime
    status: Literal["Completed", "Cancelled"]
    purged: Purged
    is_dry_run: bool = False


@frozen
class Purge:
    """Removes what the audit trail, the failed-record ledger and the conflict queue hold from before a time.

    Conflicts go whether they were answered or not. Runs of then go too, where nothing that stays names them; those that stay
    cannot be undone any more. Each batch is a transaction, and what is removed stays removed when the purge is stopped. A dry
    run only counts. Raises `ConfigError`, `UnknownName`, `LeaseHeld` and `LeaseLost`.
    """

    kernel: "Kernel"

    def __call__(
        self,
        connection: str,
        before: datetime,
        *,
        dry_run: bool = False,
        progress: PurgeListener = lambda *_: None,
        cancel: Callable[[], bool] = never,
    ) -> PurgeResult:
        (metadata,) = self.kernel.connections(connection)
        _check(before, self.kernel.now())
        store, total = self.kernel.store, self.kernel.store.count_old(metadata.connection, before)
        if dry_run:
            return PurgeResult(connection, before, "Completed", total, is_dry_run=True)
        lease = store.acquire(metadata.connection, this_process(), LEASE, is_gone)
        done, stop = Purged(), Stop(store, lease, cancel)
        with kept(store, lease):
            for removed in store.purge(metadata.connection, before, lease):
                done += removed
                progress(done, total.total)
                if stop():
                    return PurgeResult(connection, before, "Cancelled", done)
        return PurgeResult(connection, before, "Completed", done)


def _check(before: datetime, now: datetime) -> None:
    if before.tzinfo is None:
        raise ConfigError(f"purge before {before.isoformat()}: the time needs a zone, such as {before.isoformat()}Z")
    if before > now:
        raise ConfigError(f"purge before {before.isoformat()}: that time has not come yet; name one of the past")
