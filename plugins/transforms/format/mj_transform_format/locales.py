"""Locales by name."""

from babel import Locale, UnknownLocaleError

from mjcore.errors import ConfigError, Problem


def locale_named(name: str, key: str = "Locale") -> Locale:
    """Return the locale; `key` is where the name was given."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise ConfigError(Problem(key, f"{name!r} is no known locale, such as en-US or de")) from None
