"""What is declared, and what that costs."""

import subprocess
import sys
from importlib.metadata import entry_points

import mj_provider_hubspot

from mjcore.loader import load_plugins, new_manager


def test_the_installed_plugin_declares_one_provider() -> None:
    (entry,) = entry_points(group="mj", name="provider-hubspot")
    manager = new_manager()
    (plugin,) = load_plugins(manager, {"provider-hubspot": entry.load()}, (), discover=False)
    assert plugin.error is None
    ((declared,),) = manager.hook.mj_provider_types()
    assert (declared.name, declared.open) == ("HubSpot", mj_provider_hubspot.open_hubspot)
    assert declared.overlap.total_seconds() >= 1  # windows end up to a second after the source's now
    assert set(declared.default_field_maps) == {"contacts", "companies", "deals"}


def test_loading_the_plugin_imports_no_http_library() -> None:
    code = "import mj_provider_hubspot, sys; sys.exit(bool({'httpx', 'msgspec'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
