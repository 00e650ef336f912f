"""Rules of configurations: of transforms, matchers, executors and notifiers alike."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.strategies import configurations
from mj_testing.suites.plugin import PluginSuite
from mjcore.errors import ConfigError
from mjcore.wire import structure, unstructure

HIDDEN = "***"
"""What a secret is written as; its reference stays as it was."""


class ConfiguredSuite(PluginSuite):
    """What configurations have to keep."""

    configs: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    """Configurations as a metadata file has them, one at least for each thing that the plugin can do."""
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Configurations that make no sense: each one has to be a `ConfigError`."""

    @property
    def config_class(self) -> Any:
        """The class of configurations."""
        raise NotImplementedError

    def built(self, config: Mapping[str, Any]) -> AbstractContextManager[Any]:
        """Give what `compile` or `open` makes of a configuration."""
        raise NotImplementedError

    @rule(
        "a configuration is the same after a way through JSON",
        remedy="keep in the config class what the JSON says, and compute the rest in `compile` or `open`: what a converter "
        "changes, it changes again each time the map is stored",
    )
    def test_a_config_survives_json(self) -> None:
        for config in self.configs:
            self.proof.once(lambda config=config: self._survives(config))  # type: ignore[misc]

    def _survives(self, config: Mapping[str, Any]) -> None:
        first = structure(self.config_class, config)
        plain: Any = unstructure(first)
        text = json.dumps({key: config[key] if value == HIDDEN else value for key, value in plain.items()})
        second = structure(self.config_class, json.loads(text))
        if second != first:
            broken(example=config, seen=f"{first} became {second} by way of {text}")

    @rule(
        "whatever a configuration says, it can be used, or is a ConfigError",
        remedy="check in `compile` (or `open`), and raise ConfigError(Problem('Key', 'what is wrong, and what would be right'))",
    )
    def test_any_config_is_used_or_is_a_config_error(self) -> None:
        self.proof.holds(configurations(self.config_class, self.configs), self._is_used, most=self.examples)

    def _is_used(self, config: Mapping[str, Any]) -> None:
        try:
            with self.built(config):
                pass
        except ConfigError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=config, seen=f"raised {raised(error)}")

    @rule(
        "a configuration that makes no sense is refused before a run",
        remedy="raise ConfigError in `compile` (or ValueError in a validator of the config class): what fails later "
        "fails every time",
    )
    def test_senseless_configs_are_refused(self) -> None:
        if not self.refused:
            pytest.skip("no `refused` configurations are given")
        for config in self.refused:
            self.proof.once(lambda config=config: self._refuses(config))  # type: ignore[misc]

    def _refuses(self, config: Mapping[str, Any]) -> None:
        try:
            with self.built(config):
                pass
        except ConfigError:
            return
        broken(example=config, seen="it was taken")
