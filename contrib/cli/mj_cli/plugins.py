"""Installed plugins and what each adds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from mj_cli.output import plain, table

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


def described(kernel: "Kernel") -> list[Mapping[str, Any]]:
    """Return one object per plugin: Name, Distribution, Version, Capabilities, Hooks, Status, Error."""
    found = _capabilities(kernel)
    return [
        {
            "Name": plugin.name,
            "Distribution": plugin.distribution,
            "Version": plugin.version,
            "Capabilities": found.get(f"{plugin.distribution} (plugin {plugin.name!r})", []),
            "Hooks": list(plugin.hooks),
            "Status": "Blocked" if plugin.blocked else "NotLoaded" if plugin.error else "Loaded",
            "Error": plugin.error.fault if plugin.error else None,
        }
        for plugin in kernel.plugins
    ]


def _capabilities(kernel: "Kernel") -> dict[str, list[Mapping[str, str]]]:
    registries = (
        kernel.provider_types,
        kernel.transform_types,
        kernel.match_types,
        kernel.store_types,
        kernel.executor_types,
        kernel.attributor_types,
        kernel.notifier_types,
        kernel.secret_types,
    )
    found: dict[str, list[Mapping[str, str]]] = {}
    for registry in registries:
        for name, owner in sorted(registry.owners.items()):
            found.setdefault(owner, []).append({"Kind": registry.kind, "Name": name})
    return found


def plugins_table(found: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Return the table, and below it what could not be loaded."""
    rows = [[p["Distribution"], p["Version"], _adds(p)] for p in found]
    faults = [Text(plain(f"{p['Distribution']}: {p['Name']} not loaded: {p['Error']}"), style="red") for p in found if p["Error"]]
    return [table(["Distribution", "Version", "Adds"], rows), *faults]


def _adds(plugin: Mapping[str, Any]) -> str:
    if plugin["Status"] != "Loaded":
        return "blocked" if plugin["Status"] == "Blocked" else "not loaded"
    kinds: dict[str, list[str]] = {}
    for capability in plugin["Capabilities"]:
        kinds.setdefault(capability["Kind"], []).append(capability["Name"])
    adds = [f"{kind} {', '.join(names)}" for kind, names in kinds.items()]
    return "; ".join(adds) or ", ".join(plugin["Hooks"])
