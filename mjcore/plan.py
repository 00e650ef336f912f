"""What a sync would do: the real pipeline on a store that keeps all writes to itself. Told as it goes, and kept in a file."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from attrs import define, evolve, field, frozen

from mjcore.apply import effect, proposal
from mjcore.cancel import never
from mjcore.deletion import TooManyDeletes, guard
from mjcore.errors import ConfigError
from mjcore.ids import new_id
from mjcore.models import Entity, EntityMap, RunRequest, SyncContext
from mjcore.ordering import layers
from mjcore.overlay import OverlayStore
from mjcore.planfile import PlanWriter, position_to_json
from mjcore.progress import ProgressListener, ignore
from mjcore.proposed import ProposedStore
from mjcore.records import JSON, BatchWrite, Conflict, Counts, Fields, Position, RowChange, RowKey, Watermark
from mjcore.results import MapResult, SyncResult
from mjcore.running import new_run
from mjcore.scratch import Scratch
from mjcore.standins import named
from mjcore.store import Store
from mjcore.stored import load_connections
from mjcore.sync import Run
from mjcore.wire import unstructure

if TYPE_CHECKING:
    from mjcore.document import Raw
    from mjcore.kernel import Kernel

T = TypeVar("T")


@frozen
class PlannedChange:
    """One row that would be written, or one conflict that would be queued: `old` is the row's, `new` the source's."""

    kind: Literal["create", "update", "delete", "conflict"]
    external_object_name: str
    entity: str
    external_id: str
    key: RowKey
    """`()`: the database will make it; `Planned` stands for it in what is written later."""
    rule: str
    """How the row was found: `link`, the match strategy's name, `none` for a create."""
    old: Fields
    new: Fields


@frozen
class Window:
    """What would be read: from `since` (None: from the beginning) to `until` (None: all that there is)."""

    since: Watermark | None
    until: Watermark | None
    is_full: bool


@frozen
class PlanResult:
    """What a sync would do. Only the file of a `Completed` plan can be applied."""

    connection: str
    status: Literal["Completed", "Failed", "Cancelled"]
    counts: Counts
    maps: tuple[MapResult, ...]
    windows: Mapping[str, Window]
    """By external object name."""
    error: str | None = None


class InOrder:
    """An `Executor` of one thread: what a plan decides does not depend on which map is quicker."""

    def run(self, requests: Sequence[RunRequest], runner: Callable[[RunRequest], SyncResult]) -> Iterator[SyncResult]:
        return map(runner, requests)

    def gather(self, tasks: Sequence[Callable[[], T]]) -> Sequence[T]:
        return [task() for task in tasks]


@frozen
class Planner:
    """Tells what a sync would do, change by change, and keeps it in the file at `path`, for `Kernel.sync` to apply.

    All deletes are planned; applying them asks for a person's word, as a sync does. With `documents`, metadata that is not
    applied, it tells what a sync would do once it is; its file can be applied after them. Raises as `Kernel.sync` does, and
    `ConfigError` with every problem of the documents.
    """

    kernel: "Kernel"

    def __call__(  # noqa: PLR0913 - the options of one command
        self,
        connection: str,
        *documents: "Raw",
        maps: Sequence[str] = (),
        full: bool = False,
        since: datetime | None = None,
        remap: bool = False,
        path: Path | None = None,
        listener: Callable[[PlannedChange], None] = lambda _: None,
        progress: ProgressListener = ignore,
        cancel: Callable[[], bool] = never,
    ) -> PlanResult:
        begin = since.isoformat() if since else None
        request = RunRequest(connection, tuple(maps), full=full, since=begin, mode="remap" if remap else "sync")
        kernel = self.kernel
        store = cast("Store", ProposedStore(kernel.store, proposal(kernel, documents))) if documents else kernel.store
        return _plan(kernel, store, request, path, listener, progress, cancel)


