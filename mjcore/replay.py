"""Applies the file of a plan: exactly that, but for records whose rows have moved since, which go to the ledger."""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, fields

from mjcore.batch import ATTEMPTS, Batches
from mjcore.compare import from_json
from mjcore.deletion import DELETE_REFUSED, guard
from mjcore.errors import ConfigError, MJError, RowRefused, RowsMoved
from mjcore.models import Entity, EntityField, EntityMap, RunRequest, Trigger
from mjcore.notices import finished
from mjcore.ordering import layers
from mjcore.plan import InOrder, stands
from mjcore.planfile import PlanReader
from mjcore.progress import ProgressListener
from mjcore.records import ABSENT, BatchWrite, Conflict, Counts, Link, Position, RecordError, RowChange, RowKey, Value
from mjcore.references import held
from mjcore.results import SyncResult
from mjcore.retry import Cancelled
from mjcore.retrying import PLAN_STALE
from mjcore.running import new_run
from mjcore.standins import Planned, deferred, each_key, keys_of, planned_in, references
from mjcore.sync import Run
from mjcore.wire import structure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

STALE = "the row is no longer as the plan assumed; the next run decides anew"


def apply_plan(
    kernel: "Kernel",
    connection: str,
    path: Path,
    progress: ProgressListener,
    cancel: Callable[[], bool],
    *,
    allow_deletes: bool,
    trigger: Trigger,
) -> SyncResult:
    """Apply a plan; see `Kernel.sync`. `ConfigError`: it is of another connection, or no longer what a sync would start from."""
    reader = PlanReader.open(path)
    (metadata,) = kernel.connections(connection)
    if reader.header["connection_id"] != metadata.connection.id:
        told = reader.header["connection"]
        anew = f"before {told!r} was stored; make it anew"
        fault = f"for the connection {told!r}, not for {connection!r}" if told != connection else anew
        raise ConfigError(f"plan {path}: made {fault}")
    request = evolve(structure(RunRequest, reader.header["request"]), run_id=None, allow_deletes=allow_deletes, trigger=trigger)
    with closing(kernel.open(metadata, cancel)) as source, closing(Replay(reader)) as replay:
        run = evolve(new_run(kernel, metadata, request, progress, cancel), executor=InOrder(), replay=replay)
        return finished(kernel, run, run.execute(source))


