"""The page on testing is true: pytest runs its tests, and they pass; without what it says is needed, they fail as it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
README = Path(__file__).parents[2] / "contrib" / "testing" / "README.md"


def blocks(page: Path, kind: str = "python") -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def run(folder: Path, *contents: str, options: tuple[str, ...] = ()) -> str:
    """Run modules of tests in a pytest of their own; return what it prints."""
    for number, content in enumerate(contents):
        (folder / f"test_block{number}.py").write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *options, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=280).stdout


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "readme"])
def test_the_tests_of_the_page_pass(page: Path, tmp_path: Path) -> None:
    printed = run(tmp_path, *blocks(page), options=("--mj-report", "report.html"))
    assert " passed" in printed
    assert "failed" not in printed, printed
    assert "error" not in printed.lower(), printed
    assert (tmp_path / "report.html").is_file()


def test_the_failure_that_the_page_shows_is_the_real_one(tmp_path: Path) -> None:
    careless = re.sub(r"        if not isinstance.*\n.*\n", "", blocks(PAGE)[0])
    assert careless != blocks(PAGE)[0]
    printed = run(tmp_path, careless)
    for line in blocks(PAGE, "text")[0].splitlines():
        assert line.partition("…")[0].strip() in printed
