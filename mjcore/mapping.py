"""Field maps and their steps, compiled once per run and applied by column."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from threading import Lock
from typing import Any

from attrs import Factory, define, field, frozen

from mjcore.capabilities import Step, TransformType
from mjcore.compare import content_hashes, plain
from mjcore.errors import ConfigError, MJError, Problem, TransformError
from mjcore.fitting import FitsAll, Fitter, fits_all, fitter, shown
from mjcore.models import Direction, EntityField, EntityMap, FieldMap, OnError, TransformStep
from mjcore.records import ABSENT, JSON, ExternalRecord, Fields, MappedBatch, MappedRecord, Missing, RecordError, Value
from mjcore.registry import Registry
from mjcore.wire import structure

NOTHING = frozenset({type(None), Missing})
"""Types of what is no value."""


@frozen
class CompiledStep:
    """One step of a pipeline, ready to run."""

    type: str
    step: Step
    sees: str
    on_error: OnError

    def takes(self, value: Value) -> bool:
        return (value is not None or self.sees != "values") and (value is not ABSENT or self.sees == "absent")


@frozen
class Column:
    """One compiled field map."""

    field_map: FieldMap
    path: tuple[str, ...]
    steps: tuple[CompiledStep, ...]
    fit: Fitter
    fits_all: FitsAll
    default: Value
    is_required: bool

    @property
    def name(self) -> str:
        return self.field_map.destination_field_name


@frozen
class MappingPlan:
    """Maps whole batches: source records in, entity values and record errors out. `close()` ends what steps opened."""

    entity_map: EntityMap
    columns: tuple[Column, ...]
    source_fields: tuple[str, ...]
    """What to ask the source for: every field that a map or a step reads."""
    _lock: Any = field(init=False, eq=False, repr=False, factory=Lock)
    _mapped: frozenset[str] = field(init=False, eq=False, default=Factory(lambda plan: frozenset(plan.source_fields), True))

    def hashes(self, records: Sequence[ExternalRecord]) -> list[bytes]:
        """Return the content hash of each record's mapped source fields."""
        fields = [record.fields for record in records]
        columns = [[sent.get(name, ABSENT) for sent in fields] for name in self.source_fields]
        return content_hashes(self.entity_map.version, columns or [[None] * len(records)])

    def source_values(self, record: ExternalRecord) -> Mapping[str, JSON]:
        """Return the mapped source fields as JSON, for the link."""
        fields = record.fields
        if fields.keys() <= self._mapped:
            return plain(fields)
        return plain({name: fields[name] for name in self.source_fields if name in fields})

    def __call__(self, records: Sequence[ExternalRecord]) -> MappedBatch:
        with self._lock:  # steps need not bear two threads
            return self._map(records)

    def _map(self, records: Sequence[ExternalRecord]) -> MappedBatch:
        batch = _Mapping(records, [record.fields for record in records])
        columns = [batch.map(column) for column in self.columns]
        names = [column.name for column in self.columns]
        if batch.lacks:
            values = [[(n, v) for n, v in zip(names, row, strict=True) if v is not ABSENT] for row in zip(*columns, strict=True)]
            rows = list(map(dict, values))
        else:
            rows = list(map(dict, map(zip, repeat(names), zip(*columns, strict=True)))) or [{} for _ in records]
        failed = batch.failed
        mapped = [record for i, record in enumerate(map(MappedRecord, records, rows)) if i not in failed]
        return MappedBatch(mapped, [failed[i] for i in sorted(failed)])

    def close(self) -> None:
        for column in self.columns:
            for step in column.steps:
                if close := getattr(step.step, "close", None):
                    close()


# --- Applying --------------------------------------------------------------------------------------


@define
class _Mapping:
    """One batch while it is mapped; `failed` collects, by position, the first error of each record."""

    records: Sequence[ExternalRecord]
    fields: Sequence[Fields]
    failed: dict[int, RecordError] = field(factory=dict)
    lacks: bool = False
    """Some values are absent."""

    def map(self, column: Column) -> list[Value]:
        """Return the column's values."""
        values = read_path(self.fields, column.path)
        ended: set[int] = set()
        for step in column.steps:
            self.run(column, step, values, ended)
        default, required, fit = column.default, column.is_required, column.fit
        present, types = values, set(map(type, values))
        self.lacks |= Missing in types
        if not NOTHING.isdisjoint(types) and default is None and not required:
            present = [value for value in values if value is not None and value is not ABSENT]
            types -= NOTHING
        if column.fits_all(present, types):
            return values
        for i, value in enumerate(values):
            if value is None:
                if default is not None:
                    values[i] = default
                elif required:
                    self.fail(i, "required", f"{column.name}: a value is required, but the source has none")
            elif value is not ABSENT:
                try:
                    values[i] = fit(value)
                except TransformError as error:
                    self.fail(i, "does_not_fit", str(error))
        return values

    def run(self, column: Column, step: CompiledStep, values: list[Value], ended: set[int]) -> None:
        """Apply one step to the values that it sees; a column that raises is run again value by value."""
        if not ended and NOTHING.isdisjoint(map(type, values)):
            indexes: Sequence[int] = range(len(values))
        else:
            indexes = [i for i, value in enumerate(values) if i not in ended and step.takes(value)]
        if not indexes:
            return
        try:
            results = step.step.apply([values[i] for i in indexes], [self.fields[i] for i in indexes])
        except Exception:  # noqa: BLE001 - a plugin's bug in one value is that record's failure: find which
            results = [self.one(column, step, i, values[i], ended) for i in indexes]
        for i, result in zip(indexes, results, strict=True):
            values[i] = result

    def one(self, column: Column, step: CompiledStep, index: int, value: Value, ended: set[int]) -> Value:
        try:
            return step.step.apply([value], [self.fields[index]])[0]
        except Exception as error:  # noqa: BLE001 - see above
            ended.add(index)
            if step.on_error == "Null":
                return None
            if step.on_error == "Fail":
                reason = str(error) if isinstance(error, TransformError) else f"{type(error).__name__}: {error}"
                where = f"{column.field_map.source_field_name} → {column.name}"
                self.fail(index, "transform_failed", f"{where}: step {step.type!r}: {reason}")
            return ABSENT

    def fail(self, index: int, code: str, message: str) -> None:
        record = self.records[index]
        self.failed.setdefault(index, RecordError(record.external_id, "transform", code, message, record.fields))


