"""The run of one connection: lease, entity maps in dependency order, and what is recorded about them."""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from mjcore.batch import Batches, TooManyFailures
from mjcore.cancel import Stop
from mjcore.capabilities import Executor, Matcher, MatchType, ProviderType, Source, Store, TransformType
from mjcore.decision import Decider
from mjcore.deletion import TooManyDeletes
from mjcore.drift import DriftNote
from mjcore.errors import ConfigError, LeaseLost, MJError, NotSupported, UnknownName
from mjcore.heartbeat import LEASE, kept
from mjcore.holder import is_gone, this_process
from mjcore.mapping import compile_mapping
from mjcore.matching import MATCH_KEYS, MatchRules
from mjcore.models import (
    ConnectionMetadata,
    EntityMap,
    IntegrationRun,
    RunRequest,
    SyncContext,
)
from mjcore.ordering import layers
from mjcore.precedence import Precedence
from mjcore.progress import ProgressListener
from mjcore.pull import Pull
from mjcore.recording import Recorder, is_done, result_of
from mjcore.records import Lease, Position
from mjcore.references import References
from mjcore.registry import Registry
from mjcore.results import MapResult, SyncResult
from mjcore.retry import Patience
from mjcore.secondpass import SecondPass
from mjcore.stages import Stages
from mjcore.versions import Versions
from mjcore.wire import structure

if TYPE_CHECKING:
    from mjcore.replay import Replay

LOG = logging.getLogger("mjcore")
MAP_ONLY = (NotSupported, ConfigError, UnknownName, TooManyFailures, TooManyDeletes)
"""What stops one entity map; anything else stops the run."""


