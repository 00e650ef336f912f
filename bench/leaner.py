"""`mj sync Bench` with something left out, to see what it costs: `python -m bench.leaner STORE [audit] [links] [fence]`.

For benchmarks alone: what such a run leaves cannot be undone, explained, or gone on with.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from attrs import evolve, frozen

from mjcore import Kernel
from mjcore.models import SyncContext
from mjcore.records import BatchWrite, Lease, Link
from mjcore.store import Store

WITHOUT = {
    "audit": ("mj_storage_sql.commit:_Commit.audit",),
    "fence": ("mj_storage_sql.commit:prove", "mj_storage_sql.commit:_Commit.position"),
}
"""What of the store does a part and nothing else: module:name."""


@frozen
class Unlinked:
    """A store that keeps no links, and therefore finds none."""

    store: Store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def links(self, _: SyncContext, __: Sequence[str]) -> Mapping[str, Link]:
        return {}

    def commit(self, context: SyncContext, write: BatchWrite, lease: Lease) -> None:
        self.store.commit(context, evolve(write, links=()), lease)


def nothing(*_: object) -> None:
    """Take the place of what is left out."""


def leave_out(path: str, instead: Callable[..., None] = nothing) -> None:
    """Replace `module:name`. AttributeError where there is no such thing any more: `WITHOUT` must follow the store."""
    module, _, names = path.partition(":")
    *owners, name = names.split(".")
    owner: Any = import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    getattr(owner, name)
    setattr(owner, name, instead)


def main(store: str, *without: str) -> int:
    """Run it; return an exit code."""
    for part in without:
        for path in WITHOUT.get(part, ()):
            leave_out(path)
    with Kernel(store) as kernel:
        opened: Any = Unlinked(kernel.store) if "links" in without else kernel.store
        result = Kernel(opened).sync("Bench")
        if result.error:
            sys.stderr.write(f"{result.error}\n")
        return 0 if result.status == "Completed" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
