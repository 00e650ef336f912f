"""Opens a source: settings checked against the provider's classes, secrets resolved, the limiter attached."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mjcore.capabilities import Connection, ProviderType, Source
from mjcore.errors import ConfigError, Problem
from mjcore.models import CompanyIntegration, ConnectionMetadata
from mjcore.retry import Limiter
from mjcore.wire import structure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

RATE_LIMIT = "RateLimit"
"""Configuration key of every provider: requests per the provider's period; 0 is no limit."""
NOTIFY, NOTIFIER = "Notify", "Notifier"
"""Configuration key of every provider: a list of notifiers, each by its name under `Notifier` with its settings beside that."""


def open_source(kernel: "Kernel", metadata: ConnectionMetadata, cancel: Callable[[], bool]) -> Source:
    """Open a connection. `ConfigError` with every problem of its settings and secrets."""
    connection, provider = metadata.connection, kernel.provider_types[metadata.provider.name]
    settings = dict(connection.configuration)
    limit, _ = settings.pop(RATE_LIMIT, None), settings.pop(NOTIFY, None)
    problems: list[Problem] = []
    config = _structured(provider.config, settings, None, "Configuration", problems)
    auth = _structured(provider.auth, connection.auth_configuration, resolver(kernel), "AuthConfiguration", problems)
    if problems:
        raise ConfigError(*(Problem(f"connection {connection.name!r}: {p.path}", p.message) for p in problems))
    opened = Connection(
        connection.name,
        config,
        auth,
        _throttle(provider, limit if isinstance(limit, int) else None),
        _saver(kernel, connection),
        cancel,
        kernel.now,
    )
    return provider.open(opened)


def resolver(kernel: "Kernel") -> Callable[[str], str]:
    """Return the function that turns a reference such as `env:NAME` into the secret's text."""

    def resolve(reference: str) -> str:
        scheme, _, rest = reference.partition(":")
        return kernel.secret_types[scheme].resolve(rest)

    return resolve


def _structured(kind: type[Any], value: Any, resolve: Callable[[str], str] | None, path: str, problems: list[Problem]) -> Any:
    try:
        return structure(kind, value, resolve)
    except ConfigError as error:
        problems += [problem.under(path) for problem in error.problems]


def _throttle(provider: ProviderType[Any, Any], limit: int | None) -> Callable[[], None]:
    count, period = provider.rate or (0, timedelta(seconds=1))
    count = count if limit is None else limit
    return Limiter(count, period).take if count else _no_limit


def _no_limit() -> None:
    """Take no token."""


def _saver(kernel: "Kernel", connection: CompanyIntegration) -> Callable[[str, str], None]:
    def save(name: str, text: str) -> None:
        reference = connection.auth_configuration.get(name)
        scheme, _, rest = str(reference).partition(":")
        kind = kernel.secret_types[scheme]
        if kind.save is None:
            raise ConfigError(f"connection {connection.name!r}: {name}: secrets of scheme {scheme!r} cannot be saved")
        kind.save(rest, text)

    return save
