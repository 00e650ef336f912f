"""Tells people how a run ended, through the notifiers that its connection names: facts, never a value of a record."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from attrs import asdict, evolve

from mjcore.capabilities import Notice, Notifier
from mjcore.deletion import TooManyDeletes
from mjcore.errors import AuthFailed
from mjcore.models import IntegrationRun, IntegrationRunDetail
from mjcore.opening import NOTIFIER, NOTIFY, resolver
from mjcore.pausing import UNDO
from mjcore.records import JSON
from mjcore.results import SyncResult
from mjcore.retry import Cancelled
from mjcore.store import Store
from mjcore.sync import Run
from mjcore.wire import pascal, structure
from mjcore.wording import counted

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

Kind: TypeAlias = Literal["failed", "partial", "recovered", "auth", "deletes_guarded", "conflicts", "schema_drift"]
LOOKED_AT = 20
"""Runs among which the last one that came to an end is looked for."""


def finished(kernel: "Kernel", run: Run, result: SyncResult) -> SyncResult:
    """Send what is to be told of a run that has ended; return its result, with what plugins raised meanwhile in its notes."""
    entries = cast("Sequence[dict[str, Any]]", run.metadata.connection.configuration.get(NOTIFY, ()))
    if entries and (told := [_notice(result, kind, text) for kind, text in _told(run, result)]):
        notifiers = list(_opened(kernel, entries, result.run_id))
        for notice in told if notifiers else ():
            kernel.stages.notify(notifiers, notice)
    notes = tuple(kernel.stages.noted.taken(result.run_id))
    if not notes or not result.maps:
        return result
    last = result.maps[-1]
    named = (last.external_object_name, last.entity)
    of = next(m.id for m in run.metadata.entity_maps if (m.external_object_name, m.entity.name) == named)
    keep(kernel.store, result.run_id, of, notes)
    return evolve(result, maps=(*result.maps[:-1], evolve(last, notes=(*last.notes, *notes))))


def keep(store: Store, run_id: str, entity_map_id: str, notes: Sequence[str]) -> None:
    """Add to the stored notes of one entity map in a run that has ended."""
    details = store.load(IntegrationRunDetail, integration_run_id=run_id, entity_map_id=entity_map_id)
    told = [{**d.details, "Notes": [*cast("list[JSON]", d.details.get("Notes", [])), *notes]} for d in details]
    store.save([evolve(detail, details=more) for detail, more in zip(details, told, strict=True)])


def _opened(kernel: "Kernel", entries: Sequence[dict[str, Any]], run_id: str) -> Iterator[Notifier]:
    """Open the notifiers of a connection; those that cannot be are noted."""
    for entry in entries:
        try:
            kind = kernel.notifier_types[entry[NOTIFIER]]
            settings = {key: value for key, value in entry.items() if key != NOTIFIER}
            yield kind.open(structure(kind.config, settings, resolver(kernel)))
        except Exception as fault:  # noqa: BLE001 - who cannot be told must not fail the run
            kernel.stages.note_notifier(run_id, str(entry.get(NOTIFIER)), fault)


# --- What is told ----------------------------------------------------------------------------------


def _told(run: Run, result: SyncResult) -> Iterator[tuple[Kind, str]]:
    """Yield the kinds of notices, each once. Texts of records' errors stay in the store: they may quote records."""
    faults = [fault for fault in run.faults if not isinstance(fault, Cancelled)]
    auth = [str(fault) for fault in faults if isinstance(fault, AuthFailed)]
    guarded = [str(fault) for fault in faults if isinstance(fault, TooManyDeletes)]
    others = [type(fault).__name__ for fault in faults if not isinstance(fault, AuthFailed | TooManyDeletes)]
    see = f"`mj runs {result.run_id}` tells more"
    if others:
        yield "failed", f"the run failed ({', '.join(dict.fromkeys(others))}); {see}"
    if auth:
        yield "auth", f"{auth[0]}; {see}"
    if guarded:
        yield "deletes_guarded", "\n".join(guarded)
    if result.status == "Completed" and result.counts.errored:
        failed = counted(result.counts.errored, "record")
        yield "partial", f"{failed} failed; `mj failed list {result.connection!r}` shows which"
    if result.status == "Completed" and _has_failed_before(run, result):
        yield "recovered", f"the first run that came through after one that failed; {see}"
    if result.counts.conflicted:
        queued = counted(result.counts.conflicted, "record")
        yield "conflicts", f"{queued} changed on both sides; `mj conflicts list {result.connection!r}` shows which"
    if run.drift:
        yield "schema_drift", "\n".join(run.drift)


def _has_failed_before(run: Run, result: SyncResult) -> bool:
    latest = run.store.load(IntegrationRun, newest=LOOKED_AT, company_integration_id=run.metadata.connection.id)
    before = [r for r in latest if r.id != result.run_id and UNDO not in r.configuration and r.status in ("Completed", "Failed")]
    return bool(before) and before[-1].status == "Failed"


def _notice(result: SyncResult, kind: Kind, text: str) -> Notice:
    facts: dict[str, JSON] = {pascal(name): count for name, count in asdict(result.counts).items()}
    facts["Status"] = result.status
    facts["EntityMaps"] = {m.external_object_name: m.status for m in result.maps}
    facts["Errors"] = sorted({f"{error.stage}/{error.code}" for m in result.maps for error in m.errors})
    title = f"{result.connection}: {kind.replace('_', ' ')}"
    return Notice(kind, title, text, result.connection, result.run_id, facts)
