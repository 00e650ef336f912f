"""Compares what the source has with what the rows hold, record by record; writes nothing, or re-asserts the source."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Literal

from attrs import define, field, frozen

from mjcore.batch import Delivery
from mjcore.capabilities import Source
from mjcore.compare import same
from mjcore.errors import UnknownName
from mjcore.mapping import MappingPlan, compile_mapping
from mjcore.models import ConnectionMetadata, EntityMap, SyncContext
from mjcore.precedence import Precedence
from mjcore.records import ExternalRecord, FetchRequest, Fields, Link, MappedRecord, Page, RecordError, RowKey, Value
from mjcore.references import References
from mjcore.retry import Repeater
from mjcore.store import Store
from mjcore.window import Pages

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

BATCH = 1000
Kind = Literal["missing", "different", "extra", "failed"]


@frozen
class Difference:
    """`missing`: the record has no row. `different`: fields differ. `extra`: a linked row whose record is gone. `failed`: the
    record cannot be mapped."""

    kind: Kind
    external_id: str
    key: RowKey = ()
    fields: tuple[tuple[str, Value, Value], ...] = ()
    """(name, what the source says, what the row holds)."""
    reason: str = ""


@define
class Verified:
    """What was found in one entity map."""

    external_object_name: str
    entity: str
    as_of: str | None = None
    """The source's time when reading began."""
    records: int = 0
    equal: int = 0
    counts: dict[str, int] = field(factory=lambda: dict.fromkeys(("missing", "different", "extra", "failed"), 0))
    first: list[Difference] = field(factory=list)
    """The first hundred."""

    @property
    def is_equal(self) -> bool:
        return not any(self.counts.values())

    def note(self, differences: Sequence[Difference]) -> None:
        for difference in differences:
            self.counts[difference.kind] += 1
        self.first += differences[: max(0, 100 - len(self.first))]


@frozen
class Verification:
    """Compares the records of one entity map with their rows."""

    context: SyncContext
    plan: MappingPlan
    references: References
    precedence: Precedence
    store: Store

    def run(self, pages: Iterator[Page], found: Verified, listener: Callable[[Difference], None]) -> Verified:
        """Compare every page, then tell which live links were not delivered. Ids are kept on disk, not in memory."""
        with closing(sqlite3.connect("")) as seen:
            seen.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
            for page in pages:
                delivery = Delivery.of([page])
                live = [record for record in delivery.records if not record.is_deleted]
                seen.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(record.external_id,) for record in live])
                differences = self.compare(live)
                differences += [Difference("failed", e.external_id or "", reason=e.message) for e in delivery.errors]
                found.records += len(live)
                found.equal += len(live) - len(differences) + len(delivery.errors)
                self._tell(differences, found, listener)
            for link in self.store.live_links(self.context):
                if not seen.execute("SELECT 1 FROM seen WHERE id = ?", (link.external_id,)).fetchone():
                    self._tell([Difference("extra", link.external_id, link.key)], found, listener)
        return found

    def _tell(self, differences: Sequence[Difference], found: Verified, listener: Callable[[Difference], None]) -> None:
        found.note(differences)
        for difference in differences:
            listener(difference)

    def compare(self, records: Sequence[ExternalRecord]) -> list[Difference]:
        """Return what differs in one page."""
        mapped = self.plan(records)
        resolved, _ = self.references.resolve(mapped.records)
        links = self.store.links(self.context, [record.external_id for record in records])
        entity = self.context.entity
        names = tuple(dict.fromkeys([*(c.name for c in self.plan.columns), *filter(None, [entity.soft_delete_field])]))
        rows = self.store.read(entity, [link.key for link in links.values() if not link.is_tombstone], names)
        taken = self.precedence.taken(list(rows))
        differences = [self._failed(error) for error in mapped.errors]
        for record in resolved:
            link = links.get(record.source.external_id)
            if found := self._one(record, link, rows.get(link.key) if link else None, taken.get(link.key, ()) if link else ()):
                differences.append(found)
        return differences

    def _failed(self, error: RecordError) -> Difference:
        return Difference("failed", error.external_id or "", reason=error.message)

    def _one(self, record: MappedRecord, link: Link | None, row: Fields | None, taken: Collection[str]) -> Difference | None:
        external_id = record.source.external_id
        if link is None or link.is_tombstone or row is None:
            return Difference("missing", external_id, link.key if link else ())
        entity = self.context.entity
        if entity.soft_delete_field and row.get(entity.soft_delete_field) not in (None, False):
            return Difference("missing", external_id, link.key, reason="the row is marked as deleted")
        differing = tuple(
            (name, value, row.get(name))
            for name, value in record.values.items()
            if name not in taken and not same(entity.field(name), value, row.get(name))
        )
        return Difference("different", external_id, link.key, differing) if differing else None


@frozen
class Verify:
    """Reads the whole source and compares, entity map by entity map. Raises `ProviderError`, and `UnknownName` as a sync does."""

    kernel: "Kernel"

    def __call__(
        self,
        connection: str,
        *,
        maps: Sequence[str] = (),
        listener: Callable[[Difference], None] = lambda _: None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> Sequence[Verified]:
        (metadata,) = self.kernel.connections(connection)
        active = [m for m in metadata.entity_maps if m.sync_enabled and m.status == "Active" and m.sync_direction != "Push"]
        known = [m.external_object_name for m in active]
        for name in maps:
            if name not in known:
                raise UnknownName(f"entity map of {connection!r}", name, known)
        with closing(self.kernel.open(metadata, cancel)) as source:
            wanted = [m for m in active if not maps or m.external_object_name in maps]
            return [_verify_map(self.kernel, metadata, m, source, listener, cancel) for m in wanted]


def _verify_map(
    kernel: "Kernel",
    metadata: ConnectionMetadata,
    entity_map: EntityMap,
    source: Source,
    listener: Callable[[Difference], None],
    cancel: Callable[[], bool],
) -> Verified:
    of, store, name = metadata.connection, kernel.store, entity_map.external_object_name
    context = SyncContext("", of.name, metadata.company.name, entity_map, "Pull", "Manual", kernel.now(), of.id)
    repeat = Repeater(kernel.patience, cancel, lambda _: None)
    until = repeat(lambda: source.high_watermark(name))
    with closing(compile_mapping(entity_map, kernel.transform_types)) as plan:
        provider = kernel.provider_types[metadata.provider.name]
        request = FetchRequest(name, plan.source_fields, None, until, None, provider.page_size)
        pages = Pages(lambda r: repeat(lambda: kernel.stages.fetch(context, source, r)), request, BATCH, 2)
        references = References.of(store, context, [c.name for c in plan.columns], metadata.entity_maps)
        verification = Verification(context, plan, references, Precedence.of(store, entity_map), store)
        found = Verified(name, entity_map.entity.name, until.value if until else None)
        return verification.run((page for some in pages for page in some), found, listener)
