"""What the kernel and its plugins may load, seen in fresh interpreters."""

import operator
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

HEAVY = (
    "sqlalchemy",
    "alembic",
    "psycopg",
    "httpcore",
    "httpx",
    "structlog",
    "regex",
    "quickjs",
    "babel",
    "phonenumbers",
    "pyarrow",
    "rich",
    "typer",
)


def loaded_after(statement: str) -> set[str]:
    """Return the top-level names of what a fresh interpreter has loaded."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_kernel_loads_pluggy_attrs_and_cattrs_only() -> None:
    ours = loaded_after("import mjcore.kernel")
    third_party = {name for name in ours - set(sys.stdlib_module_names) - loaded_after("pass") if not name.startswith("_")}
    assert third_party <= {"mjcore", "pluggy", "attr", "attrs", "cattr", "cattrs", "typing_extensions", "exceptiongroup"}


def test_loading_every_plugin_loads_nothing_heavy() -> None:
    assert not loaded_after("from mjcore.kernel import Kernel; Kernel()") & set(HEAVY)


def test_a_kernel_that_runs_nothing_loads_nothing_of_runs() -> None:
    code = "import sys; from mjcore.kernel import Kernel; Kernel(); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert "mjcore.stages" in loaded
    assert not loaded & {"mjcore.sync", "mjcore.mapping", "mjcore.preview", "mjcore.metadata", "mjcore.wire", "cattrs"}


@pytest.mark.parametrize(
    "plugin", sorted(entry_points(group="mj"), key=operator.attrgetter("name")), ids=operator.attrgetter("name")
)
def test_a_plugin_by_itself_loads_nothing_heavy(plugin: EntryPoint) -> None:
    assert not loaded_after(f"import {plugin.value}") & set(HEAVY)
