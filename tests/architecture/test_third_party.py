"""A transform that somebody else wrote, in a folder of its own: installed with pip it is there, with no change here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """\
[project]
name = "acme-initials"
version = "3.1"
dependencies = ["mjcore"]

[project.entry-points.mj]
transform-initials = "acme_initials"

[build-system]
requires = ["uv_build>=0.8,<0.14"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-root = ""
"""
MODULE = """\
from attrs import frozen

from mjcore import hookimpl
from mjcore.capabilities import TransformType


@frozen
class Initials:
    separator: str = ""

    def apply(self, values, records):
        return [self.separator.join(word[0] for word in value.split()) for value in values]


@hookimpl
def mj_transform_types():
    return [TransformType("initials", Initials, compile=lambda config: config)]
"""
METADATA = """\
Companies: [{Name: Acme}]
Entities: [{Name: People, Table: people, Fields: [{Name: Initials}]}]
Connections:
  - Name: Files
    Company: Acme
    Provider: Files
    Configuration: {Folder: .}
    EntityMaps:
      - ExternalObjectName: people
        Entity: People
        FieldMaps:
          - SourceFieldName: name
            DestinationFieldName: Initials
            TransformPipeline: [{Type: initials, Config: {Separator: "."}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with metadata and data; beside it the plugin, installed as pip does it."""
    package = tmp_path / "plugin" / "acme_initials"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(MODULE)
    (package.parent / "pyproject.toml").write_text(PROJECT)
    uv = Path(sys.executable).with_name("uv")
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", package.parent]
    subprocess.run(install, check=True)
    (tmp_path / "people.csv").write_text("id,name\n1,Ada Lovelace\n")
    (tmp_path / "crm.yaml").write_text(METADATA)
    return tmp_path


def mj(folder: Path, *arguments: str, installed: bool = True) -> subprocess.CompletedProcess[str]:
    path = str(folder / "site") if installed else ""
    environment = {**os.environ, "PYTHONPATH": path, "MJ_LOG": "off", "COLUMNS": "200"}
    command = [sys.executable, "-m", "mj_cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_a_transform_of_a_third_party_is_listed_checked_and_run(folder: Path) -> None:
    listed = mj(folder, "plugins").stdout
    (line,) = [line for line in listed.splitlines() if "acme-initials" in line]
    assert "3.1" in line
    assert "transform type initials" in line
    text = (folder / "crm.yaml").read_text()
    (folder / "wrong.yaml").write_text(text.replace("Type: initials", "Type: initialls").replace("Separator", "Seperator"))
    (folder / "config.yaml").write_text(text.replace("Separator", "Seperator"))
    assert "did you mean 'initials'?" in mj(folder, "apply", "wrong.yaml").stderr
    assert (
        "TransformPipeline[0].Config.Seperator: unknown, did you mean 'Separator'?" in mj(folder, "apply", "config.yaml").stderr
    )
    assert mj(folder, "apply", "crm.yaml").returncode == 0
    assert '"A.L"' in mj(folder, "preview", "Files", "people").stdout
    assert mj(folder, "sync", "Files").returncode == 0


def test_without_it_a_map_that_uses_it_says_what_is_missing(folder: Path) -> None:
    assert mj(folder, "apply", "crm.yaml").returncode == 0
    ended = mj(folder, "sync", "Files", installed=False)
    assert ended.returncode != 0
    assert "no transform type named 'initials'" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
