"""What can go wrong, by what a caller can do about it.

Failures of a run are exceptions of this module. Failures of one record are values: `mjcore.records.RecordError`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from attrs import frozen

SHOWN = 20
"""Names that a message lists."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?`, or nothing when no known name is near."""
    names = {k.casefold(): k for k in known}
    near = get_close_matches(name.casefold(), names, n=1, cutoff=0.6)
    return f", did you mean {names[near[0]]!r}?" if near else ""


class MJError(Exception):
    """Every error that this project raises on purpose."""


# --- Plugins -----------------------------------------------------------------------------------


class PluginError(MJError):
    """A plugin could not be loaded, or failed. The kernel goes on; using what it should have provided raises `UnknownName`."""

    def __init__(self, distribution: str, plugin: str, fault: str, what: str = "not loaded") -> None:
        super().__init__(f"{distribution + ': ' if distribution else ''}plugin {plugin!r} {what}: {fault}")
        self.distribution, self.plugin, self.fault = distribution, plugin, fault


class DuplicateName(MJError):
    """Two plugins declare one name: uninstall or block one of them."""

    def __init__(self, kind: str, name: str, owners: Sequence[str]) -> None:
        super().__init__(f"{kind} {name!r} is declared by {' and by '.join(owners)}: uninstall or block one of them")
        self.kind, self.name, self.owners = kind, name, tuple(owners)


class UnknownName(MJError):
    """There is nothing of this name, nor of `others`. `causes`: plugins that might have provided it and could not be loaded."""

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        causes: Sequence[PluginError] = (),
        known_as: str = "known",
        others: Sequence[str] = (),
    ) -> None:
        names = sorted(known)
        listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
        *before, last = (f"no {kind} named {each!r}{did_you_mean(each, names)}" for each in (name, *others))
        text = "\n".join([*before, f"{last} ({known_as}: {listed or 'none'})"])
        if causes:
            text += "; not loaded: " + "; ".join(map(str, causes))
        super().__init__(text)
        self.kind, self.name = kind, name


# --- Configuration -----------------------------------------------------------------------------


@frozen
class Problem:
    """One fault of a configuration; `path` is where, such as `Connections[0].EntityMaps[1].FieldMaps[3].Priority`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def under(self, prefix: str) -> "Problem":
        """Return the same problem, found below `prefix`."""
        if not prefix or not self.path or self.path.startswith("["):
            return Problem(prefix + self.path, self.message)
        return Problem(f"{prefix}.{self.path}", self.message)


class ConfigError(MJError):
    """The configuration is wrong; `problems` holds every fault that was found, not only the first."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem("", p) for p in problems)
        super().__init__("\n".join(map(str, self.problems)))


# --- Providers ---------------------------------------------------------------------------------


class ProviderError(MJError):
    """The source failed; the subclass says what the kernel does about it."""


class AuthFailed(ProviderError):
    """Credentials are wrong, expired or lack a scope: the run stops until a person mends them."""


class Unavailable(ProviderError):
    """Server error, timeout, torn body: the kernel repeats the same call with growing pauses."""


class RateLimited(ProviderError):
    """The source asks for patience: the kernel waits (`retry_after`, if given) and repeats the same call."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotSupported(ProviderError):
    """This object or request cannot be served: its entity map stops, the others go on."""


class CheckpointExpired(ProviderError):
    """The position inside the window is gone: the kernel restarts the window."""


class WatermarkExpired(ProviderError):
    """The watermark is too old for the source: the kernel reads in full."""


# --- Records, store ----------------------------------------------------------------------------


class TransformError(MJError):
    """One value cannot be transformed or does not fit its field; `OnError` decides what becomes of it."""


class StoreError(MJError):
    """The store failed: nothing of the batch was written."""


class RowRefused(StoreError):
    """The database refused some rows of a batch (constraint, range); nothing was written.

    `refused` has the reason by external id of each such record, where the store could tell; else the kernel finds them by halves.
    """

    def __init__(self, message: str, refused: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.refused = refused or {}


class RowsMoved(StoreError):
    """Rows are no longer as the batch assumed, or a match key was taken meanwhile: the kernel decides anew."""

    def __init__(self, keys: Sequence[tuple[Any, ...]]) -> None:
        super().__init__(f"{len(keys)} rows changed meanwhile")
        self.keys = keys


class LeaseHeld(StoreError):
    """Another run holds the connection. `holder` is a text, or JSON with `pid` and `host` as `mjcore.holder` writes it."""

    def __init__(self, connection: str, holder: str, until: datetime) -> None:
        super().__init__(
            f"connection {connection!r} is held by {_told(holder)} until {until:%Y-%m-%d %H:%M:%S} UTC; wait, or use --wait"
        )
        self.holder, self.until = holder, until


def _told(holder: str) -> str:
    try:
        known = json.loads(holder)
        return f"process {known['pid']} on {known['host']}"
    except (ValueError, KeyError, TypeError):
        return holder


class LeaseLost(StoreError):
    """Another run took this connection over: this one wrote nothing since and ends."""
