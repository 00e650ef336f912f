"""Which source field belongs into which entity field, and why. Pure: the same question has the same answer."""

import re
from collections.abc import Iterable, Sequence

from attrs import evolve, frozen
from rapidfuzz import fuzz

from mjcore.models import EntityField, FieldMap
from mjcore.schema import ExternalField, FieldType

TEXTS: frozenset[FieldType] = frozenset({"string", "email", "phone", "url", "enum", "multi_enum", "file", "unknown"})
NUMBERS: frozenset[FieldType] = frozenset({"number", "currency", "percent"})
ENOUGH = 75
"""Score from which a person would rather keep a suggestion than delete it."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|[^\W\d_]+")


@frozen
class Suggestion:
    """One field map, why it is suggested, and how sure that is (0 to 100)."""

    field_map: FieldMap
    reason: str
    score: int


def suggest(
    source: Sequence[ExternalField], entity: Sequence[EntityField], defaults: Sequence[FieldMap] = ()
) -> list[Suggestion]:
    """Return at most one suggestion per entity field, in the entity's order.

    The provider's defaults come first; then the best pairs of the fields that are left, each used once.
    """
    found = _defaults(source, entity, defaults)
    used = {s.field_map.source_field_name for s in found.values()}
    pairs = [
        (score, target.name, field.name, reason)
        for target in entity
        if target.name not in found
        for field in source
        if field.name not in used
        for score, reason in [rate(field, target)]
        if score >= ENOUGH
    ]
    for score, destination, name, reason in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        if destination not in found and name not in used:
            found[destination] = Suggestion(FieldMap(name, destination), reason, score)
            used.add(name)
    return with_key([found[target.name] for target in entity if target.name in found], source)


def rate(field: ExternalField, target: EntityField) -> tuple[int, str]:
    """Return how well a source field suits an entity field, 0 to 100, and why."""
    doubt = _doubt(field, target.type)
    if doubt is None:
        return 0, f"{field.type} does not fit {target.type}"
    likeness, alike = max((_likeness(text, target.name), text) for text in (field.label, field.name))
    how = "is the field's name" if likeness == 100 else "is like the field's name"
    types = f"both {target.type}" if field.type == target.type else f"{field.type} into {target.type}"
    return max(0, likeness - doubt), f"{alike!r} {how}, {types}"


def words(text: str) -> list[str]:
    """Return the words of a name: `firstName`, `first_name` and `First Name` are the same two."""
    return [word.casefold() for word in WORD.findall(text)]


def _likeness(text: str, name: str) -> int:
    ours, theirs = words(text), words(name)
    if not ours or not theirs:
        return 0
    written = fuzz.ratio("".join(ours), "".join(theirs))
    ordered = fuzz.token_sort_ratio(" ".join(ours), " ".join(theirs))
    common = set(ours) & set(theirs)
    shared = 60 + 40 * len(common) / len(set(ours) | set(theirs)) if common in (set(ours), set(theirs)) else 0
    return int(max(written, ordered, shared))


def _doubt(field: ExternalField, target: FieldType) -> int | None:
    """Return what the types take off the score; None: the values cannot fit."""
    if field.is_list:
        return 0 if target == "json" else None
    if field.type == target or {field.type, target} <= NUMBERS:
        return 0
    if {field.type, target} <= TEXTS:
        return 5
    if target == "string" and field.type != "json":
        return 10
    if field.type in ("string", "unknown") and target != "reference":
        return 15  # text that has to read as a number, a date …
    return None


def _defaults(
    source: Iterable[ExternalField], entity: Iterable[EntityField], defaults: Iterable[FieldMap]
) -> dict[str, Suggestion]:
    known = {field.name for field in source}
    targets = {"".join(words(target.name)): target.name for target in entity}
    found: dict[str, Suggestion] = {}
    for default in defaults:
        destination = targets.get("".join(words(default.destination_field_name)))
        if destination is not None and default.source_field_name in known and destination not in found:
            found[destination] = Suggestion(evolve(default, destination_field_name=destination), "the provider's default", 100)
    return found


def with_key(suggestions: list[Suggestion], source: Iterable[ExternalField]) -> list[Suggestion]:
    """Make the first field that is unique in the source the key, where none is one yet."""
    if any(s.field_map.is_key_field for s in suggestions):
        return suggestions
    unique = {field.name for field in source if field.is_unique}
    first = next((s for s in suggestions if s.field_map.source_field_name in unique), None)
    return [_as_key(s) if s is first else s for s in suggestions]


def _as_key(suggestion: Suggestion) -> Suggestion:
    field_map = evolve(suggestion.field_map, is_key_field=True)
    return evolve(suggestion, field_map=field_map, reason=f"{suggestion.reason}; unique in the source")
