"""Tables of every type, and values for each."""

import string
from typing import Any

from hypothesis import strategies as st

from mj_testing.strategies.values import texts, values
from mjcore.models import Entity, EntityField
from mjcore.schema import FieldType

TYPES: tuple[FieldType, ...] = (
    "string", "number", "boolean", "date", "datetime", "email", "phone", "url", "currency", "percent", "enum", "multi_enum",
    "json", "unknown",
)  # fmt: skip
AWKWARD_NAMES = (
    "Select",
    "order",
    "group by",
    'a"b',
    "a'b",
    "a`b",
    "a]b",
    "a%sb",
    "a:b",
    "a b",
    "ä",
    "名前",
    "x" * 50,
    "a--b",
    "a;b",
    "a.b",
    "?",
)
"""Names that end a statement early where they are not quoted."""


def names() -> st.SearchStrategy[str]:
    """Names of fields: plain ones, and such as have to be quoted."""
    return st.text(string.ascii_letters, min_size=1, max_size=8) | st.sampled_from(AWKWARD_NAMES)


def entity_fields(*types: FieldType) -> st.SearchStrategy[EntityField]:
    """Fields of these types, or of any."""
    return st.builds(EntityField, names(), st.sampled_from(types or TYPES))


def entities(*types: FieldType, most: int = 4) -> st.SearchStrategy[Entity]:
    """Entities with fields whose names differ, also without regard to case; their key is `id`."""
    columns = st.lists(entity_fields(*types), min_size=1, max_size=most, unique_by=lambda column: column.name.casefold())
    fitting = columns.filter(lambda found: all(column.name.casefold() != "id" for column in found))
    return st.builds(lambda found: Entity("Things", "things", fields=tuple(found)), fitting)


def values_of(kind: FieldType) -> st.SearchStrategy[Any]:
    """Values that may fit a column of this type: most of them do."""
    match kind:
        case "number" | "currency" | "percent":
            return (
                st.decimals(-(10**12), 10**12, places=2) | st.integers(-(2**53), 2**53) | st.sampled_from(["1.50", "-0", "1e5"])
            )
        case "boolean":
            return st.booleans()
        case "date":
            return st.dates()
        case "datetime":
            return st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='microseconds')}+02:00")
        case "json":
            return values()
    return texts()
