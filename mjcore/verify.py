"""Compares what the source has with what the rows hold, record by record; writes nothing, or re-asserts the source."""

import sqlite3
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Literal, cast

from attrs import define, evolve, field, frozen

from mjcore.batch import Delivery
from mjcore.cancel import never
from mjcore.capabilities import Source
from mjcore.chunks import chunks
from mjcore.compare import same
from mjcore.drift import Drift
from mjcore.errors import ConfigError, UnknownName
from mjcore.mapping import MappingPlan, compile_mapping
from mjcore.models import ConnectionMetadata, ExternalSchema, SyncContext
from mjcore.precedence import Precedence
from mjcore.progress import Progress, ProgressListener, ignore
from mjcore.records import Counts, ExternalRecord, FetchRequest, Fields, Link, MappedRecord, Page, RecordError, RowKey, Value
from mjcore.references import References
from mjcore.restored import restored
from mjcore.retry import Cancelled, Repeater
from mjcore.schema import ExternalField
from mjcore.store import Store
from mjcore.window import Pages

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

BATCH = 1000
BACK = "the source has deleted the record, and the row is there again"
SEEN = "SELECT 1 FROM seen WHERE id = ?"
Kind = Literal["missing", "different", "extra", "failed"]


@frozen
class Difference:
    """`missing`: the record has no row. `different`: fields differ. `extra`: a linked row whose record is gone. `failed`: the
    record cannot be mapped."""

    kind: Kind
    external_object_name: str
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
    is_whole: bool = True
    """False: it was stopped, so that the rest is unknown."""

    @property
    def is_equal(self) -> bool:
        return not any(self.counts.values())

    def note(self, differences: Sequence[Difference]) -> None:
        for difference in differences:
            self.counts[difference.kind] += 1
        self.first += differences[: max(0, 100 - len(self.first))]


@define
class Watch:
    """Who is told of one entity map while it is compared, and who may stop that."""

    context: SyncContext
    listener: Callable[[Difference], None]
    progress: ProgressListener
    cancel: Callable[[], bool]
    read: int = 0
    total: int | None = None
    began: float = field(factory=time.monotonic)

    def check(self) -> None:
        """Raise `Cancelled` when asked to stop."""
        if self.cancel():
            raise Cancelled("cancelled")

    def tell(self, page: Page | None, differences: Sequence[Difference]) -> None:
        for difference in differences:
            self.listener(difference)
        if page is not None:
            self.total = page.total if self.total is None else self.total
            self.read += len(page.records) + len(page.errors)
            self.wait("")

    def wait(self, waiting: str) -> None:
        of, seconds = self.context, time.monotonic() - self.began
        names = (of.connection, of.entity_map.external_object_name, of.entity.name)
        self.progress(Progress("", *names, Counts(self.read), self.total, seconds, waiting))


@frozen
class Verification:
    """Compares the records of one entity map with their rows."""

    context: SyncContext
    plan: MappingPlan
    references: References
    precedence: Precedence
    store: Store

    def run(self, pages: Iterator[Page], found: Verified, watch: "Watch") -> Verified:
        """Compare every page, then tell which live links were not delivered. Ids are kept on disk, not in memory."""
        with closing(sqlite3.connect("")) as seen, suppress(Cancelled):
            found.is_whole = False
            seen.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
            for page in pages:
                watch.check()
                delivery = Delivery.of([page])
                live = [record for record in delivery.records if not record.is_deleted]
                seen.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(record.external_id,) for record in live])
                differences = self.compare(live)
                differences += [self._failed(error) for error in delivery.errors]
                found.records += len(live)
                found.equal += len(live) - len(differences) + len(delivery.errors)
                found.note(differences)
                watch.tell(page, differences)
            for links in chunks(self.store.live_links(self.context), BATCH):
                watch.check()
                gone = [link for link in links if not seen.execute(SEEN, (link.external_id,)).fetchone()]
                differences = [self._difference("extra", link.external_id, link.key) for link in gone]
                found.note(differences)
                watch.tell(None, differences)
            for links in chunks(restored(self.store, self.context), BATCH):
                watch.check()
                differences = [self._difference("extra", link.external_id, link.key, reason=BACK) for link in links]
                found.note(differences)
                watch.tell(None, differences)
            found.is_whole = True
        return found

    def _difference(self, kind: Kind, external_id: str, key: RowKey = (), **facts: Any) -> Difference:
        return Difference(kind, self.context.entity_map.external_object_name, external_id, key, **facts)

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
        return self._difference("failed", error.external_id or "", reason=error.message)

    def _one(self, record: MappedRecord, link: Link | None, row: Fields | None, taken: Collection[str]) -> Difference | None:
        external_id = record.source.external_id
        if link is None or link.is_tombstone or row is None:
            return self._difference("missing", external_id, link.key if link else ())
        entity = self.context.entity
        if entity.soft_delete_field and row.get(entity.soft_delete_field) not in (None, False):
            return self._difference("missing", external_id, link.key, reason="the row is marked as deleted")
        differing = tuple(
            (name, value, row.get(name))
            for name, value in record.values.items()
            if name not in taken and not same(entity.field(name), value, row.get(name))
        )
        return self._difference("different", external_id, link.key, fields=differing) if differing else None


