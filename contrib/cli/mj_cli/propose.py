"""A new entity for an external object: its table and columns, from what discovery says. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from mj_cli.suggest import words
from mjcore.models import Entity, EntityField, FieldMap
from mjcore.schema import ExternalField, ExternalObject

ACRONYMS = ("id", "url", "uuid", "sku", "vat")
LONGEST = 63
"""Characters of an identifier that every database keeps."""


def propose(
    external: ExternalObject,
    fields: Sequence[ExternalField],
    defaults: Sequence[FieldMap],
    entities: Mapping[str, str],
    *,
    everything: bool = False,
) -> tuple[Entity, list[FieldMap]]:
    """Return an entity and the field maps that fill it.

    Takes the provider's defaults and the account's own fields; without defaults, or with `everything`, every field.
    `entities`: object name → entity that already holds it, for references. Lists and references to several objects have no
    column.
    """
    known = {field.name: field for field in fields}
    maps = [default for default in defaults if default.source_field_name in known]
    names = {"id"} | {m.destination_field_name.casefold() for m in maps}
    mapped = {m.source_field_name for m in maps}
    everything = everything or not maps
    maps += [
        FieldMap(field.name, _free(_candidates(field), names))
        for field in fields
        if field.name not in mapped and _has_column(field) and (everything or field.is_custom)
    ]
    columns = [_column(m, known[m.source_field_name], entities) for m in maps]
    name = pascal(external.label) or pascal(external.name) or "Records"
    return Entity(name, "_".join(words(name))[:LONGEST], fields=tuple(columns)), maps


def pascal(text: str) -> str:
    """Return the words of a name as one: `first_name` → `FirstName`, `external id` → `ExternalID`."""
    joined = "".join(word.upper() if word in ACRONYMS else word[:1].upper() + word[1:] for word in words(text))
    return joined if joined[:1].isalpha() else ""


def _has_column(field: ExternalField) -> bool:
    return not field.is_list and len(field.references) <= 1


def _candidates(field: ExternalField) -> Iterable[str]:
    base = pascal(field.label)[:LONGEST] or pascal(field.name)[:LONGEST] or "Field"
    yield base
    yield pascal(field.name)[:LONGEST] or base
    yield from (f"{base[: LONGEST - 5]}{n}" for n in range(2, 100_000))


def _free(candidates: Iterable[str], taken: set[str]) -> str:
    """Return the first name that no other column has; letter case does not count in every database."""
    name = next(c for c in candidates if c.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _column(field_map: FieldMap, field: ExternalField, entities: Mapping[str, str]) -> EntityField:
    if field_map.transform_pipeline:
        return EntityField(field_map.destination_field_name)  # what a pipeline makes is text unless a person says more
    column = EntityField(field_map.destination_field_name, field.type, field.max_length)
    if field.type != "reference":
        return column
    entity = entities.get(field.references[0]) if field.references else None
    return evolve(column, entity=entity) if entity else evolve(column, type="string")
