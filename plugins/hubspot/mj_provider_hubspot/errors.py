"""What HubSpot says in the body of a failure."""

from datetime import timedelta

from mj_http import Response, failure

from mj_provider_hubspot.messages import Fault
from mjcore.errors import AuthFailed, ProviderError, RateLimited

DAY_IS_OVER = timedelta(hours=1)
"""A guess: longer than a run waits, so that the run ends instead of asking on."""


class MissingScope(AuthFailed):
    """The token is right, but may not read this."""


def classify(response: Response) -> ProviderError:
    """Return the error of a failed request, with HubSpot's own words."""
    fault = _fault(response)
    error = failure(response, fault.message[:300])
    match response.status:
        case 401:
            return AuthFailed(f"{str(error).rstrip('.')}; check the token")
        case 403:
            scopes = sorted({scope for detail in fault.errors for scope in detail.context.required_granular_scopes})
            return MissingScope(f"{error}; give the token the scope {' or '.join(scopes) or 'that this object needs'}")
    if isinstance(error, RateLimited) and fault.policy_name.upper() == "DAILY":
        message = f"{error}; the account's daily limit is used up until midnight in its time zone"
        return RateLimited(message, error.retry_after or DAY_IS_OVER)
    return error


def _fault(response: Response) -> Fault:
    try:
        return response.decode(Fault)
    except ProviderError:
        return Fault()  # not HubSpot's own page: the status says enough
