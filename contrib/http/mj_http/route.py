"""The way to a server: its address, the proxy on the way, and whom to trust. As httpx has it, from the environment."""

import os
import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from attrs import frozen

from mjcore.errors import ConfigError, Problem

if TYPE_CHECKING:
    import httpcore

DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class Server:
    """What a base URL says of the server, as a request needs it."""

    address: str
    """The part of the base URL before the path."""
    scheme: str
    host: str
    port: int | None

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (None, DEFAULT_PORTS.get(self.scheme)) else f"{host}:{self.port}"


def server_of(base_url: str) -> Server:
    """Read a base URL; `ConfigError` for a port that is none, and for a password, which belongs in a header."""
    parts = urlsplit(base_url)
    if "@" in parts.netloc:
        raise ConfigError(Problem("BaseURL", f"a user name stands before {parts.hostname}; authenticate by a header"))
    try:
        host = parts.hostname or ""
        host = host if host.isascii() else host.encode("idna").decode()
        return Server(f"{base_url[: len(parts.scheme)]}://{parts.netloc}", parts.scheme, host, parts.port)
    except ValueError as error:
        raise ConfigError(Problem("BaseURL", f"{base_url!r}: {error}")) from None


def proxy_to(server: Server) -> "httpcore.Proxy | None":
    """Return the proxy that the environment names for a server: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, not for NO_PROXY."""
    from urllib.request import getproxies, proxy_bypass

    import httpcore

    proxies = getproxies()
    address = proxies.get(server.scheme) or proxies.get("all")
    if not address or proxy_bypass(server.host_header):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore.Proxy(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), auth)


def trust() -> ssl.SSLContext:
    """Return a context that verifies: by SSL_CERT_FILE or SSL_CERT_DIR where they are set, else by the authorities of certifi."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
