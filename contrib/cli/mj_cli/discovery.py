"""Objects and fields of a source, as tables."""

from collections.abc import Sequence

from rich.console import RenderableType

from mj_cli.output import table
from mjcore.schema import ExternalField, ExternalObject


def objects_table(objects: Sequence[ExternalObject]) -> RenderableType:
    rows = [[o.name, o.label, "custom" if o.is_custom else "", o.deletes, _count(o.estimated_count)] for o in objects]
    return table(["Object", "Label", "Kind", "Deletes", "Records"], rows, numbers=["Records"])


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def fields_table(fields: Sequence[ExternalField]) -> RenderableType:
    return table(["Field", "Label", "Type", "Notes"], [[f.name, f.label, f.type, _notes(f)] for f in fields])


def _notes(field: ExternalField) -> str:
    notes = {
        "custom": field.is_custom,
        "required": field.is_required,
        "read-only": field.is_read_only,
        "unique": field.is_unique,
        "list": field.is_list,
        f"{len(field.options)} options": bool(field.options),
        f"to {' or '.join(field.references)}": bool(field.references),
        f"up to {field.max_length} characters": field.max_length is not None,
    }
    return ", ".join(note for note, holds in notes.items() if holds)
