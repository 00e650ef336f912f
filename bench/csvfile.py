"""A file of people, and how mjcore and a bare script are told of it."""

from pathlib import Path

COLUMNS = ("id", "email", "first", "last", "phone", "city", "country", "amount", "score", "joined")
METADATA = """
Companies: [{{Name: Bench}}]
Entities:
  - Name: Person
    Table: person
    Fields:
      - {{Name: id, Type: string, MaxLength: 32}}
{fields}
Connections:
  - Name: Bench
    Company: Bench
    Provider: Files
    Configuration: {{Folder: "{folder}"}}
    EntityMaps:
      - ExternalObjectName: people
        Entity: Person
        MatchStrategy: {{Strategy: ExternalID, ExternalIDField: id, FallbackStrategy: CreateNew}}
        FieldMaps:
{maps}
"""


def write(folder: Path, rows: int, *, bad: bool = False) -> None:
    """Write `people.csv`; of a bad one, every hundredth `amount` is no number."""
    folder.mkdir(exist_ok=True)
    with (folder / "people.csv").open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        for i in range(rows):
            amount = "much" if bad and i % 100 == 0 else f"{i % 9973}.50"
            name = f"First{i % 997},Last{i % 4999}"
            rest = f"City{i % 313},Country{i % 61},{amount},{i % 100},2024-{i % 12 + 1:02}-{i % 28 + 1:02}"
            file.write(f"{i},person{i}@example.test,{name},+1 202-555-{i % 10000:04},{rest}\n")


def metadata(folder: Path) -> str:
    """Return the metadata that maps every column to one of the same name."""
    kinds = {"amount": "number", "score": "number", "joined": "date"}
    fields = "\n".join(f"      - {{Name: {name}, Type: {kinds.get(name, 'string')}}}" for name in COLUMNS[1:])
    maps = "\n".join(f"          - {{SourceFieldName: {name}, DestinationFieldName: {name}}}" for name in COLUMNS)
    return METADATA.format(folder=folder, fields=fields, maps=maps)
