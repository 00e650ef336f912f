"""Executor `local`: runs side by side in threads of this process."""

from collections.abc import Iterable

from attrs import field, frozen, validators

from mjcore.capabilities import Executor, ExecutorType
from mjcore.hookspecs import hookimpl


@frozen
class Local:
    workers: int = field(default=4, validator=validators.ge(1))
    """Connections at a time, and independent maps at a time within each."""


def open_local(config: Local) -> Executor:
    from mj_execution_local.threads import ThreadExecutor

    return ThreadExecutor(config.workers)


@hookimpl
def mj_executor_types() -> Iterable[ExecutorType[Local]]:
    return [ExecutorType("local", Local, open_local)]
