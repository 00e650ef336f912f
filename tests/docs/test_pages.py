"""The pages tell the truth: hooks are all there with their arguments, links lead somewhere, Python blocks run."""

import re
from pathlib import Path

import pytest

from mjcore import hookspecs
from mjcore.loader import new_manager

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/**/README.md"), *ROOT.glob("contrib/*/README.md")]
)
PAGES = [page for page in PAGES if not {".venv", "node_modules"} & set(page.parts)]


def test_every_hook_is_documented_with_its_arguments() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    manager = new_manager()
    for name in (name for name in vars(hookspecs) if name.startswith("mj_")):
        arguments = ", ".join(getattr(manager.hook, name).spec.argnames)
        assert f"`{name}({arguments})`" in page


def test_no_hook_is_documented_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    assert set(re.findall(r"\bmj_[a-z_]+", page)) <= set(vars(hookspecs))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    if page.is_relative_to(ROOT / "docs") or page.parent == ROOT
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_python_blocks_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "block", "exec"), {"__name__": "block"})