def read_path(fields: Sequence[Fields], path: tuple[str, ...]) -> list[Value]:
    """Return one source field of every record; a dotted name that is no field itself reaches into nested values."""
    name = path[0] if len(path) == 1 else ".".join(path)
    values = [record.get(name, ABSENT) for record in fields]
    if len(path) > 1 and ABSENT in values:
        values = [_reach(record, path) if value is ABSENT else value for record, value in zip(fields, values, strict=True)]
    return values


def _reach(value: Value, path: Iterable[str]) -> Value:
    for name in path:
        if value is None:
            return None
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


# --- Compiling -------------------------------------------------------------------------------------


@define
class _Compiler:
    types: Registry[TransformType[Any]]
    entity_map: EntityMap
    problems: list[Problem] = field(factory=list)

    def column(self, index: int, field_map: FieldMap) -> Column:
        path = f"FieldMaps[{index}]"
        steps = [self.step(f"{path}.TransformPipeline[{i}]", step) for i, step in enumerate(field_map.transform_pipeline)]
        target = self.entity_map.entity.field(field_map.destination_field_name) or EntityField(
            field_map.destination_field_name, "unknown"
        )
        fit = fitter(target)
        default = self.default(f"{path}.DefaultValue", field_map, fit)
        return Column(
            field_map,
            tuple(field_map.source_field_name.split(".")),
            tuple(step for step in steps if step),
            fit,
            fits_all(target),
            default,
            field_map.is_required or target.is_required,
        )

    def step(self, path: str, step: TransformStep) -> CompiledStep | None:
        try:
            kind = self.types[step.type]
            compiled = kind.compile(structure(kind.config, step.config))
        except ConfigError as error:
            self.problems += [problem.under(f"{path}.Config") for problem in error.problems]
        except MJError as error:
            self.problems.append(Problem(f"{path}.Type", str(error)))
        else:
            return CompiledStep(step.type, compiled, kind.sees, step.on_error)
        return None

    def default(self, path: str, field_map: FieldMap, fit: Fitter) -> Value:
        if field_map.default_value is None:
            return None
        try:
            return fit(field_map.default_value)
        except TransformError as error:
            self.problems.append(Problem(path, f"{shown(field_map.default_value)} does not fit: {error}"))
            return None


def active_field_maps(entity_map: EntityMap, direction: Direction) -> list[FieldMap]:
    """Return the field maps of one direction by priority; of two that write one field the later wins."""
    wanted = {"Pull": ("SourceToDest", "Both"), "Push": ("DestToSource", "Both")}[direction]
    return sorted((m for m in entity_map.field_maps if m.status == "Active" and m.direction in wanted), key=lambda m: m.priority)


def compile_mapping(entity_map: EntityMap, types: Registry[TransformType[Any]], direction: Direction = "Pull") -> MappingPlan:
    """Compile an entity map. `ConfigError` holds every problem, with its path below the entity map."""
    compiler = _Compiler(types, entity_map)
    order = {id(m): i for i, m in enumerate(entity_map.field_maps)}
    columns = tuple(compiler.column(order[id(m)], m) for m in active_field_maps(entity_map, direction))
    if compiler.problems:
        raise ConfigError(*compiler.problems)
    return MappingPlan(entity_map, columns, _source_fields(columns))


def _source_fields(columns: Sequence[Column]) -> tuple[str, ...]:
    """Every name that is read, and of a dotted one its first part too: only the source knows which is a field."""
    names: dict[str, None] = {}
    for column in columns:
        reads = [r for step in column.steps for r in getattr(step.step, "reads", ())]
        for name in [column.field_map.source_field_name, *reads]:
            names[name] = None
            names[name.partition(".")[0]] = None
    return tuple(names)
