"""Errors as people read them, and the exit code that each kind has."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mj_cli.output import err, plain
from mjcore.errors import ConfigError, DuplicateName, LeaseHeld, MJError, NotSupported, PluginError, Problem, UnknownName
from mjcore.results import SyncResult

if TYPE_CHECKING:  # reading documents needs a YAML parser, most commands do not
    from mj_cli.documents import Document
    from mjcore.kernel import Kernel

FINE, FAILED, WRONG, PARTIAL, HELD = range(5)
WORST_FIRST = (FAILED, WRONG, HELD, PARTIAL, FINE)


def report(error: MJError | OSError) -> int:
    """Print an error to standard error and return the exit code."""
    console = err()
    if isinstance(error, OSError):  # a file that cannot be written, a full disk: not ours to mend, and no bug either
        place = f"{error.filename}: " if error.filename else ""
        console.print(plain(f"{place}{error.strerror or error}"), style="red", soft_wrap=True)
        return WRONG if error.filename else FAILED
    problems = error.problems if isinstance(error, ConfigError) else ()
    for problem in problems or (error,):
        console.print(plain(str(problem)), style="red", soft_wrap=True)
    for note in getattr(error, "__notes__", ()):
        console.print(plain(note), soft_wrap=True)
    if len(problems) > 1:
        console.print(f"{len(problems)} problems", soft_wrap=True)
    return exit_code(error)


def exit_code(error: MJError) -> int:
    if isinstance(error, LeaseHeld):
        return HELD
    return WRONG if isinstance(error, ConfigError | UnknownName | DuplicateName | PluginError | NotSupported) else FAILED


def exit_code_of(results: Iterable[SyncResult]) -> int:
    """Return the worst of several runs: failed, then wrong configuration, held, and some records failed."""
    codes = {_of(result) for result in results}
    return next((code for code in WORST_FIRST if code in codes), FINE)


def _of(result: SyncResult) -> int:
    if result.refusal is not None:
        return {"held": HELD, "configuration": WRONG, "lost": FAILED}[result.refusal]
    if result.status != "Completed" or any(m.status in ("Failed", "Cancelled") for m in result.maps):
        return FAILED
    return PARTIAL if result.counts.errored or any(m.status == "Partial" for m in result.maps) else FINE


@contextmanager
def explained(kernel: "Kernel") -> Iterator[None]:
    """Say what to do where a connection is unknown because none is stored."""
    try:
        yield
    except UnknownName as error:
        if error.kind == "connection" and not kernel.connections():
            error.add_note("nothing is stored yet: `mj apply FILE` stores what a metadata file says")
        raise


@contextmanager
def located(documents: "Sequence[Document]") -> Iterator[None]:
    """Put the file and line before each problem of metadata that was read from files."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(*(_locate(problem, documents) for problem in error.problems)) from error


def _locate(problem: Problem, documents: "Sequence[Document]") -> Problem:
    for document in reversed(documents):  # what a later file says counts
        line = document.line(problem.path)
        if line is not None:
            return Problem(f"{document.name}:{line}: {problem.path}", problem.message)
    return problem
