"""What a simulated account is like."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen, validators

from mj_sandbox.catalogue import OBJECT_TYPES

OBJECTS = tuple(kind.name for kind in OBJECT_TYPES)
FAULTS = ("429", "500", "502", "503", "cut", "slow")
TOKEN = "pat-na1-sandbox"  # noqa: S105  not a secret: it opens nothing but this simulation


def _shares(_: object, __: object, faults: Mapping[str, float]) -> None:
    unknown = sorted(faults.keys() - set(FAULTS))
    if unknown:
        raise ValueError(f"unknown fault {unknown[0]!r}: choose from {', '.join(FAULTS)}")
    if any(share < 0 for share in faults.values()) or sum(faults.values()) > 1:
        raise ValueError("shares of faults lie between 0 and 1, and add up to 1 at most")


def _types(_: object, attribute: Any, names: frozenset[str]) -> None:
    if unknown := sorted(names - set(OBJECTS)):
        raise ValueError(f"unknown object type {unknown[0]!r} in {attribute.name}: choose from {', '.join(OBJECTS)}")


@frozen(kw_only=True)
class Options:
    """Options of one account. Raises ValueError for values out of range."""

    contacts: int = field(default=1000, validator=[validators.ge(0), validators.le(10_000_000)])
    seed: int = 1
    portal: int = 4_210_512
    token: str = TOKEN
    latency_ms: float = field(default=0.0, validator=validators.ge(0))
    """Added to every answer."""
    faults: Mapping[str, float] = field(factory=dict, validator=_shares)
    """Kind of fault -> share of requests."""
    retry_after: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    """Seconds in the header of 429 and 503 answers; None leaves it out, as HubSpot often does."""
    rate_limit: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """Requests per 10 seconds; None for no limit."""
    search_limit: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """Searches per second."""
    index_lag_ms: float = field(default=0.0, validator=validators.ge(0))
    """Time until a write shows in searches."""
    clock: int | None = None
    """Start of a simulated time, in ms since 1970; None for wall time."""
    duplicates: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    """Share of contacts with the e-mail, and companies with the domain, of the one before."""
    missing_scopes: frozenset[str] = field(default=frozenset(), converter=frozenset, validator=_types)
    """Object types, by plural name, that the token may not read or write."""
    without: frozenset[str] = field(default=frozenset(), converter=frozenset, validator=_types)
    """Object types, by plural name, that the account has not got."""