def _plan(
    kernel: "Kernel",
    real: Store,
    request: RunRequest,
    path: Path | None,
    listener: Callable[[PlannedChange], None],
    progress: ProgressListener,
    cancel: Callable[[], bool],
) -> PlanResult:
    (metadata,) = load_connections(real, [request.connection])
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="mj-plan-"))
        scratch = stack.enter_context(closing(kernel.store_types["sqlite"].open(f"sqlite:///{folder}/plan.db")))
        scratch.migrate()
        file = stack.enter_context(closing(_opened(path))) if path else None
        entities = {m.entity.name: m.entity for m in metadata.entity_maps}
        recorder = Recorder(listener, file, entities)
        store = recorder.store = OverlayStore(real, Scratch(scratch), recorder.tell)
        request = evolve(request, run_id=new_id())
        planned = new_run(kernel, metadata, evolve(request, allow_deletes=True), progress, cancel)
        run = evolve(planned, store=store, executor=InOrder(), is_dry_run=True)
        if file:
            file.header(header(planned, request))
        source = stack.enter_context(closing(kernel.open(metadata, cancel)))
        result = run.execute(source)
        held_back = recorder.held_back()
        if file and result.status == "Completed":
            file.footer(
                {"maps": {of: list(facts) for of, facts in recorder.deletes().items()}, "counts": result.counts.as_tuple()}
            )
    maps = tuple(evolve(m, notes=(*m.notes, *held_back.get(m.external_object_name, ()))) for m in result.maps)
    return PlanResult(result.connection, result.status, result.counts, maps, recorder.windows, result.error)


def _opened(path: Path) -> PlanWriter:
    try:
        return PlanWriter.open(path)
    except OSError as error:
        raise ConfigError(f"plan {path}: {error.strerror}") from error


def header(run: Run, request: RunRequest) -> dict[str, JSON]:
    """Return what a plan rests on: the connection, what is asked, and where every entity map of it stands."""
    connection = run.metadata.connection
    in_order = [m.id for layer in layers(run.selected_maps()) for m in layer]
    return {
        "connection": connection.name,
        "connection_id": connection.id,
        "request": unstructure(request),
        "order": in_order,
        "maps": [stands(m, run.stands(m)) for m in run.active_maps()],
    }


def stands(entity_map: EntityMap, position: Position) -> dict[str, JSON]:
    """Return what a plan assumes of an entity map."""
    told: dict[str, JSON] = {"id": entity_map.id, "object": entity_map.external_object_name, "version": entity_map.version}
    mapping = blake2b(json.dumps(effect(entity_map), sort_keys=True).encode(), digest_size=16).hexdigest()
    return {**told, "mapping": mapping, "position": position_to_json(position)}


@define
class Recorder:
    """Is told of every batch before it is written: shows its changes, and puts it into the file."""

    listener: Callable[[PlannedChange], None]
    file: PlanWriter | None
    entities: Mapping[str, Entity]
    """By name."""
    store: OverlayStore = field(init=False)
    windows: dict[str, Window] = field(factory=dict)
    _going: dict[str, int] = field(factory=dict)
    _contexts: dict[str, SyncContext] = field(factory=dict)

    def tell(self, context: SyncContext, write: BatchWrite) -> None:
        of, name = context.entity_map.id, context.entity_map.external_object_name
        self._contexts.setdefault(of, context)
        self._going[of] = self._going.get(of, 0) + sum(link.is_tombstone for link in write.links)
        if write.position.run_id is not None:
            position = write.position
            self.windows.setdefault(name, Window(position.since, position.until, position.is_full))
        write = named(self.store, context.entity, self.entities, write)
        shown: list[RowChange | Conflict] = [*write.changes, *write.conflicts]
        for item in shown:
            self.listener(_shown(context, item))
        if self.file is not None:
            self.file.write(of, write)

    def deletes(self) -> dict[str, tuple[int, int]]:
        """Return, per map that writes, how many links go and how many there were."""
        going = {of: n if self._contexts[of].entity_map.delete_behavior != "DoNothing" else 0 for of, n in self._going.items()}
        return {of: (n, self.store.count_links(self._contexts[of]) + n) for of, n in going.items()}

    def held_back(self) -> dict[str, list[str]]:
        """Return what the guard will say, by external object name."""
        said: dict[str, list[str]] = {}
        for of, facts in self.deletes().items():
            name = self._contexts[of].entity_map.external_object_name
            try:
                guard(name, *facts)
            except TooManyDeletes as error:
                said[name] = [str(error)]
        return said


def _shown(context: SyncContext, item: RowChange | Conflict) -> PlannedChange:
    of = (context.entity_map.external_object_name, context.entity.name, item.external_id, item.key)
    if isinstance(item, Conflict):
        return PlannedChange("conflict", *of, "", item.current, item.source)
    return PlannedChange(item.kind, *of, item.rule, item.old, item.new)
