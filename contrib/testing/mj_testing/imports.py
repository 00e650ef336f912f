"""What importing a plugin loads and needs, seen in fresh interpreters."""

import os
import re
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, distributions, entry_points, packages_distributions, requires

OURS = frozenset({"mjcore", "pluggy", "attr", "attrs", "cattr", "cattrs", "typing_extensions", "exceptiongroup"})
"""What the kernel has loaded anyway."""

LOADED = """
import sys
before = set(sys.modules)
__import__(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
ALONE = """
import importlib, pkgutil, sys
blocked = frozenset(sys.argv[2].split())
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}: it belongs to no declared dependency", name=name)
sys.meta_path.insert(0, Blocked())
module = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(getattr(module, "__path__", ()), sys.argv[1] + "."):
    if not found.name.endswith(".__main__"):
        importlib.import_module(found.name)
"""


def heavy(module: str) -> list[str]:
    """Return the third-party modules that importing this one loads, the kernel's own aside."""
    loaded = _run(LOADED, module).stdout.split()
    known = OURS | set(sys.stdlib_module_names) | {module.partition(".")[0]}
    return [name for name in loaded if name not in known and not name.startswith("_")]


def undeclared(module: str) -> str | None:
    """Return why a plugin does not import when nothing but its declared dependencies is there; None when it does."""
    owner = next((point.dist.name for point in entry_points(group="mj") if point.module == module and point.dist), None)
    if owner is None:
        return f"no installed distribution has {module} as an entry point of the group mj"
    ended = _run(ALONE, module, " ".join(sorted(_foreign(_closure(owner)))))
    return None if ended.returncode == 0 else (ended.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def _closure(name: str) -> set[str]:
    """Return a distribution and all that it needs, by normal name; what only an extra needs is left out."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        if (each := _normal(waiting.pop())) not in found:
            found.add(each)
            try:
                needs = requires(each) or []
            except PackageNotFoundError:  # for another system, or another Python
                continue
            for need in needs:
                waiting += re.findall(r"^[A-Za-z0-9._-]+", need) if "extra ==" not in need else []
                waiting += [f"{n}" for n in _extras(need)]
    return found


def _extras(need: str) -> Collection[str]:
    """Return what the extras of a requirement such as `psycopg[binary]` need."""
    match = re.match(r"([A-Za-z0-9._-]+)\[([^\]]+)\]", need)
    if match is None or "extra ==" in need:
        return ()
    wanted = {extra.strip() for extra in match[2].split(",")}
    try:
        offered = requires(match[1]) or []
    except PackageNotFoundError:
        return ()
    pattern = re.compile(r"^([A-Za-z0-9._-]+).*extra == ['\"]([^'\"]+)")
    return [found[1] for text in offered if (found := pattern.match(text)) and found[2] in wanted]


def _foreign(declared: Collection[str]) -> set[str]:
    """Return the importable names of every installed distribution that is not among the declared ones."""
    names = {name for name, owners in packages_distributions().items() if not {_normal(o) for o in owners} & set(declared)}
    others = (_normal(found.name) for found in distributions() if found.name)
    names |= {name.replace("-", "_") for name in others if name not in declared}  # an editable one does not list its files
    return names - set(sys.stdlib_module_names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