@define
class Replay:
    """Writes what the plan holds, batch by batch. What it counts is what the plan has counted."""

    reader: PlanReader
    _writes: Generator[tuple[str, BatchWrite]] = field(init=False)
    _next: tuple[str, BatchWrite] | None = field(init=False)
    _lost: set[str] = field(factory=set)
    """Keys of rows that could not be created: nothing may refer to them."""
    _maps: dict[str, EntityMap] = field(factory=dict)
    _entities: dict[str, Entity] = field(factory=dict)
    _stopped: bool = False
    _planned_run: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._planned_run = self.reader.header["request"]["RunID"]
        self._writes = self.reader.writes()
        self._next = next(self._writes, None)

    def check(self, run: Run) -> None:
        """Refuse before anything is written. `ConfigError`: maps have changed or moved; `TooManyDeletes`."""
        header, deletes = self.reader.header, self.reader.end["maps"]
        maps = self._maps = {m.id: m for m in run.active_maps()}
        self._entities = {m.entity.name: m.entity for m in run.metadata.entity_maps}
        in_order = [m.id for layer in layers(run.selected_maps()) for m in layer]
        if [m["id"] for m in header["maps"]] != list(maps) or header["order"] != in_order:
            raise ConfigError(f"plan {self.reader.path}: the entity maps of {run.metadata.name!r} have changed; make it anew")
        for told in header["maps"]:
            entity_map, concerned = maps[told["id"]], told["id"] in deletes or told["id"] in in_order
            if concerned and stands(entity_map, run.stands(entity_map)) != told:
                raise ConfigError(
                    f"plan {self.reader.path}: {told['object']}: {_moved(told, stands(entity_map, run.stands(entity_map)))}"
                )
            if told["id"] in deletes and not run.request.allow_deletes:
                guard(told["object"], *deletes[told["id"]])

    def run(self, batches: Batches) -> None:
        """Write the batches of one map, up to the next one of another map."""
        if self._stopped:
            raise MJError("the plan was not applied any further: an entity map before this one has stopped")
        self._stopped = True
        batches.failure_hint = "too much has moved since the plan was made: make it anew"
        while self._next is not None and self._next[0] == batches.context.entity_map.id:
            if batches.context.is_cancelled():
                raise Cancelled("cancelled; the next run goes on from here")
            planned = self._next[1]
            counted = planned.counts.processed > 0
            position = self._of_run(planned.position, batches.context.run_id)
            write = self._resolved(batches, evolve(planned, position=position), counted=counted)
            self._write(batches, write, counted=counted)
            self._next = next(self._writes, None)
        self._stopped = False

    def _of_run(self, position: Position, run_id: str) -> Position:
        """Return where a map stands, said of this run instead of the plan's."""
        self._planned_run = position.run_id or self._planned_run
        said: dict[str, Any] = {a.name: run_id for a in fields(Position) if getattr(position, a.name) == self._planned_run}
        return evolve(position, **said)

    def close(self) -> None:
        self._writes.close()

    # --- one batch --------------------------------------------------------------------------------------

    def _write(self, batches: Batches, write: BatchWrite, *, counted: bool) -> None:
        for _ in range(ATTEMPTS):
            try:
                batches.write(write)
            except RowsMoved as moved:
                ids = self._moved(batches, write, moved)
                write = self._without(batches, write, ids, PLAN_STALE, STALE, counted=counted)
            except RowRefused as refused:
                self._isolate(batches, write, refused, counted=counted)
                return
            else:
                return
        raise MJError(
            f"{batches.context.entity.table}: rows changed under {ATTEMPTS} attempts to write one batch; nothing was lost"
        )

    def _moved(self, batches: Batches, write: BatchWrite, moved: RowsMoved) -> set[str]:
        """Return the records of rows that have moved, and those that would create what is there by now."""
        keys, ids = set(moved.keys), set()
        for names in {change.unique_on for change in write.changes if change.unique_on}:
            rows = batches.store.read(batches.context.entity, sorted(keys), names)
            taken = {tuple(row[name] for name in names) for row in rows.values()}
            some = [c for c in write.changes if c.unique_on == names]
            ids |= {c.external_id for c in some if tuple(c.new.get(name) for name in names) in taken}
        ids |= {c.external_id for c in write.changes if c.kind != "create" and c.key in keys}
        ids |= {link.external_id for link in write.links if link.is_tombstone and link.key in keys}
        if not ids:
            raise moved
        return ids

    def _isolate(self, batches: Batches, write: BatchWrite, refused: RowRefused, *, counted: bool) -> None:
        """Find by halves what only the database refuses; the second half has all that is no record's own."""
        ids = list(dict.fromkeys(change.external_id for change in write.changes))
        if not ids:
            raise refused
        if len(ids) == 1:
            without = self._without(batches, write, ids, "refused", str(refused), counted=counted)
            self._write(batches, without, counted=counted)
            return
        first = set(ids[: len(ids) // 2])
        changes = [c for c in write.changes if c.external_id in first]
        links = [link for link in write.links if link.external_id in first]
        position = batches.position
        half = BatchWrite(changes, links, (), (), (), Counts(), position, starts_window=write.starts_window)
        self._write(batches, half, counted=counted)
        rest = evolve(
            write,
            changes=[c for c in write.changes if c.external_id not in first],
            links=[link for link in write.links if link.external_id not in first],
            starts_window=False,
        )
        self._write(batches, rest, counted=counted)

    def _without(
        self, batches: Batches, write: BatchWrite, ids: Collection[str], code: str, message: str, *, counted: bool
    ) -> BatchWrite:
        """Return the batch without records that cannot be written as planned: they go to the ledger."""
        links = {link.external_id: link for link in write.links if link.external_id in ids}
        known = {**batches.store.links(batches.context, sorted(ids)), **links}
        gone = [c for c in write.changes if c.external_id in ids]
        self._lost |= {str(c.key[0]) for c in gone if c.kind == "create" and c.key}
        errors = []
        for external_id in sorted(ids):
            link = known.get(external_id)
            raw = None if link is None or link.is_tombstone else {n: from_json(v) for n, v in link.source_values.items()}
            said = DELETE_REFUSED if link is not None and link.is_tombstone and code != PLAN_STALE else code
            errors.append(RecordError(external_id, "persist", said, message, raw))
        queued = {conflict.external_id for conflict in write.conflicts}
        less = Counts()
        for change in gone if counted else ():
            link = links.get(change.external_id)
            is_delete = link is not None and link.is_tombstone
            kind = "conflicted" if change.external_id in queued else "deleted" if is_delete else change.kind + "d"
            less += Counts(errored=1, **{kind: -1})
        left = [link for link in write.links if link.external_id not in ids]
        held = {link.key for link in left}
        return evolve(
            write,
            changes=[c for c in write.changes if c.external_id not in ids],
            links=left,
            held=[key for key in write.held if key in held],
            conflicts=[c for c in write.conflicts if c.external_id not in ids],
            failed=[*write.failed, *errors],
            cleared=[i for i in write.cleared if i not in ids],
            resolved=[i for i in write.resolved if i not in ids],
            settled=[i for i in write.settled if i not in ids],
            counts=write.counts + less,
        )

    # --- keys that the database has made ------------------------------------------------------------------

    def _resolved(self, batches: Batches, write: BatchWrite, *, counted: bool) -> BatchWrite:
        """Return the batch with real keys. A reference to a row that is not there is left to the second pass of a later run."""
        entity = batches.context.entity
        columns = references(entity, self._entities)
        asked = planned_in(write, columns)
        if not asked and not (self._lost and columns):
            return write
        made = keys_of(batches.store, batches.context, self._maps, asked)
        keyed: list[RowChange | Link | Conflict] = [*write.changes, *write.links, *write.conflicts]
        unmade = {item.external_id for item in keyed if asked.intersection(item.key) - made.keys()}
        if unmade:
            write = self._without(batches, write, unmade, PLAN_STALE, STALE, counted=counted)

        def value_of(name: str, value: Value) -> Value:
            if not isinstance(value, Planned):
                return ABSENT if str(value) in self._lost else value
            return held(entity.field(name) or EntityField(name), made[value]) if value in made else ABSENT

        def key_of(key: RowKey) -> RowKey:
            return next((made[part] for part in key if isinstance(part, Planned)), key)

        return deferred(each_key(write, key_of, columns, value_of))


def _moved(told: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return how an entity map differs from what a plan assumed of it."""
    if told["version"] > now["version"]:
        return "planned with a mapping that is not applied; apply its file first (`mj apply FILE`)"
    is_mapping = (told["version"], told["mapping"]) != (now["version"], now["mapping"])
    return f"its {'mapping has changed' if is_mapping else 'watermark has moved'} since the plan was made; make it anew"