@frozen
class Verify:
    """Reads the whole source and compares, entity map by entity map. Raises `ProviderError`, and `UnknownName` as a sync does.

    `cancel` is asked between pages: what was found by then is returned, and a map that was begun is not `is_whole`.
    """

    kernel: "Kernel"

    def __call__(
        self,
        connection: str,
        *,
        maps: Sequence[str] = (),
        listener: Callable[[Difference], None] = lambda _: None,
        progress: ProgressListener = ignore,
        cancel: Callable[[], bool] = never,
    ) -> Sequence[Verified]:
        (metadata,) = self.kernel.connections(connection)
        active = [m for m in metadata.entity_maps if m.sync_enabled and m.status == "Active" and m.sync_direction != "Push"]
        known = [m.external_object_name for m in active]
        for name in maps:
            if name not in known:
                raise UnknownName(f"entity map of {connection!r}", name, known)
        verified: list[Verified] = []
        with closing(self.kernel.open(metadata, cancel)) as source:
            for entity_map in (m for m in active if not maps or m.external_object_name in maps):
                of = (metadata.name, metadata.company.name, entity_map)
                context = SyncContext("", *of, "Pull", "Manual", self.kernel.now(), metadata.connection.id)
                verified.append(_verify_map(self.kernel, metadata, source, Watch(context, listener, progress, cancel)))
                if not verified[-1].is_whole:
                    break
        return verified


def _verify_map(kernel: "Kernel", metadata: ConnectionMetadata, source: Source, watch: Watch) -> Verified:
    store, context, entity_map = kernel.store, watch.context, watch.context.entity_map
    name, found = entity_map.external_object_name, Verified(entity_map.external_object_name, entity_map.entity.name)
    repeat = Repeater(kernel.patience, watch.cancel, watch.wait)
    try:
        until = repeat(lambda: source.high_watermark(name))
        fields = repeat(lambda: kernel.stages.discover_fields(source, name))
    except Cancelled:
        return evolve(found, is_whole=False)
    found.as_of = until.value if until else None
    with closing(compile_mapping(entity_map, kernel.transform_types)) as plan:
        provider = kernel.provider_types[metadata.provider.name]
        if provider.discovers == "schema":
            _check_fields(store, context, plan, fields)
        request = FetchRequest(name, plan.source_fields, None, until, None, provider.page_size)
        batches = iter(Pages(lambda r: repeat(lambda: kernel.stages.fetch(context, source, r)), request, BATCH, 2))
        references = References.of(store, context, [c.name for c in plan.columns], metadata.entity_maps)
        verification = Verification(context, plan, references, Precedence.of(store, entity_map), store)
        with closing(cast("Generator[list[Page]]", batches)):  # the thread that reads ahead ends with it
            return verification.run((page for some in batches for page in some), found, watch)


def _check_fields(store: Store, context: SyncContext, plan: MappingPlan, fields: Sequence[ExternalField]) -> None:
    """Refuse to compare what the source does not have: `ConfigError`, as a sync says it."""
    name = context.entity_map.external_object_name
    known = store.load(ExternalSchema, company_integration_id=context.connection_id, object_name=name)
    if problems := Drift.of(context, known[0] if known else None, fields).problems(plan):
        raise ConfigError(*problems)
