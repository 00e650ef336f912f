"""The order of entity maps in a run: referenced entities first."""

from collections.abc import Sequence

from mjcore.models import EntityMap


def layers(entity_maps: Sequence[EntityMap]) -> list[list[EntityMap]]:
    """Return entity maps in the order to run them; those of one layer are independent of each other.

    Priority first; within one priority a map waits for those whose entities it refers to, and for those before it that
    write the same entity. A cycle is cut where it is first met.
    """
    ordered: list[list[EntityMap]] = []
    for priority in sorted({m.priority for m in entity_maps}):
        waiting = [m for m in entity_maps if m.priority == priority]
        while waiting:
            layer = [m for i, m in enumerate(waiting) if not _waits(m, waiting, i)] or waiting[:1]
            ordered.append(layer)
            waiting = [m for m in waiting if m not in layer]
    return ordered


def _waits(entity_map: EntityMap, waiting: Sequence[EntityMap], index: int) -> bool:
    written = {m.destination_field_name for m in entity_map.field_maps}
    needs = {f.entity for f in entity_map.entity.fields if f.type == "reference" and f.name in written} - {entity_map.entity.name}
    return any(m.entity.name in needs for m in waiting) or any(m.entity.name == entity_map.entity.name for m in waiting[:index])
