"""Suggestions for one object of one connection, as a metadata document."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from mj_cli.finding import Found
from mj_cli.propose import propose
from mj_cli.suggest import Suggestion, suggest, with_key
from mj_cli.writing import commented, fitting, on_one_line, write
from mjcore.errors import UnknownName
from mjcore.export import brief, connection_entry, map_document
from mjcore.models import Entity, EntityField

MAPS, FIELDS = 10, 6
"""Columns that the lists of field maps and of fields are indented by."""


@frozen
class Suggested:
    """What `mj suggest` prints."""

    found: Found
    object_name: str
    entity: Entity
    is_new: bool
    suggestions: Sequence[Suggestion]

    @property
    def left_over(self) -> list[str]:
        """Fields of the entity that nothing is suggested for."""
        found = {s.field_map.destination_field_name for s in self.suggestions}
        return [f.name for f in targets(self.entity) if f.name not in found]

    @property
    def has_key(self) -> bool:
        """Rows that are there already are found by their values."""
        return "MatchStrategy" in self._entity_map()

    def as_yaml(self) -> str:
        """Return the document with a score and a reason above each field map; a new column needs none."""
        maps = [(brief(s.field_map), "" if self.is_new else f"{s.score}: {s.reason}") for s in self.suggestions]
        fields = [(brief(field), "") for field in self.entity.fields]
        return write(self._document(commented(maps, MAPS), commented(fields, FIELDS)))

    def as_json(self) -> Mapping[str, Any]:
        """Return the document, and the reasons beside it."""
        document = self._document([brief(s.field_map) for s in self.suggestions], [brief(f) for f in self.entity.fields])
        reasons = [
            {"DestinationFieldName": s.field_map.destination_field_name, "Reason": s.reason, "Score": s.score}
            for s in self.suggestions
        ]
        return {"Metadata": document, "Reasons": reasons, "LeftOver": self.left_over}

    def _document(self, field_maps: Any, fields: Any) -> dict[str, Any]:
        entity = {"Name": self.entity.name, "Table": self.entity.table, "Fields": fields}
        connection = {**self._connection(), "EntityMaps": [{**self._entity_map(), "FieldMaps": field_maps}]}
        companies = [on_one_line({"Name": self.found.connection.company.name})]
        return {"Companies": companies, **({"Entities": [entity]} if self.is_new else {}), "Connections": [connection]}

    def _connection(self) -> dict[str, Any]:
        """Return all settings: `apply` takes those that are left out for unset."""
        metadata = self.found.connection
        entry = connection_entry(metadata.connection, [metadata.company], [metadata.provider], self.found.templates)
        return {key: value for key, value in brief(entry).items() if key != "ID"}

    def _entity_map(self) -> dict[str, Any]:
        """Return the settings that there are, or else those that the keys ask for."""
        metadata = self.found.connection
        identity = (self.object_name, self.entity.name)
        same = (m for m in metadata.entity_maps if (m.external_object_name, m.entity.name) == identity)
        if mapped := next(same, None):
            settings = map_document(mapped, metadata.connection, None) or {}
            shown = {key: value for key, value in settings.items() if key != "ID"}
            return {k: fitting(v, MAPS + len(k)) if isinstance(v, Mapping) else v for k, v in shown.items()}
        keys = [s.field_map.destination_field_name for s in self.suggestions if s.field_map.is_key_field]
        strategy = {"Strategy": "KeyFields", "KeyFields": keys}
        matching = {"MatchStrategy": fitting(strategy, MAPS + len("MatchStrategy"))} if keys else {}
        return {"ExternalObjectName": self.object_name, "Entity": self.entity.name, **matching}


def suggestions(
    found: Found,
    object_name: str,
    entity: str | None,
    *,
    everything: bool = False,
) -> Suggested:
    """Return what is suggested for an entity, or for a new one. `UnknownName` for an object or an entity that is none."""
    kernel, connection = found.kernel, found.connection
    objects = {o.name: o for o in kernel.discover_objects(connection)}
    if object_name not in objects:
        raise UnknownName(f"object of {connection.name!r}", object_name, objects)
    fields = kernel.discover_fields(connection, object_name)
    defaults = kernel.provider_types[connection.provider.name].default_field_maps.get(object_name, ())
    if entity is not None:
        known = {e.name: e for e in found.entities}
        if entity not in known:
            raise UnknownName("entity", entity, known)
        return Suggested(found, object_name, known[entity], False, suggest(fields, targets(known[entity]), defaults))
    held = {m.external_object_name: m.entity.name for m in connection.entity_maps}
    proposed, maps = propose(objects[object_name], fields, defaults, held, everything=everything)
    own = {(d.source_field_name, d.destination_field_name) for d in defaults}
    reasons = [
        "the provider's default" if (m.source_field_name, m.destination_field_name) in own else "a new column for it"
        for m in maps
    ]
    made = [Suggestion(m, reason, 100) for m, reason in zip(maps, reasons, strict=True)]
    return Suggested(found, object_name, proposed, True, with_key(made, fields))


def targets(entity: Entity) -> list[EntityField]:
    """Return the fields that a source may fill: not those that the engine keeps itself."""
    kept = {entity.soft_delete_field, entity.updated_at_field}
    kept |= set(entity.primary_key) if entity.key_origin != "mapped" else set()
    return [f for f in entity.fields if f.name not in kept]
