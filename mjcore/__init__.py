"""Record sync you can trust: the kernel. Start at `hookspecs` (what plugins implement) or `Kernel` (what hosts embed)."""

from mjcore.errors import ConfigError, MJError, ProviderError, StoreError, TransformError
from mjcore.hookspecs import hookimpl

__all__ = ["ConfigError", "MJError", "ProviderError", "StoreError", "TransformError", "hookimpl"]
