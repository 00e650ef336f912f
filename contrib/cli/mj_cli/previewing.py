"""A preview: per record the raw value of each field, then a line per step, then what the column gets."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mj_cli.output import plain, shown
from mjcore.preview import FieldTrace, Preview, RecordTrace, StepTrace


def preview_tables(preview: Preview) -> list[RenderableType]:
    """Return a heading and a table per record."""
    if not preview.records:
        return [Text(plain(f"{preview.external_object_name} has no records"))]
    return [part for record in preview.records for part in _record(preview, record)]


def _record(preview: Preview, record: RecordTrace) -> list[RenderableType]:
    heading = Text.assemble(
        (plain(f"{preview.external_object_name} {record.external_id} → {preview.entity}"), "bold"),
        plain(f"  {record.match}") if record.match else "",
        (plain(f"  {record.error}"), "red") if record.error else "",
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=34)
    grid.add_column(overflow="fold")
    for field in record.fields:
        for name, value in _lines(field):
            grid.add_row(name, value)
    return [heading, grid, ""]


def _lines(field: FieldTrace) -> Iterator[tuple[Text, Text]]:
    """Yield the raw value, each step's, and the column's; one line does where nothing changes it."""
    raw = Text(plain(shown(field.raw)))
    yield Text(plain(f"{field.source} → {field.destination}")), raw
    for step in field.steps:
        yield Text(plain(f"  {step.type}"), "cyan"), _outcome(step)
    if field.error:
        yield Text(plain(f"  {field.destination}")), Text(plain(field.error), "red")
    elif field.steps or shown(field.value) != raw.plain:
        yield Text(plain(f"  {field.destination}")), Text(plain(shown(field.value)), "green")


def _outcome(step: StepTrace) -> Text:
    line = Text(plain(shown(step.value)))
    return line.append(f"  {plain(step.error)}", "red") if step.error else line
