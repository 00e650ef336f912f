"""Shapes of data other than contacts: CSV files, and how mjcore is told of them.

A column's first letter is its kind: `n` a whole number, `d` a day, `w` a text of 2 to 8 KB, all others (`id` too) a short text.
"""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

WORDS = 'A long text, with "quotes", commas,\nlines and ordinary words. '
LONG = WORDS * (9000 // len(WORDS) + 1)
ENTITY_TYPES = {"n": "number", "d": "date"}


@frozen
class Shape:
    """`files` is the number of files, tables and entity maps; `share` that of the records asked for which it has."""

    name: str
    columns: tuple[str, ...]
    files: int = 1
    share: float = 1.0

    def records(self, rows: int) -> int:
        """Return how many records each file has."""
        return max(1, int(rows * self.share) // self.files)

    def names(self) -> list[str]:
        """Return the names of the files without suffix, which are those of the tables, too."""
        return [f"items{number:02}" for number in range(self.files)]


def _columns(**counts: int) -> tuple[str, ...]:
    return ("id", *[f"{kind}{number}" for kind, count in counts.items() for number in range(count)])


SHAPES = (
    Shape("100 fields", _columns(t=70, n=20, d=9)),
    Shape("wide text", _columns(t=5, n=1, w=3), share=0.5),
    Shape("50 maps", _columns(t=5, n=2, d=2), files=50),
)


def write(folder: Path, shape: Shape, rows: int) -> None:
    """Write a shape's files into an empty folder."""
    folder.mkdir()
    for number, name in enumerate(shape.names()):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(shape.columns)
            for i in range(shape.records(rows)):
                writer.writerow([str(i), *[_value(column, i + number, k) for k, column in enumerate(shape.columns[1:])]])


def _value(column: str, record: int, place: int) -> str:
    mixed = record * 613 + place * 997
    match column[0]:
        case "n":
            return str(mixed % 100_003)
        case "d":
            return (date(2000, 1, 1) + timedelta(days=mixed % 9000)).isoformat()
        case "w":
            start = mixed % len(WORDS)
            return LONG[start : start + 2000 + mixed % 6001]
    return "" if mixed % 11 == 0 else f"Text {mixed % 9973} of {place}"


def metadata(folder: Path, shape: Shape) -> str:
    """Return the metadata that maps every column to one of the same name."""
    fields: list[dict[str, Any]] = [{"Name": name, "Type": ENTITY_TYPES.get(name[0], "string")} for name in shape.columns]
    fields[0] |= {"MaxLength": 32}
    maps = [{"SourceFieldName": name, "DestinationFieldName": name} for name in shape.columns]
    match = {"Strategy": "ExternalID", "ExternalIDField": "id", "FallbackStrategy": "CreateNew"}
    names = shape.names()
    entity_maps = [
        {"ExternalObjectName": name, "Entity": name.title(), "MatchStrategy": match, "FieldMaps": maps} for name in names
    ]
    connection = {
        "Name": "Bench", "Company": "Bench", "Provider": "Files", "Configuration": {"Folder": str(folder)},
        "EntityMaps": entity_maps,
    }  # fmt: skip
    entities = [{"Name": name.title(), "Table": name, "Fields": fields} for name in names]
    return json.dumps({"Companies": [{"Name": "Bench"}], "Entities": entities, "Connections": [connection]})
