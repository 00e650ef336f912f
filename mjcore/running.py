"""Runs one request: a run with what the kernel has, the source opened for it, and notice given of how it ended."""

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from mjcore.models import ConnectionMetadata, RunRequest
from mjcore.notices import finished
from mjcore.progress import ProgressListener
from mjcore.results import SyncResult
from mjcore.sync import Run

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


def run(kernel: "Kernel", request: RunRequest, progress: ProgressListener, cancel: Callable[[], bool]) -> SyncResult:
    """Run, here and now; raises as `Kernel.sync` does."""
    (metadata,) = kernel.connections(request.connection)
    begun = new_run(kernel, metadata, request, progress, cancel)
    with closing(kernel.open(metadata, cancel)) as source:
        return finished(kernel, begun, begun.execute(source))


def new_run(
    kernel: "Kernel", metadata: ConnectionMetadata, request: RunRequest, progress: ProgressListener, cancel: Callable[[], bool]
) -> Run:
    """Return the run of a request, with what the kernel has."""
    return Run(
        metadata,
        request,
        kernel.store,
        kernel.stages,
        kernel.executor,
        kernel.provider_types[metadata.provider.name],
        kernel.transform_types,
        kernel.match_types,
        kernel.now,
        progress,
        cancel,
        kernel.patience,
    )
