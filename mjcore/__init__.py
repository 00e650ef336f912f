"""Record sync you can trust: the kernel. Start at `hookspecs` (what plugins implement) or `Kernel` (what hosts embed)."""

from mjcore.errors import ConfigError, MJError, ProviderError, StoreError, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel

__all__ = ["ConfigError", "Kernel", "MJError", "ProviderError", "StoreError", "TransformError", "hookimpl"]
