"""Finds and registers plugins: entry points of group `mj`, sorted, blockable, and each failure with its owner's name."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points, version
from operator import attrgetter
from types import ModuleType

import pluggy
from attrs import frozen

from mjcore import hookspecs
from mjcore.errors import PluginError, did_you_mean

GROUP = "mj"
HOST = "host application"
"""The owner of plugins that are handed to `Kernel(plugins=…)`."""


@frozen
class Plugin:
    """A plugin that was found; `error` tells why it is not in use."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    error: PluginError | None = None
    blocked: bool = False


def new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("mj")
    manager.add_hookspecs(hookspecs)
    return manager


def load_plugins(
    manager: pluggy.PluginManager, explicit: Mapping[str, object], blocked: Collection[str], discover: bool
) -> list[Plugin]:
    """Register explicit plugins, then installed ones; a plugin that fails is reported and leaves nothing behind.

    `blocked` names distributions or plugins.
    """
    found = [_Found(name, HOST, "", partial(_return, plugin)) for name, plugin in explicit.items()]
    if discover:
        installed = [_Found(e.name, *_distribution(e), e.load) for e in entry_points(group=GROUP)]
        found += sorted(installed, key=attrgetter("distribution", "name"))
    owners: dict[str, str] = {}
    plugins = []
    for plugin in found:
        if plugin.name in blocked or plugin.distribution in blocked:
            plugins.append(Plugin(plugin.name, plugin.distribution, plugin.version, blocked=True))
        else:
            plugins.append(_load(manager, plugin, owners))
    return plugins


@frozen
class _Found:
    name: str
    distribution: str
    version: str
    get: Callable[[], object]


def _return(plugin: object) -> object:
    return plugin


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    if entry_point.dist is None:
        return "unknown distribution", ""
    metadata = entry_point.dist.metadata  # parsed anew by each look at it
    return metadata["Name"], metadata["Version"]


def _load(manager: pluggy.PluginManager, found: _Found, owners: dict[str, str]) -> Plugin:
    try:
        if found.name in owners:
            raise ValueError(f"{owners[found.name]} has a plugin of this name: uninstall or block one of them")
        plugin = found.get()
        hooks = tuple(_check(plugin))
        manager.register(plugin, found.name)
    except Exception as fault:  # noqa: BLE001 - whatever a plugin raises must not stop the others
        error = PluginError(found.distribution, found.name, _describe(fault))
        error.__cause__ = fault
        return Plugin(found.name, found.distribution, found.version, error=error)
    owners[found.name] = found.distribution
    return Plugin(found.name, found.distribution, found.version, hooks)


def _describe(fault: Exception) -> str:
    text = " ".join(str(fault).split())
    if isinstance(fault, pluggy.PluginValidationError) and "can not be found in the hookspec" in text:
        return f"{text}; perhaps it was written for a newer mjcore than {version('mjcore')}"
    return text if isinstance(fault, ValueError) and text else f"{type(fault).__name__}: {text}"


def _check(plugin: object) -> Iterator[str]:
    """Yield the names of the plugin's hooks; `ValueError` for what pluggy would accept silently."""
    if inspect.isclass(plugin):
        raise ValueError(f"{plugin.__name__} is a class: hand over an instance, {plugin.__name__}()")
    known = {name for name in vars(hookspecs) if name.startswith("mj_")}
    for name in sorted(n for n in dir(plugin) if n.startswith("mj_")):
        function = inspect.getattr_static(plugin, name)
        options = getattr(function, "mj_impl", None)
        if isinstance(function, ModuleType):
            continue
        if options is None:
            raise ValueError(f"{name} is not marked with @hookimpl")
        hook = options["specname"] or name
        if hook in known:
            _check_kind(hook, wraps=options["wrapper"] or options["hookwrapper"])
            yield hook
        elif not options["optionalhook"]:
            newer = f"; perhaps it needs a newer mjcore than {version('mjcore')}"
            raise ValueError(f"there is no hook named {hook!r}{did_you_mean(hook, known) or newer}")


def _check_kind(hook: str, *, wraps: bool) -> None:
    spec = getattr(hookspecs, hook).mj_spec
    if spec["firstresult"] and not wraps:
        raise ValueError(f"{hook} is a stage, which the kernel implements: wrap it with @hookimpl(wrapper=True)")
    if hook.endswith("_types") and wraps:
        raise ValueError(f"{hook} is a capability: return declarations, it cannot be wrapped")
