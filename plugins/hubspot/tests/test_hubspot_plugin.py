"""What is declared, and what that costs."""

import subprocess
import sys
from importlib.metadata import entry_points

import mj_provider_hubspot
import pytest
from mj_provider_hubspot.config import Auth, Config

from mjcore.errors import ConfigError
from mjcore.loader import load_plugins, new_manager
from mjcore.records import JSON
from mjcore.wire import structure


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
    code = "import mj_provider_hubspot, sys; sys.exit(bool({'httpcore', 'msgspec'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_settings_are_read_from_the_metadata_file() -> None:
    settings: dict[str, JSON] = {
        "BaseURL": "http://127.0.0.1:8765",
        "ApiVersion": "2026-09",
        "ArchivedInterval": 60,
        "IndexLag": 30,
        "Timeout": 5,
    }
    assert structure(Config, settings) == Config("http://127.0.0.1:8765", "2026-09", 60, 30, 5.0)
    assert (
        structure(Auth, {"Token": "env:HUBSPOT_TOKEN"}, lambda reference: f"<{reference}>").token.reveal()
        == "<env:HUBSPOT_TOKEN>"
    )


def test_every_wrong_setting_is_reported() -> None:
    wrong: JSON = {"BaseURL": "hubspot", "ApiVersion": "v4", "ArchivedInterval": -1, "IndexLag": -1, "Timeout": 0}
    with pytest.raises(ConfigError) as error:
        structure(Config, wrong)
    assert {problem.path for problem in error.value.problems} == {
        "BaseURL",
        "ApiVersion",
        "ArchivedInterval",
        "IndexLag",
        "Timeout",
    }
