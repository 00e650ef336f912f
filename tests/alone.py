"""Installs each distribution alone from its wheel, in a fresh environment, and runs its own tests there.

Usage: python tests/alone.py WHEELS FOLDER…. What the tests need beside the distribution stands in its dependency group `test`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
ALWAYS = ("pytest", "pytest-timeout", "hypothesis")


def main(wheels: Path, folders: Sequence[Path]) -> int:
    names = [wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels.glob("*.whl")]
    ours = [f"--refresh-package={name}" for name in names]  # a wheel that was built anew keeps its name and version
    failed = [folder for folder in folders if not passes(wheels, folder, ours)]
    print(f"{len(folders) - len(failed)} of {len(folders)} distributions pass their tests alone", *failed, sep="\n  failed: ")
    return bool(failed)


def passes(wheels: Path, folder: Path, ours: Sequence[str]) -> bool:
    """Return whether the distribution in `folder` passes its tests with only its wheel and what that declares."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    needs = [need for need in project.get("dependency-groups", {}).get("test", []) if isinstance(need, str)]
    with tempfile.TemporaryDirectory() as scratch:
        environment, tests = Path(scratch) / "venv", Path(scratch) / "tests"
        shutil.copytree(folder / "tests", tests)
        shutil.copy(folder / "README.md", scratch)  # tests hold it to the code
        python = environment / "bin" / "python"
        run(UV, "venv", "--quiet", "--python", sys.executable, environment)
        run(
            *(UV, "pip", "install", "--quiet", "--python", python, "--constraint", ROOT / "constraints.txt"),
            *("--find-links", wheels, *ours, project["project"]["name"], *needs, *ALWAYS),
        )
        options = [
            "--import-mode=importlib",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "--timeout=300",
            f"--rootdir={scratch}",
        ]
        ended = subprocess.run(
            [python, "-m", "pytest", *options, tests],
            cwd=scratch,
            env={**os.environ, "CI": "true"},  # hypothesis then draws the same examples each time, however slowly
            capture_output=True,
            text=True,
            check=False,
        )
    good = ended.returncode == 0
    print("passes" if good else "FAILS ", folder, (ended.stdout.strip().splitlines() or ["no output"])[-1], flush=True)
    if not good:
        print(ended.stdout[-6000:], ended.stderr[-2000:])
    return good


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), [Path(folder) for folder in sys.argv[2:]]))
