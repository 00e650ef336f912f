"""What discovery returns: the objects and fields of an external system."""

from typing import Literal

from attrs import frozen

FieldType = Literal[
    "string", "number", "boolean", "date", "datetime", "email", "phone", "url", "currency", "percent",
    "enum", "multi_enum", "json", "reference", "file", "unknown",
]  # fmt: skip


@frozen
class ExternalObject:
    """A kind of record, such as `contacts`."""

    name: str
    label: str
    is_custom: bool = False
    supports: frozenset[Literal["create", "read", "update", "delete", "search"]] = frozenset({"read"})
    deletes: Literal["signal", "sweep"] = "sweep"
    """`signal`: fetch returns deleted records. `sweep`: ids are compared after a full read."""
    estimated_count: int | None = None
    description: str = ""


@frozen
class ExternalField:
    """A field of an object, in the vocabulary of `FieldType`."""

    name: str
    label: str
    type: FieldType = "string"
    is_custom: bool = False
    is_required: bool = False
    is_read_only: bool = False
    is_unique: bool = False
    max_length: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    """(value, label)"""
    references: tuple[str, ...] = ()
    """Type `reference`: the object names it may point to; with several, values are `mjcore.records.Reference`."""
    is_list: bool = False
    """Values are tuples: associations to many."""
    group: str | None = None
    description: str = ""
