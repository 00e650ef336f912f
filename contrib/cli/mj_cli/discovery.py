"""Objects and fields of a source, as tables."""

from collections.abc import Sequence

from rich.console import RenderableType

from mj_cli.output import table
from mjcore.schema import ExternalField, ExternalObject

DELETES = {"signal": "reported", "sweep": "found by full reads"}


def objects_table(objects: Sequence[ExternalObject]) -> RenderableType:
    """Return a line per object; columns that no object fills stay out."""
    columns = {
        "Object": [o.name for o in objects],
        "Label": [o.label for o in objects],
        "Kind": ["custom" if o.is_custom else "" for o in objects],
        "Deletes": [DELETES[o.deletes] for o in objects],
        "Records": [_count(o.estimated_count) for o in objects],
    }
    said = {name: cells for name, cells in columns.items() if any(cells) or name == "Object"}
    return table(list(said), list(zip(*said.values(), strict=True)), numbers=["Records"])


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
