"""Bearer tokens, and the OAuth endpoint that gives them out."""

import time
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from mj_sandbox.problems import Problem

LIFETIME = 1800
"""Seconds an OAuth access token is good for."""
FIRST_REFRESH = "refresh-0"
SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "oauth",
)


@define
class Tokens:
    """The static token, and OAuth tokens: every refresh gives a new refresh token and ends the old one."""

    static: str
    portal: int
    left: int | None = None
    """For how many more requests the static token is good; None: for ever."""
    _refresh: str = field(init=False, default=FIRST_REFRESH)
    _issued: int = field(init=False, default=0)
    _ends: dict[str, float] = field(init=False, factory=dict)

    def check(self, authorization: str) -> None:
        """Accept a valid bearer token. Raises Problem 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and (self._static(token) or self._ends.get(token, 0) > time.monotonic()):
            return
        missing = not authorization
        message = (
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details"
            " at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            if missing
            else "The OAuth token used to make this call is invalid or has expired."
        )
        raise Problem(401, "INVALID_AUTHENTICATION", message)

    def _static(self, token: str) -> bool:
        """Whether this is the static token, still good; counts the request."""
        if token != self.static or self.left == 0:
            return False
        self.left = self.left and self.left - 1
        return True

    def replace(self, static: str | None, left: int | None) -> None:
        """Let another static token be good, or the same one, and for how many requests; the one before ends."""
        self.static, self.left = static or self.static, left

    def issue(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer a token request: any code is good, a refresh token only while it is the last one given."""
        grant = form.get("grant_type")
        if grant not in ("authorization_code", "refresh_token"):
            raise _refused("BAD_GRANT_TYPE", "unsupported_grant_type", "missing or unknown grant_type")
        if grant == "refresh_token" and form.get("refresh_token") != self._refresh:
            raise _refused("BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
        self._issued += 1
        access, self._refresh = f"access-{self._issued}", f"refresh-{self._issued}"
        self._ends[access] = time.monotonic() + LIFETIME
        return {
            "access_token": access,
            "refresh_token": self._refresh,
            "expires_in": LIFETIME,
            "token_type": "bearer",
            "token_use": "access_token",
            "hub_id": self.portal,
            "user_id": 9_100_001,
            "scopes": list(SCOPES),
        }


def _refused(status: str, error: str, message: str) -> Problem:
    """Return a refusal that speaks as the first OAuth API did and as RFC 6749 does."""
    return Problem(400, status, message, error=error, error_description=message)
