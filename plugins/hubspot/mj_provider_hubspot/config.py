"""Settings and secrets of a HubSpot connection."""

import re
from typing import Any

from attrs import Attribute, field, frozen

from mjcore.capabilities import Secret


def _is_address(_: object, __: "Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("an address such as https://api.hubapi.com expected")


def _is_version(_: object, __: "Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"v3|20[0-9]{2}-[0-9]{2}(-beta)?", value, re.ASCII):
        raise ValueError("v3 or a dated version such as 2026-09 expected")


def _is_not_negative(_: object, __: "Attribute[Any]", value: float) -> None:
    if value < 0:
        raise ValueError("a number from 0 on expected")


def _is_positive(_: object, __: "Attribute[Any]", value: float) -> None:
    if value <= 0:
        raise ValueError("a number above 0 expected")


@frozen
class Config:
    """Configuration of a connection."""

    base_url: str = field(default="https://api.hubapi.com", validator=_is_address)
    api_version: str = field(default="v3", validator=_is_version)
    archived_interval: int = field(default=0, validator=_is_not_negative)
    """Minutes between two walks through the archived records, which HubSpot cannot filter; 0: in every run."""
    index_lag: int = field(default=0, validator=_is_not_negative)
    """Seconds that windows reach back beyond the five minutes of every run, where the search index is slower."""
    timeout: float = field(default=30.0, validator=_is_positive)
    """Seconds."""


@frozen
class Auth:
    """A static bearer token: of a service key or of a private app."""

    token: Secret
