"""What a commit needs: a stored connection with one entity map, a run of it, and the lease that lets it write."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve, frozen

from mj_testing.clock import START
from mjcore.ids import new_id
from mjcore.models import (
    Company,
    CompanyIntegration,
    Entity,
    EntityField,
    EntityMap,
    IntegrationProvider,
    IntegrationRun,
    IntegrationRunDetail,
    SyncContext,
)
from mjcore.records import BatchWrite, Counts, Fields, Lease, Link, Position, RowChange, RowKey, Value
from mjcore.store import Store

HOUR = timedelta(hours=1)
PEOPLE = Entity("People", "people", fields=(EntityField("Email", "email", max_length=320), EntityField("Name")))


@frozen
class Scene:
    """One entity map in the middle of a run."""

    store: Store
    connection: CompanyIntegration
    run: IntegrationRun
    context: SyncContext
    lease: Lease

    @property
    def entity(self) -> Entity:
        return self.context.entity

    def create(self, external_id: str, values: Fields, unique_on: tuple[str, ...] = ()) -> RowChange:
        """Return a create as the kernel decides it, the key included."""
        key = new_id()
        return RowChange("create", (key,), {}, {**values, self.entity.primary_key[0]: key}, external_id, "none", unique_on)

    def link(self, change: RowChange, **parts: Any) -> Link:
        return Link(change.external_id, change.key, b"0123456789abcdef", {"raw": change.external_id}, **parts)

    def write(self, **parts: Any) -> BatchWrite:
        """Return a batch that does nothing but `parts`, in an open window."""
        nothing = dict.fromkeys(["changes", "links", "failed", "cleared", "conflicts"], ())
        return BatchWrite(**{**nothing, "counts": Counts(), "position": Position(run_id=self.run.id), **parts})

    def commit(self, lease: Lease | None = None, **parts: Any) -> None:
        self.store.commit(self.context, self.write(**parts), lease or self.lease)

    def add(self, rows: Mapping[str, Fields]) -> dict[str, RowKey]:
        """Create linked rows by external id; return their keys."""
        changes = sorted((self.create(id_, values) for id_, values in rows.items()), key=lambda change: change.key)
        self.commit(changes=changes, links=[self.link(change) for change in changes])
        return {change.external_id: change.key for change in changes}

    def read(self, key: RowKey) -> dict[str, Value] | None:
        """Return a row without its key, or None."""
        found = self.store.read(self.entity, [key], tuple(column.name for column in self.entity.fields)).get(key)
        return None if found is None else {name: found[name] for name in found if name not in self.entity.primary_key}


def begin(store: Store, entity: Entity = PEOPLE, holder: str = "the test") -> Scene:
    """Store a new connection that maps into a table of its own, make the table, and begin a run."""
    ids = [new_id() for _ in range(5)]
    company, provider = Company(ids[0], f"Acme {ids[0]}"), IntegrationProvider(ids[1], f"CRM {ids[1]}")
    connection = CompanyIntegration(ids[2], f"Acme CRM {ids[2]}", company.id, provider.id)
    entity = evolve(entity, id=entity.id or ids[3], name=f"{entity.name} {ids[3]}", table=f"{entity.table}_{ids[3][-12:]}")
    store.ensure(entity)
    store.save([company, entity, provider, connection])
    return beside(store, connection, evolve(store.reflect(entity), origin="Created"), holder)


def beside(store: Store, connection: CompanyIntegration, entity: Entity, holder: str = "the test") -> Scene:
    """Begin a run of a new entity map of a connection."""
    entity_map = EntityMap("people", entity, company_integration_id=connection.id, id=new_id())
    run = IntegrationRun(new_id(), connection.id, "Pull", "Running", START)
    detail = IntegrationRunDetail(new_id(), run.id, entity_map.id, "Running", START)
    store.save([entity_map, run, detail])
    context = SyncContext(run.id, connection.name, "Acme", entity_map, "Pull", "Manual", START, connection.id)
    return Scene(store, connection, run, context, store.acquire(connection, holder, HOUR, lambda _: False))


def another(store: Store, scene: Scene, holder: str = "another") -> Scene:
    """Begin a run of another connection that maps into the same entity."""
    ids = [new_id() for _ in range(3)]
    company, provider = Company(ids[0], f"Beta {ids[0]}"), IntegrationProvider(ids[1], f"ERP {ids[1]}")
    connection = CompanyIntegration(ids[2], f"Beta ERP {ids[2]}", company.id, provider.id)
    store.save([company, provider, connection])
    return beside(store, connection, scene.entity, holder)