@define
class Run:
    """Runs one request. The lease is held while it runs; what it did is recorded whatever ends it."""

    metadata: ConnectionMetadata
    request: RunRequest
    store: Store
    stages: Stages
    executor: Executor
    provider: ProviderType[Any, Any]
    transform_types: Registry[TransformType[Any]]
    match_types: Registry[MatchType[Any]]
    now: Callable[[], datetime]
    progress: ProgressListener
    cancel: Callable[[], bool]
    patience: Patience
    is_dry_run: bool = False
    replay: "Replay | None" = None
    """Where what is written comes from, instead of the source: a plan."""
    faults: list[Exception] = field(factory=list)
    """What stopped the run, or an entity map of it."""
    drift: list[str] = field(factory=list)
    """Notes about fields of the source that have changed."""

    def execute(self, source: Source) -> SyncResult:
        """Run. Raises `UnknownName`, `LeaseHeld` and `LeaseLost`; every other failure is in the result."""
        entity_maps = self.selected_maps()
        lease = self.store.acquire(self.metadata.connection, this_process(), LEASE, is_gone)
        self.cancel = Stop(self.store, lease, self.cancel)
        with kept(self.store, lease):
            if self.replay is not None:
                self.replay.check(self)
            recorder = Recorder(self.store, self.metadata.connection, lease, self.now)
            run = recorder.begin(self.request)
            results: list[MapResult] = []
            error: Exception | None = None
            for layer in layers(entity_maps):
                ended = self.executor.gather([partial(self._one, recorder, run, m, source) for m in layer])
                results += [result for result, _ in ended]
                error = next((e for _, e in ended if e is not None), None)
                if error is not None:
                    break
            result = recorder.end(run, results, error or self._second_pass(run, source, lease))
            if results:
                last = self.metadata.entity_maps[-1]
                self.stages.tell("mj_run_finished", context=self._context(run, last), result=result)
            return result

    def _second_pass(self, run: IntegrationRun, source: Source, lease: Lease) -> MJError | None:
        """Write references whose rows came after them, of every map of the connection; return what stopped it."""
        try:
            for entity_map in self.active_maps():
                if self.replay is None and next(iter(self.store.unresolved(self._context(run, entity_map))), None) is None:
                    continue
                with closing(self._pull(run, entity_map, source, lease)) as pull:
                    self.replay.run(pull.batches) if self.replay else SecondPass(pull.batches).run()
        except LeaseLost:
            raise
        except MJError as error:
            self.faults.append(error)
            return error
        return None

    def active_maps(self) -> list[EntityMap]:
        return [m for m in self.metadata.entity_maps if m.sync_enabled and m.status == "Active" and m.sync_direction != "Push"]

    def selected_maps(self) -> list[EntityMap]:
        active = self.active_maps()
        names = {name for m in active for name in (m.external_object_name, m.id)}
        for name in self.request.maps:
            if name not in names:
                raise UnknownName(f"entity map of {self.metadata.name!r}", name, [m.external_object_name for m in active])
        wanted = set(self.request.maps)
        return [m for m in active if not wanted or {m.external_object_name, m.id} & wanted]

    def stands(self, entity_map: EntityMap) -> Position:
        """Return where an entity map stands."""
        return self.store.position(SyncContext("", "", "", entity_map, self.request.direction, "Manual", self.now()))

    # --- one entity map -----------------------------------------------------------------------------

    def _one(
        self, recorder: Recorder, run: IntegrationRun, entity_map: EntityMap, source: Source
    ) -> tuple[MapResult, Exception | None]:
        """Pull one entity map; return what it did, and the error that stops the whole run, if any."""
        detail = recorder.detail(run, entity_map, self.store.position(self._context(run, entity_map)))
        if is_done(detail):
            return result_of(entity_map, detail), None
        fault: Exception | None = None
        pull: Pull | None = None
        try:
            pull = self._pull(run, entity_map, source, recorder.lease)
            self.stages.tell("mj_run_started", context=pull.context)
            self.replay.run(pull.batches) if self.replay else pull.run()
        except LeaseLost:
            raise
        except MJError as error:
            fault = error
        except Exception as error:
            LOG.exception("%s: %s failed", self.metadata.name, entity_map.external_object_name)
            fault = MJError(f"{type(error).__name__}: {error}")
        finally:
            if pull is not None:
                pull.close()
        errors = tuple(pull.batches.errors) if pull else ()
        watermark = pull.batches.position.watermark if pull else None
        notes = [*(pull.notes if pull else ()), *self.stages.noted.taken(run.id, entity_map.external_object_name)]
        self.faults += [fault] if fault else []
        self.drift += [f"{entity_map.external_object_name}: {note}" for note in notes if isinstance(note, DriftNote)]
        detail = recorder.close(detail, fault, errors, [str(note) for note in notes], watermark)
        return result_of(entity_map, detail, errors), None if isinstance(fault, MAP_ONLY) else fault

    def _pull(self, run: IntegrationRun, entity_map: EntityMap, source: Source, lease: Lease) -> Pull:
        context = self._context(run, entity_map)
        plan = compile_mapping(entity_map, self.transform_types)
        rules, matcher = self._matcher(entity_map)
        references = References.of(self.store, context, [c.name for c in plan.columns], self.metadata.entity_maps)
        versions = Versions(self.store, entity_map, self.transform_types)
        precedence = Precedence.of(self.store, entity_map)
        decider = Decider(context, plan, matcher, rules, self.stages, self.store, self.now, references, versions, precedence)
        batches = Batches(context, plan, self.stages, self.store, lease, self.store.position(context), decider, references)
        batches.is_repair = self.request.mode == "repair"
        batches.has_staged = next(iter(self.store.staged_deletes(context)), None) is not None
        batches.has_failed = next(iter(self.store.failed(context)), None) is not None
        batches.has_conflicts = next(iter(self.store.conflicts(entity_map_id=entity_map.id)), None) is not None
        batches.has_unresolved = next(iter(self.store.unresolved(context)), None) is not None
        return Pull(context, self.request, self.provider, source, batches, self.patience, self.now, self.progress)

    def _matcher(self, entity_map: EntityMap) -> tuple[MatchRules, Matcher | None]:
        strategy = entity_map.match_strategy
        rules = structure(MatchRules, {key: strategy[key] for key in MATCH_KEYS if key in strategy})
        if rules.strategy is None:
            return rules, None
        kind = self.match_types[rules.strategy]
        config = structure(kind.config, {key: value for key, value in strategy.items() if key not in MATCH_KEYS})
        return rules, kind.compile(config, entity_map)

    def _context(self, run: IntegrationRun, entity_map: EntityMap) -> SyncContext:
        if self.request.mode == "repair":
            entity_map = evolve(entity_map, conflict_resolution="SourceWins")
        return SyncContext(
            run.id,
            self.metadata.name,
            self.metadata.company.name,
            entity_map,
            self.request.direction,
            self.request.trigger,
            run.started_at,
            self.metadata.connection.id,
            is_full=self.request.full,
            is_dry_run=self.is_dry_run,
            is_cancelled=self.cancel,
        )
