"""A preview: per record the raw value of each field, then a line per step, then what the column gets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mj_cli.output import plain, shown
from mjcore.models import ConnectionMetadata, TransformStep
from mjcore.preview import FieldTrace, Preview, RecordTrace, StepTrace

Pipelines: TypeAlias = Mapping[str, Sequence[TransformStep]]
"""By destination field."""


def preview_tables(preview: Preview, pipelines: Pipelines) -> list[RenderableType]:
    """Return a heading and a table per record."""
    if not preview.records:
        return [Text(plain(f"{preview.external_object_name} has no records"))]
    return [part for record in preview.records for part in _record(preview, record, pipelines)]


def pipelines_of(connection: ConnectionMetadata, preview: Preview) -> Pipelines:
    """Return those of the entity map that was previewed."""
    identity = (preview.external_object_name, preview.entity)
    entity_map = next(m for m in connection.entity_maps if (m.external_object_name, m.entity.name) == identity)
    return {m.destination_field_name: m.transform_pipeline for m in entity_map.field_maps}


def in_words(step: TransformStep) -> str:
    """Return a step's type and those of its settings that are a word, such as `text trim`; not what it falls back to."""
    chosen = (value for key, value in step.config.items() if not key.startswith("Default"))
    return " ".join([step.type, *(value for value in chosen if isinstance(value, str) and value.strip())])


def _record(preview: Preview, record: RecordTrace, pipelines: Pipelines) -> list[RenderableType]:
    heading = Text.assemble(
        (plain(f"{preview.external_object_name} {record.external_id} → {preview.entity}"), "bold"),
        plain(f"  {record.match}") if record.match else "",
        (plain(f"  {record.error}"), "red") if record.error else "",
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=34)
    grid.add_column(overflow="fold")
    for field in record.fields:
        for name, value in _lines(field, pipelines[field.destination]):
            grid.add_row(name, value)
    return [heading, grid, ""]


def _lines(field: FieldTrace, pipeline: Sequence[TransformStep]) -> Iterator[tuple[Text, Text]]:
    """Yield the raw value, each step's, and the column's; one line does where nothing changes it."""
    raw = Text(plain(shown(field.raw)))
    yield Text(plain(f"{field.source} → {field.destination}")), raw
    for step in field.steps:
        yield Text(plain(f"  {in_words(pipeline[step.index])}"), "cyan"), _outcome(step)
    if field.error:
        yield Text(plain(f"  {field.destination}")), Text(plain(field.error), "red")
    elif field.steps or shown(field.value) != raw.plain:
        yield Text(plain(f"  {field.destination}")), Text(plain(shown(field.value)), "green")


def _outcome(step: StepTrace) -> Text:
    line = Text(plain(shown(step.value)))
    return line.append(f"  {plain(step.error)}", "red") if step.error else line
