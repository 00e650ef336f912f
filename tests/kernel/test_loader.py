"""What a person is told when a plugin is wrong, and that the others go on."""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from attrs import frozen

from mjcore.capabilities import SecretType, TransformType
from mjcore.errors import DuplicateName, UnknownName
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel


@frozen
class Config:
    pass


def plugin(**functions: object) -> SimpleNamespace:
    return SimpleNamespace(**functions)


def declares(*names: str) -> SimpleNamespace:
    @hookimpl
    def mj_transform_types() -> Iterable[TransformType[Config]]:
        return [TransformType(name, Config, lambda _: None) for name in names]  # type: ignore[arg-type,return-value]

    return plugin(mj_transform_types=mj_transform_types)


def kernel(**plugins: object) -> Kernel:
    return Kernel(plugins=plugins, discover=False)


def error_of(kernel: Kernel, name: str) -> str:
    (found,) = [p for p in kernel.plugins if p.name == name]
    return str(found.error)


def test_declarations_are_found_by_name() -> None:
    assert list(kernel(a=declares("upper", "lower")).transform_types) == ["lower", "upper"]


def test_an_unknown_name_is_told_with_the_nearest_and_all_installed() -> None:
    with pytest.raises(
        UnknownName, match=r"no transform type named 'regexp', did you mean 'regex'\? \(installed: regex, split\)"
    ):
        kernel(a=declares("regex", "split")).transform_types["regexp"]


def test_two_owners_of_a_name_are_an_error_that_names_both() -> None:
    with pytest.raises(DuplicateName, match=r"'upper' is declared by .*plugin 'a'.* and by .*plugin 'b'.*uninstall or block"):
        kernel(a=declares("upper"), b=declares("upper"))


def test_a_misspelt_hook_is_reported_with_the_near_one() -> None:
    @hookimpl
    def mj_transfrom_types() -> Iterable[object]:
        return []

    text = error_of(kernel(mine=plugin(mj_transfrom_types=mj_transfrom_types)), "mine")
    assert text.startswith("host application: plugin 'mine' not loaded: ")
    assert "no hook named 'mj_transfrom_types', did you mean 'mj_transform_types'?" in text


def test_an_argument_of_a_newer_kernel_says_so() -> None:
    @hookimpl
    def mj_run_started(context: object, colour: object) -> None:
        """Wants an argument that this kernel does not have."""

    text = error_of(kernel(mine=plugin(mj_run_started=mj_run_started)), "mine")
    assert "colour" in text
    assert "written for a newer mjcore than" in text


def test_a_hook_of_a_newer_kernel_says_so() -> None:
    @hookimpl
    def mj_teleport(context: object) -> None:
        """A hook that this kernel does not have."""

    assert "perhaps it needs a newer mjcore than" in error_of(kernel(mine=plugin(mj_teleport=mj_teleport)), "mine")


def test_an_optional_hook_of_a_newer_kernel_is_passed_over() -> None:
    @hookimpl(optionalhook=True)
    def mj_teleport(context: object) -> None:
        """Optional."""

    (found,) = kernel(mine=plugin(mj_teleport=mj_teleport)).plugins
    assert found.error is None


def test_a_class_instead_of_an_instance_is_refused() -> None:
    class Mine:
        @hookimpl
        def mj_transform_types(self) -> Iterable[object]:
            return []

    assert "hand over an instance, Mine()" in error_of(kernel(mine=Mine), "mine")


def test_an_unmarked_hook_is_refused() -> None:
    def mj_transform_types() -> Iterable[object]:
        return []

    assert "mj_transform_types is not marked with @hookimpl" in error_of(
        kernel(mine=plugin(mj_transform_types=mj_transform_types)), "mine"
    )


def test_a_stage_may_only_be_wrapped() -> None:
    @hookimpl
    def mj_fetch(context: object) -> object:
        return None

    assert "wrap it with @hookimpl(wrapper=True)" in error_of(kernel(mine=plugin(mj_fetch=mj_fetch)), "mine")


def test_a_plugin_that_breaks_leaves_the_others_alone_and_is_named_as_the_cause() -> None:
    @hookimpl
    def mj_transform_types() -> Iterable[object]:
        raise RuntimeError("out of luck")

    both = kernel(bad=plugin(mj_transform_types=mj_transform_types), good=declares("upper"))
    assert "upper" in both.transform_types
    with pytest.raises(UnknownName, match=r"not loaded: host application: plugin 'bad'.*out of luck"):
        both.transform_types["lower"]


def test_a_declaration_of_the_wrong_type_is_the_plugins_failure() -> None:
    @hookimpl
    def mj_transform_types() -> Iterable[object]:
        return [SecretType("env", str)]

    with pytest.raises(UnknownName, match=r"not a TransformType"):
        kernel(bad=plugin(mj_transform_types=mj_transform_types)).transform_types["env"]


def test_plugins_are_blocked_by_their_name() -> None:
    blocked = Kernel(plugins={"a": declares("upper")}, blocked=["a"], discover=False)
    assert "upper" not in blocked.transform_types
    assert blocked.plugins[0].blocked


def test_two_kernels_do_not_know_of_each_other() -> None:
    one, two = kernel(a=declares("upper")), kernel(b=declares("lower"))
    assert (list(one.transform_types), list(two.transform_types)) == (["upper"], ["lower"])


def test_a_module_is_a_plugin() -> None:
    module = ModuleType("mine")
    module.mj_transform_types = declares("upper").mj_transform_types  # type: ignore[attr-defined]
    assert "upper" in kernel(mine=module).transform_types


def test_an_installed_plugin_that_does_not_import_is_reported_with_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mj_broken_thing.py").write_text("import no_such_module_anywhere\n")
    info = tmp_path / "mj_broken_thing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mj-broken-thing\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mj]\nbroken-thing = mj_broken_thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = [p for p in Kernel().plugins if p.name == "broken-thing"]
    assert "mj-broken-thing: plugin 'broken-thing' not loaded: ModuleNotFoundError" in str(found.error)
