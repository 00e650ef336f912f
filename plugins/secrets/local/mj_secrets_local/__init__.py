"""Secrets from environment variables (`env:NAME`) and files (`file:PATH`)."""

import os
from collections.abc import Iterable
from pathlib import Path

from mjcore.capabilities import SecretType
from mjcore.errors import ConfigError
from mjcore.hookspecs import hookimpl


def from_environment(name: str) -> str:
    """Return the variable's text; `ConfigError` when it is not set or empty."""
    if not name:
        raise ConfigError("env: names no variable; write env:NAME")
    text = os.environ.get(name)
    if not text:
        raise ConfigError(f"environment variable {name!r} is {'not set' if text is None else 'empty'}; set it and try again")
    return text


def from_file(path: str) -> str:
    """Return the file's text without one newline at its end; `ConfigError` when it is missing, unreadable or empty."""
    if not path:
        raise ConfigError("file: names no file; write file:PATH")
    text = _read(path).removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError(f"secret file {path!r} is empty; write the secret into it")
    return text


def _read(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeError:
        # the original error holds the file's content, so it is not chained
        fault = "is no UTF-8 text; save it as UTF-8"
    except FileNotFoundError:
        fault = f"does not exist (working directory {str(Path.cwd())!r}); create it or correct the path"
    except OSError as error:
        fault = f"cannot be read ({error.strerror}); check its kind and permissions"
    except ValueError:
        fault = "is no valid path; correct it"
    raise ConfigError(f"secret file {path!r} {fault}")


@hookimpl
def mj_secret_types() -> Iterable[SecretType]:
    return [SecretType("env", from_environment), SecretType("file", from_file)]
