"""An undo pauses its connection: what it reversed is not written again before a person has looked."""

from datetime import datetime
from typing import Any

from attrs import evolve

from mjcore.errors import ConfigError
from mjcore.models import CompanyIntegration, IntegrationRun, IntegrationRunDetail, Trigger
from mjcore.records import JSON, Lease
from mjcore.store import Store

UNDO, ENTITY_MAP, PAUSED = "Undo", "EntityMap", "Paused"
"""In the configuration of an undo: the run that it reverses, the only entity map of it, and that no person paused before."""


def last_run(store: Store, connection: CompanyIntegration) -> IntegrationRun | None:
    found = store.load(IntegrationRun, newest=1, company_integration_id=connection.id)
    return found[0] if found else None


def pause(connection: CompanyIntegration, last: IntegrationRun | None) -> tuple[CompanyIntegration, dict[str, JSON]]:
    """Return the connection set to Inactive, and what the undo notes, for `admit` to take it back."""
    by_undo = connection.status != "Inactive" or (last is not None and bool(last.configuration.get(PAUSED)))
    return evolve(connection, status="Inactive"), {PAUSED: by_undo}


def undone(store: Store, connection: CompanyIntegration) -> str | None:
    """Return the run whose undo has paused a connection; None when nothing or a person has."""
    last = last_run(store, connection) if connection.status == "Inactive" else None
    return str(last.configuration[UNDO]) if last is not None and last.configuration.get(PAUSED) else None


def admit(store: Store, connection_id: str, trigger: Trigger, lease: Lease, now: datetime) -> None:
    """Let a manual run of a paused connection end the pause. `ConfigError`: any other run of an Inactive connection."""
    (connection,) = store.load(CompanyIntegration, id=connection_id)
    last = last_run(store, connection)
    undo = last if last is not None and UNDO in last.configuration else None
    if connection.status == "Inactive" and trigger != "Manual":
        why = f"run {undo.configuration[UNDO]} was undone" if undo else "it is switched off"
        raise ConfigError(
            f"connection {connection.name!r} is Inactive: {why}; a manual sync runs it: mj sync {connection.name!r} --manual"
        )
    saved: list[Any] = []
    if undo and connection.status == "Inactive" and undo.configuration.get(PAUSED):
        saved.append(evolve(connection, status="Active"))
    if undo and undo.status == "Running":  # broken off; it is not the run to go on with
        details = store.load(IntegrationRunDetail, integration_run_id=undo.id, status="Running")
        saved.append(evolve(undo, status="Cancelled", completed_at=now))
        saved += [evolve(detail, status="Cancelled", completed_at=now) for detail in details]
    if saved:
        store.save(saved, lease=lease)
