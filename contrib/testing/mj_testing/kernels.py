"""Kernels for tests: with the plugins that a test names, a store in memory, and nothing that happens to be installed."""

from contextlib import ExitStack
from importlib.metadata import entry_points
from typing import Any, Self

from attrs import define, field

from mj_testing.clock import Clock
from mjcore.kernel import Kernel

MEMORY = "sqlite://"
GIVEN = {"mj_store_types": "storage-sql", "mj_executor_types": "execution-local"}
"""What a run cannot do without, by hook, and the entry point that has it unless the test brings its own."""


@define
class Kernels:
    """Makes kernels and closes them."""

    clock: Clock
    stack: ExitStack = field(factory=ExitStack)

    def __call__(self, *plugins: object, store: Any = MEMORY, **options: Any) -> Kernel:
        """Return a kernel with these plugins; options are those of `Kernel`."""
        named = {_name(plugin, number): plugin for number, plugin in enumerate(plugins)}
        for hook, entry_point in GIVEN.items():
            if not any(hasattr(plugin, hook) for plugin in plugins):
                named |= installed(entry_point)
        kernel = Kernel(store, plugins=named, discover=False, **{"now": self.clock, **options})
        self.stack.callback(kernel.close)
        if failed := [plugin.error for plugin in kernel.plugins if plugin.error]:
            raise failed[0]
        return kernel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()


def installed(name: str) -> dict[str, object]:
    """Return the plugin of an entry point, by its name; nothing where it is not installed: the kernel says what is missing."""
    return {point.name: point.load() for point in entry_points(group="mj", name=name)}


def _name(plugin: object, number: int) -> str:
    return f"{getattr(plugin, '__name__', type(plugin).__name__)}-{number}"
