"""Every distribution has the same shape, and its names carry its kind."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    p.parent for pattern in ("plugins/*", "plugins/*/*", "contrib/*") for p in ROOT.glob(f"{pattern}/pyproject.toml")
)
KINDS = ("provider", "transform", "match", "storage", "execution", "secrets", "notify", "changes")


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def sources(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*.py") if "tests" not in p.parts)


@pytest.fixture(params=FOLDERS, ids=lambda f: str(f.relative_to(ROOT)))
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


def test_a_distribution_has_a_readme_a_typed_package_and_tests(folder: Path) -> None:
    package = project(folder)["project"]["name"].replace("-", "_")
    for needed in ("README.md", f"{package}/__init__.py", f"{package}/py.typed"):
        assert (folder / needed).is_file(), needed
    assert list((folder / "tests").glob("test_*.py"))
    assert not (folder / "tests" / "__init__.py").exists()


def test_names_carry_the_kind(folder: Path) -> None:
    data = project(folder)
    name = data["project"]["name"]
    points = data["project"].get("entry-points", {}).get("mj", {})
    if folder.is_relative_to(ROOT / "plugins"):
        assert name.split("-")[1] in KINDS
        assert points == {name.removeprefix("mj-"): name.replace("-", "_")}
    else:
        assert name == f"mj-{folder.name}"


def test_tools_are_configured_at_the_root_only(folder: Path) -> None:
    assert set(project(folder).get("tool", {})) <= {"uv"}
    assert len((folder / "pyproject.toml").read_text().splitlines()) <= 40


def test_every_plugin_runs_the_suite_of_its_kind(folder: Path) -> None:
    if folder.is_relative_to(ROOT / "plugins"):
        (suite,) = (folder / "tests").glob("test_*_suite.py")
        package = project(folder)["project"]["name"].replace("-", "_")
        assert f"plugin = {package}\n" in suite.read_text()


def test_the_root_names_every_distribution() -> None:
    root = project(ROOT)
    names = {project(f)["project"]["name"] for f in FOLDERS}
    assert set(root["tool"]["uv"]["sources"]) == names | {"mjcore"}
    assert set(root["tool"]["importlinter"]["root_packages"]) == {n.replace("-", "_") for n in names} | {"mjcore"}


def test_versions_move_in_lockstep() -> None:
    versions = {project(f)["project"]["version"] for f in [ROOT, *FOLDERS]}
    assert len(versions) == 1


def test_no_kernel_module_is_over_300_lines() -> None:
    assert not [p.name for p in (ROOT / "mjcore").glob("*.py") if len(p.read_text().splitlines()) > 300]


def test_no_two_test_modules_share_a_name() -> None:
    names = [p.name for folder in [ROOT / "tests", *FOLDERS] for p in folder.rglob("test_*.py")]
    assert len(names) == len(set(names))
