"""Past runs, as tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from mj_cli.output import plain, shortened, table
from mj_cli.results import STYLES, counts_table, told, took
from mjcore.errors import UnknownName
from mjcore.history import PURGED_BEFORE
from mjcore.models import IntegrationRun, IntegrationRunDetail
from mjcore.recording import counts_of

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

LATEST = 10_000
"""Runs that are looked through for the end of an id."""
MARK = 25
"""Characters of a watermark, which may be the provider's own long one; a time fits."""
SHORT = 8
"""Characters at the end of a run's id that tell runs apart; its beginning is a time."""


def find_run(kernel: "Kernel", name: str) -> IntegrationRun:
    """Return the run with this id, or the one of the latest whose id ends with it. `UnknownName` for none and for several."""
    fits = kernel.store.load(IntegrationRun, id=name)
    if not fits:
        latest = kernel.runs(limit=LATEST)
        fits = [run for run in latest if run.id.endswith(name)] or latest[:5]
        if len(fits) != 1 or not fits[0].id.endswith(name):
            raise UnknownName("run", name, [run.id for run in fits])
    return fits[0]


def runs_table(kernel: "Kernel", found: Sequence[IntegrationRun]) -> RenderableType:
    """Return one line per run."""
    names = {c.connection.id: c.name for c in kernel.connections()}
    return table(
        ["Run", "Connection", "Status", "Started", "Took", "Records"],
        [
            [
                run.id[-SHORT:],
                names.get(run.company_integration_id, "?"),
                Text(run.status, style=STYLES[run.status]),
                _local(run.started_at)[:16],
                took(run.started_at, run.completed_at) if run.completed_at else "",
                told(counts_of(run)),
            ]
            for run in found
        ],
        whole=["Run", "Status", "Started", "Took"],
    )


def details_table(kernel: "Kernel", run: IntegrationRun, details: Sequence[IntegrationRunDetail]) -> list[RenderableType]:
    """Return what one run did, entity map by entity map."""
    connections = {c.connection.id: c for c in kernel.connections()}
    connection = connections.get(run.company_integration_id)
    maps = {m.id: f"{m.external_object_name} → {m.entity.name}" for m in (connection.entity_maps if connection else ())}
    purged = run.configuration.get(PURGED_BEFORE)
    head = [
        ("Run", run.id),
        ("Connection", connection.name if connection else "?"),
        ("Status", run.status),
        ("Started", _local(run.started_at)),
        ("Took", took(run.started_at, run.completed_at) if run.completed_at else ""),
        *([("Error", run.error_message)] if run.error_message else []),
        *([("Purged", f"what it did before {_local(datetime.fromisoformat(str(purged)))}")] if purged else []),
    ]
    rows = [(maps.get(d.entity_map_id, "?"), d.status, counts_of(d)) for d in details]
    marks = [
        (maps.get(d.entity_map_id, "?"), *(shortened(mark or "", MARK) for mark in (d.watermark_before, d.watermark_after)))
        for d in details
    ]
    return [
        *(Text.assemble((f"{name:<12}", "bold"), (plain(value), STYLES.get(value, ""))) for name, value in head),
        "",
        counts_table(rows),
        "",
        table(["Entity map", "Watermark before", "Watermark after"], marks),
        *(line for d in details for line in _faults(maps.get(d.entity_map_id, "?"), d)),
    ]


def _faults(title: str, detail: IntegrationRunDetail) -> list[RenderableType]:
    lines = [detail.error_message] if detail.error_message else []
    notes, errors = detail.details.get("Notes") or (), detail.details.get("Errors") or ()
    lines += [str(note) for note in notes] if isinstance(notes, list) else []
    lines += [f"{e['ExternalID']}: {e['Stage']}: {e['Message']}" for e in errors] if isinstance(errors, list) else []
    return [Text(plain(f"{title}: {line}")) for line in lines]


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
