"""Declarations by name: who declared what, and what to say when a name is unknown or taken twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import pluggy

from mjcore.errors import DuplicateName, PluginError, UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """The declarations of one capability."""

    def __init__(self, kind: str, causes: Iterable[PluginError] = ()) -> None:
        self.kind = kind
        self.owners: dict[str, str] = {}
        self._declarations: dict[str, T] = {}
        self._causes = tuple(causes)

    def add(self, name: str, declaration: T, owner: str) -> None:
        if name in self._declarations:
            raise DuplicateName(self.kind, name, sorted([self.owners[name], owner]))
        self._declarations[name], self.owners[name] = declaration, owner

    def __getitem__(self, name: str) -> T:
        try:
            return self._declarations[name]
        except KeyError:
            raise UnknownName(self.kind, name, self._declarations, self._causes, "installed") from None

    def __contains__(self, name: object) -> bool:
        return name in self._declarations

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._declarations))

    def __len__(self) -> int:
        return len(self._declarations)

    def values(self) -> list[T]:
        return [self._declarations[name] for name in self]


def collect(
    manager: pluggy.PluginManager,
    hook: str,
    kind: str,
    expected: type[T],
    owners: Mapping[str, str],
    causes: Iterable[PluginError] = (),
    names: Callable[[Any], Iterable[str]] = lambda declaration: [declaration.name],
) -> Registry[T]:
    """Ask each plugin by itself, so that every declaration keeps its owner; one that fails is added to the causes.

    `owners`: plugin name → distribution. A declaration of the wrong type is the plugin's failure, two owners of one name
    are an error for all.
    """
    causes = list(causes)
    found: list[tuple[str, T, str]] = []
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        plugin = implementation.plugin_name
        try:
            for declaration in implementation.function():
                if not isinstance(declaration, expected):
                    raise TypeError(f"{hook} returned {declaration!r}, not a {expected.__name__}")
                found += [(name, declaration, plugin) for name in names(declaration)]
        except Exception as fault:  # noqa: BLE001 - a broken plugin must not stop the others
            error = PluginError(owners[plugin], plugin, f"{hook}: {type(fault).__name__}: {fault}")
            error.__cause__ = fault
            causes.append(error)
    registry: Registry[T] = Registry(kind, causes)
    for name, declaration, plugin in found:
        registry.add(name, declaration, f"{owners[plugin]} (plugin {plugin!r})")
    return registry
