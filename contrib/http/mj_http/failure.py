"""From a status to the error that tells the kernel what to do."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from mj_http.response import Response
from mjcore.errors import AuthFailed, CheckpointExpired, NotSupported, ProviderError, RateLimited, Unavailable

LONGEST_WAIT = timedelta(days=1)


def failure(response: Response, detail: str = "") -> ProviderError:
    """Return the error of a response that is no success.

    `detail` is what the server said, if the caller could read it. A server error that names a time to return is a
    `RateLimited`, so that the kernel keeps to it.
    """
    message = f"{response.where}: {detail}" if detail else response.where
    wait = retry_after(response)
    match response.status:
        case 401 | 403:
            return AuthFailed(message)
        case 410:
            return CheckpointExpired(message)
        case 429:
            return RateLimited(message, wait)
        case status if 300 <= status < 400:
            return NotSupported(f"{message}: redirects are not followed; set the base URL to the address that answers")
        case status if status in (408, 423, 425, 477) or status >= 500:
            return Unavailable(message) if wait is None else RateLimited(message, wait)
    return NotSupported(message)


def retry_after(response: Response) -> timedelta | None:
    """Return how long the server asks to wait: `Retry-After` in seconds or as an HTTP date, at most a day."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text, re.ASCII):
        return min(timedelta(seconds=float(text)), LONGEST_WAIT)
    until = http_date(text)
    if until is None:
        return None
    now = http_date(response.headers.get("date", "")) or datetime.now(UTC)  # the server's clock, where it shows it
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def http_date(text: str) -> datetime | None:
    """Return an HTTP date such as `Tue, 24 Nov 2026 15:00:00 GMT` as an instant, or None."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
