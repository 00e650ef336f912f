"""What a mapped record does to a row: two- and three-way, field by field."""

from datetime import datetime

from attrs import field, frozen

from mjcore.compare import same
from mjcore.models import ConflictResolution, Entity
from mjcore.records import Fields, Value


@frozen
class Merge:
    """`changes` are to be written; `collisions` wait for a person; fields kept as they are appear in neither."""

    changes: dict[str, Value] = field(factory=dict)
    collisions: dict[str, Value] = field(factory=dict)


def merge(
    entity: Entity,
    policy: ConflictResolution,
    source: Fields,
    current: Fields,
    base: Fields | None,
    source_modified: datetime | None,
) -> Merge:
    """Decide each field of one record that has a row.

    `base` is the last source value seen, mapped; without one (None, or without the field) a difference counts as a local
    edit. `MostRecent` compares the record's modified time with the row's `updated_at_field`; without both, the source wins.
    """
    result, column = Merge(), entity.field
    for name, value in source.items():
        now = current.get(name)
        if same(column(name), value, now):
            continue
        if policy == "SourceWins" or not _edited(entity, name, now, base):
            result.changes[name] = value
        elif policy == "MostRecent":
            if is_newer(entity, current, source_modified):
                result.changes[name] = value
        elif policy == "Manual" and not _unmoved(entity, name, value, base):
            result.collisions[name] = value
    return result


def _edited(entity: Entity, name: str, now: Value, base: Fields | None) -> bool:
    return base is None or name not in base or not same(entity.field(name), now, base[name])


def _unmoved(entity: Entity, name: str, value: Value, base: Fields | None) -> bool:
    """The source did not change this field, so only the row did: nothing collides."""
    return base is not None and name in base and same(entity.field(name), value, base[name])


def is_newer(entity: Entity, current: Fields, source_modified: datetime | None) -> bool:
    """Tell whether the source was changed after the row, or it cannot be told."""
    updated = current.get(entity.updated_at_field) if entity.updated_at_field else None
    return updated is None or source_modified is None or source_modified > updated
