"""Rules of a step's configuration."""

import json
from collections.abc import Mapping
from typing import Any

from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.strategies import configurations
from mj_testing.suites.transform.steps import Steps
from mjcore.errors import ConfigError
from mjcore.wire import structure, unstructure


class ConfigRules(Steps):
    """What configurations have to keep."""

    @rule(
        "a configuration is the same after a way through JSON",
        remedy="keep in the config class what the JSON says, and compute the rest in `compile`: what a converter changes, it "
        "changes again each time the map is stored",
    )
    def test_a_config_survives_json(self) -> None:
        for config in self.configs:
            self.proof.once(lambda config=config: self._survives(config))  # type: ignore[misc]

    def _survives(self, config: Mapping[str, Any]) -> None:
        first = structure(self.type.config, config)
        text = json.dumps(unstructure(first))
        second = structure(self.type.config, json.loads(text))
        if second != first:
            broken(example=config, seen=f"{first} became {second} by way of {text}")

    @rule(
        "whatever a configuration says, compiling it gives a step or a ConfigError",
        remedy="check in `compile`, and raise ConfigError(Problem('Key', 'what is wrong, and what would be right'))",
    )
    def test_any_config_compiles_or_is_a_config_error(self) -> None:
        self.proof.holds(configurations(self.type.config, self.configs), self._compiles, most=self.examples)

    def _compiles(self, config: Mapping[str, Any]) -> None:
        try:
            with self.step(config):
                pass
        except ConfigError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=config, seen=f"raised {raised(error)}")

    @rule(
        "a configuration that makes no sense is refused when the map is saved",
        remedy="raise ConfigError in `compile` (or ValueError in a validator of the config class): a step that fails later "
        "fails every record",
    )
    def test_senseless_configs_are_refused(self) -> None:
        for config in self.refused:
            self.proof.once(lambda config=config: self._refuses(config))  # type: ignore[misc]

    def _refuses(self, config: Mapping[str, Any]) -> None:
        try:
            with self.step(config):
                pass
        except ConfigError:
            return
        broken(example=config, seen="it compiled")
