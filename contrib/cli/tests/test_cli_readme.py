"""The README's commands do what it says."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import metadata
from pathlib import Path

import pytest
import typer.main
from mj_cli.commands import COMMANDS, app

BESIDE = Path(__file__).parents[1] / "README.md"
README = BESIDE.read_text(encoding="utf-8") if BESIDE.exists() else str(metadata("mj-cli").get_payload())  # type: ignore[attr-defined]


def test_the_first_steps_fill_a_table(tmp_path: Path) -> None:
    script = next(block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "mkdir data" in block)
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MJ_")} | {"PATH": found}
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(tmp_path / "mj.db")) as database:
        assert database.execute("SELECT Email, Name FROM customers ORDER BY Email").fetchall() == [
            ("ada@example.org", "Ada"),
            ("bo@example.org", "Bo"),
        ]
    assert "2 created" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told(name: str) -> None:
    group = typer.main.get_command(app)
    options = {option for each in group.commands[name].params for option in each.opts if option.startswith("--")}  # type: ignore[attr-defined]
    told = set(re.findall(r"--[a-z-]+", README))
    assert f"`mj {name}" in README
    assert options - {"--output", "--help"} <= told
