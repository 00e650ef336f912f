"""What every plugin has to keep, whatever it does: it loads, its hooks are as specified, its names tell what it is."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, ClassVar

import pytest

from mj_testing import imports, signatures
from mj_testing.proof import Proof, broken
from mj_testing.rules import replaced, rule, standard_tests
from mjcore.errors import did_you_mean
from mjcore.kernel import Kernel

KINDS = {
    "mj_provider_types": "provider",
    "mj_transform_types": "transform",
    "mj_match_types": "match",
    "mj_store_types": "storage",
    "mj_executor_types": "execution",
    "mj_attributor_types": "changes",
    "mj_notifier_types": "notify",
    "mj_secret_types": "secrets",
}
"""Hook → the first word of an entry point's name."""
GUARD = "test_no_standard_test_is_replaced_without_a_reason"


class PluginSuite:
    """Subclass it for a plugin that has no suite of its own kind; the others build on it."""

    plugin: Any
    """The module (or object) that has the hooks."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """What the plugin cannot do, by capability, and why: its rules are skipped, and the report says so."""
    examples: ClassVar[int] = 100
    """Examples of a rule that is tested with drawn ones."""

    proof: Proof

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(getattr(cls, GUARD, None), "mj_rule"):
            raise TypeError(f"{cls.__name__}: {GUARD} cannot be replaced")

    @pytest.fixture(autouse=True)
    def _proof(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """Run a standard test as the proof of its rule, unless the plugin lacks what it is about."""
        mark = standard_tests(type(self)).get(request.function.__name__)
        if mark is None:
            yield
            return
        name = type(self).__name__
        told: dict[str, Any] = {"suite": name, "plugin": self.plugin_name, "rule": mark.text, "needs": mark.needs or ""}
        request.node.user_properties.append(("mj", told))
        told["replaced"] = dict(replaced(type(self))).get(request.function.__name__) or ""
        if mark.needs and mark.needs in self.lacks:
            pytest.skip(f"{self.plugin_name} lacks {mark.needs}: {self.lacks[mark.needs]}")
        if wanted := request.config.getoption("--mj-examples"):
            vars(self)["examples"] = wanted
        self.proof = Proof(name, self.plugin_name, mark, request.node.nodeid)
        yield
        told["examples"] = self.proof.examples

    @property
    def plugin_name(self) -> str:
        return self.module.__name__

    @property
    def module(self) -> ModuleType:
        """The module of the plugin."""
        return signatures.module_of(self.plugin)

    # --- The suite itself -----------------------------------------------------------------------------

    @rule(
        "no standard test is replaced without a reason",
        remedy="delete the replacement; where the plugin cannot do something, name that in `lacks`; else give the reason: "
        "@overridden('…') or @pytest.mark.xfail(strict=True, reason='…')",
    )
    def test_no_standard_test_is_replaced_without_a_reason(self) -> None:
        self.proof.once(self._nothing_is_replaced)

    def _nothing_is_replaced(self) -> None:
        if silent := [name for name, reason in replaced(type(self)) if reason is None]:
            broken(seen=f"{type(self).__name__} replaces {', '.join(silent)}, and does not say why")

    @rule(
        "what a plugin lacks is a capability that the suite knows, with a reason",
        remedy="use a name that is known, and say why the plugin cannot do this",
    )
    def test_what_it_lacks_is_known_and_has_a_reason(self) -> None:
        self.proof.once(self._lacks_are_known)

    def _lacks_are_known(self) -> None:
        known = sorted({mark.needs for mark in standard_tests(type(self)).values() if mark.needs})
        for name, reason in self.lacks.items():
            if name not in known:
                broken(seen=f"lacks = {{{name!r}: …}}{did_you_mean(name, known)} (known: {', '.join(known)})")
            if not reason.strip():
                broken(seen=f"lacks = {{{name!r}: {reason!r}}} gives no reason")

    # --- Hooks ------------------------------------------------------------------------------------------

    @rule(
        "it loads into a kernel that has nothing else",
        remedy="mend what the kernel's message says; docs/hooks.md lists every hook",
    )
    def test_it_loads_into_a_kernel(self) -> None:
        self.proof.once(self._loads)

    def _loads(self) -> None:
        (loaded,) = Kernel(plugins={"plugin": self.plugin}, discover=False).plugins
        if loaded.error:
            broken(cause=loaded.error.__cause__, seen=loaded.error)

    @rule(
        "every hook that it has is heard",
        remedy="make it a function, or a method, with @hookimpl: the plugin manager passes over partials and callable objects",
    )
    def test_every_hook_is_heard(self) -> None:
        self.proof.once(self._is_heard)

    def _is_heard(self) -> None:
        kernel = Kernel(plugins={"plugin": self.plugin}, discover=False)
        heard = {caller.name for caller in kernel.manager.get_hookcallers(self.plugin) or ()}
        for name in signatures.hooks(self.plugin):
            if name not in heard and not any(plugin.error for plugin in kernel.plugins):
                broken(hook=name, seen=f"{getattr(self.plugin, name)!r} is not called")

    @rule(
        "the annotations of its hooks are those of the hookspec",
        remedy="annotate the hook as mjcore/hookspecs.py does: no plugin manager and no type checker notices that they differ",
    )
    def test_annotations_are_those_of_the_hookspec(self) -> None:
        self.proof.once(self._annotations_agree)

    def _annotations_agree(self) -> None:
        for name in signatures.hooks(self.plugin):
            for argument, given, wanted in signatures.differences(self.plugin, name):
                broken(hook=name, seen=f"{argument}: the plugin says {given}, the hookspec says {wanted}")

    # --- Packaging ----------------------------------------------------------------------------------------

    @rule(
        "its entry point is named after its kind, its distribution and package alike",
        remedy='in pyproject.toml: [project.entry-points.mj] with `KIND-NAME = "mj_KIND_NAME"`, in the distribution '
        "mj-KIND-NAME; a distribution of somebody else may be called as it likes",
        needs="packaging",
    )
    def test_names_follow_the_convention(self) -> None:
        self.proof.once(self._names_agree)

    def _names_agree(self) -> None:
        module = self.module.__name__
        found = [point for point in entry_points(group="mj") if point.module == module]
        if not found:
            broken(seen=f"no installed entry point of the group mj leads to {module}")
        provided = [kind for hook, kind in KINDS.items() if hook in signatures.hooks(self.plugin)]
        for point in found:
            distribution = point.dist.name if point.dist else ""
            if provided and point.name.partition("-")[0] not in provided:
                broken(seen=f"the entry point {point.name!r} of {distribution}; it provides: {', '.join(provided)}")
            if distribution.startswith("mj-") and (
                distribution != f"mj-{point.name}" or module != distribution.replace("-", "_")
            ):
                broken(seen=f"distribution {distribution}, entry point {point.name!r}, package {module}")

    @rule(
        "it and all its modules import with its declared dependencies alone",
        remedy="add what is missing to [project] dependencies in pyproject.toml, or do not import it",
        needs="packaging",
    )
    def test_it_imports_with_its_declared_dependencies_alone(self) -> None:
        self.proof.once(self._imports_alone)

    def _imports_alone(self) -> None:
        if fault := imports.undeclared(self.module.__name__):
            broken(seen=fault)

    @rule(
        "importing it loads nothing heavy: no third-party module but the kernel's own",
        remedy="move the import into the function that `open` or `compile` names: else every command of every user pays for it",
        needs="lightness",
    )
    def test_importing_it_loads_nothing_heavy(self) -> None:
        self.proof.once(self._is_light)

    def _is_light(self) -> None:
        if heavy := imports.heavy(self.module.__name__):
            broken(seen=f"import {self.module.__name__} loads {', '.join(heavy)}")
