"""Sample records through a pipeline, each step's value shown; nothing is written."""

from contextlib import closing
from typing import TYPE_CHECKING

from attrs import frozen

from mjcore.errors import TransformError, UnknownName
from mjcore.mapping import Column, MappingPlan, compile_mapping, read_path
from mjcore.models import ConnectionMetadata
from mjcore.records import ABSENT, ExternalRecord, FetchRequest, Value

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@frozen
class StepTrace:
    """What one step made of the value, or why it failed."""

    type: str
    value: Value
    error: str | None = None
    index: int = 0
    """Which step of the pipeline it is: those that let the value pass by leave no trace."""


@frozen
class FieldTrace:
    """One field map of one record: from the raw value to what the column gets."""

    source: str
    destination: str
    raw: Value
    steps: tuple[StepTrace, ...]
    value: Value
    error: str | None = None


@frozen
class RecordTrace:
    """One sample record; `match` says what a sync would do with it."""

    external_id: str
    fields: tuple[FieldTrace, ...]
    match: str
    error: str | None = None


@frozen
class Preview:
    """What `mj preview` shows."""

    external_object_name: str
    entity: str
    records: tuple[RecordTrace, ...]


def trace(plan: MappingPlan, record: ExternalRecord, match: str) -> RecordTrace:
    """Run one record step by step."""
    fields = tuple(_trace_column(column, record) for column in plan.columns)
    error = next((f.error for f in fields if f.error), None)
    return RecordTrace(record.external_id, fields, match, error)


def _trace_column(column: Column, record: ExternalRecord) -> FieldTrace:
    value = raw = read_path([record.fields], column.path)[0]
    steps: list[StepTrace] = []
    error: str | None = None
    for index, step in enumerate(column.steps):
        if not step.takes(value):
            continue
        try:
            value = step.step.apply([value], [record.fields])[0]
        except Exception as fault:  # noqa: BLE001 - whatever a plugin raises is shown beside its step
            reason = str(fault) if isinstance(fault, TransformError) else f"{type(fault).__name__}: {fault}"
            value = None if step.on_error == "Null" else ABSENT
            error = reason if step.on_error == "Fail" else None
            steps.append(StepTrace(step.type, value, reason, index))
            break
        steps.append(StepTrace(step.type, value, index=index))
    value, misfit = _finish(column, value)
    return FieldTrace(column.field_map.source_field_name, column.name, raw, tuple(steps), value, error or misfit)


def _finish(column: Column, value: Value) -> tuple[Value, str | None]:
    if value is None and column.default is not None:
        return column.default, None
    if value is None or value is ABSENT:
        return value, f"{column.name}: a value is required" if value is None and column.is_required else None
    try:
        return column.fit(value), None
    except TransformError as error:
        return ABSENT, str(error)


def preview(kernel: "Kernel", metadata: ConnectionMetadata, object_name: str, limit: int) -> Preview:
    """Run sample records through an entity map; see `Kernel.preview`."""
    entity_map = next((m for m in metadata.entity_maps if object_name in (m.external_object_name, m.id)), None)
    if entity_map is None:
        known = [m.external_object_name for m in metadata.entity_maps]
        raise UnknownName(f"entity map of {metadata.name!r}", object_name, known)
    plan = compile_mapping(entity_map, kernel.transform_types)
    with closing(kernel.open(metadata)) as source, closing(plan):
        request = FetchRequest(entity_map.external_object_name, plan.source_fields, None, None, None, limit)
        page = source.fetch(request)
        traces = tuple(trace(plan, record, "") for record in page.records[:limit])
    return Preview(entity_map.external_object_name, entity_map.entity.name, traces)
