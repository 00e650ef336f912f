"""Where measurements take place: the account, the databases, and how each subject is started."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from attrs import frozen
from mj_sandbox.options import TOKEN
from ruamel.yaml import YAML

from bench.databases import KINDS, Databases
from bench.measure import ROOT, Usage, cpu_of, run
from bench.publish import RESULTS
from mjcore import Kernel

BIN = ROOT / ".venv" / "bin"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
QUIET = {"MJ_LOG": "off", "BENCH_TOKEN": TOKEN, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}


def tool(name: str) -> str:
    """Return the path of an installed command: of the project's environment, else of this one's."""
    path = BIN / name
    return str(path) if path.exists() else str(Path(sys.executable).with_name(name))


def environment() -> Mapping[str, str]:
    """Return what every measured process finds: bytecode is kept, nothing is printed, no test runs around it."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PYTEST_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(left_out)}, **QUIET}


@frozen
class Account:
    """A simulated account in a process of its own."""

    address: str

    def tell(self, command: str) -> bytes:
        """Send `reset`, `pass/MINUTES`, `edit/COUNT`, `latency/MILLISECONDS` or `served`."""
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        connection.request("GET", f"/_bench/{command}")
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def served(self) -> tuple[float, int]:
        """Return the CPU seconds that serving has taken so far, and how many answers it gave."""
        seconds, answers = self.tell("served").split()
        return float(seconds), int(answers)


@contextmanager
def account(contacts: int) -> Iterator[Account]:
    """Record an account of so many contacts, and serve it."""
    command = [sys.executable, "-m", "bench.account", "--contacts", str(contacts)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, env=environment()) as process:
        yield Account(next(iter(process.stdout or ())).strip())  # it ends when its input does


@frozen
class Setting:
    """Where one measurement takes place."""

    databases: Databases
    rounds: int
    rows: int
    kinds: Sequence[str] = KINDS
    with_dlt: bool = True
    results: Path = RESULTS

    @property
    def round_names(self) -> list[str]:
        """What each round is called where progress is told."""
        return [f"round {number} of {self.rounds}" for number in range(1, self.rounds + 1)]

    @property
    def has_dlt(self) -> bool:
        """Whether dlt is wanted, and there."""
        return self.with_dlt and BENCH_PYTHON.exists()

    def postgresql_cpu(self) -> float:
        """Return the CPU seconds that the server has taken so far."""
        return cpu_of(self.databases.pid) if self.databases.pid else 0.0

    def mj(self, *arguments: str, store: str, allowed: Sequence[int] = (0,)) -> Usage:
        """Run the installed command; exit codes other than `allowed` are failures."""
        return run([tool("mj"), *arguments, "--store", store], environment(), allowed)

    def apply(self, metadata: str, store: str) -> None:
        """Store a metadata document, unmeasured."""
        with Kernel(store) as kernel:
            kernel.apply(YAML(typ="safe").load(metadata))

    def peer(self, name: str, arguments: Sequence[str], extra: Mapping[str, str] | None = None) -> Usage:
        """Run one of the peers."""
        python = str(BENCH_PYTHON) if name.startswith("dlt") else tool("python")
        return run([python, "-m", f"bench.peers.{name}", *arguments], {**environment(), **(extra or {})})


def contacts_map(address: str) -> str:
    """Return the metadata of the contacts' work for an account."""
    return (ROOT / "bench" / "contacts.yaml").read_text().replace("ADDRESS", address)
