"""The README's commands, as a reader types them; HubSpot is a simulated account."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(heading: str) -> str:
    """Return the shell commands below a heading."""
    section = README.partition(f"{heading}\n")[2]
    found = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert found, heading
    return found.group(1)


def type_in(commands: str, folder: Path, **environment: str) -> str:
    """Run commands in a folder that has the virtual environment, and return what they print; the first failure ends them."""
    (folder / ".venv").symlink_to(Path(sys.prefix))
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "MJ_LOG": "off", "COLUMNS": "100", **environment},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_csv_of_ones_own(tmp_path: Path) -> None:
    printed = type_in(blocks("### Your own CSV"), tmp_path)
    assert re.search(r"people → People +1 +1 +0 +0", printed), printed


def test_a_hubspot_account_of_ones_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mj_sandbox", "hubspot", "--port", "0", "--contacts", "150"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as account:
        assert account.stdout is not None
        address = account.stdout.readline().strip()
        token = account.stdout.readline().partition(":")[2].strip()
        try:
            commands = blocks("### Your own HubSpot account").replace("pat-na1-…", token)
            commands = commands.replace("Provider: HubSpot,", f"Provider: HubSpot, Configuration: {{BaseURL: '{address}'}},")
            printed = type_in(commands, tmp_path)
        finally:
            account.terminate()
    assert re.search(r"contacts → \w+ +150 +150 +0 +0", printed), printed


def test_the_commands_to_try_it_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in blocks("## Try it").split("\n"):
        if command:
            assert f"\n{command.removeprefix('make ')}:" in makefile
