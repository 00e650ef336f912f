"""The metadata file as parsed YAML or JSON: its classes, and how several files become one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from attrs import define, field

from mjcore.models import ConflictResolution, DeleteBehavior, EntityField, FieldMap, Status, SyncDirection
from mjcore.records import JSON

Raw: TypeAlias = Mapping[str, Any]


def _in_utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC) if instant else None


@define(kw_only=True)
class Entry:
    """What the reader notes of every entry; not on the wire."""

    path: str = field(default="", init=False, eq=False)
    """Where in the file it stands."""
    is_whole: bool = field(default=True, init=False, eq=False)
    """No part of it had to be left out as unreadable."""


@define(kw_only=True)
class CompanyEntry(Entry):
    name: str
    id: str = ""


@define(kw_only=True)
class EntityEntry(Entry):
    """With `fields` the table is created or extended; without, it is taken as it is."""

    name: str
    table: str = ""
    """Default: the name."""
    primary_key: tuple[str, ...] = ()
    key_origin: Literal["uuid", "database", "mapped"] | None = None
    soft_delete_field: str | None = None
    updated_at_field: str | None = None
    fields: tuple[EntityField, ...] | None = None
    id: str = ""


@define(kw_only=True)
class EntityMapEntry(Entry):
    external_object_name: str
    entity: str
    match_strategy: Mapping[str, JSON] = field(factory=dict)
    conflict_resolution: ConflictResolution = "SourceWins"
    delete_behavior: DeleteBehavior = "DoNothing"
    priority: int = 0
    precedence: int = 0
    sync_direction: SyncDirection | None = None
    """Default: the connection's."""
    sync_enabled: bool = True
    external_object_label: str = ""
    initial_since: datetime | None = field(default=None, converter=_in_utc)
    configuration: Mapping[str, JSON] = field(factory=dict)
    status: Status = "Active"
    field_maps: tuple[FieldMap, ...] | None = None
    """A given list is complete; without one, the stored field maps stay."""
    id: str = ""


@define(kw_only=True)
class TemplateEntry(Entry):
    name: str
    provider: str
    entity_maps: tuple[EntityMapEntry, ...] = ()
    id: str = ""


@define(kw_only=True)
class ConnectionEntry(Entry):
    name: str
    company: str
    provider: str
    description: str = ""
    external_system_url: str = ""
    configuration: Mapping[str, JSON] = field(factory=dict)
    auth_configuration: Mapping[str, JSON] = field(factory=dict)
    status: Literal["Active", "Inactive", "Error"] = "Active"
    sync_direction: SyncDirection = "Pull"
    template: str | None = None
    entity_maps: tuple[EntityMapEntry, ...] = ()
    id: str = ""


@define(kw_only=True)
class Document:
    companies: tuple[CompanyEntry, ...] = ()
    entities: tuple[EntityEntry, ...] = ()
    templates: tuple[TemplateEntry, ...] = ()
    connections: tuple[ConnectionEntry, ...] = ()


# --- Merging ---------------------------------------------------------------------------------------


def merge(documents: Sequence[Raw]) -> Raw:
    """Return one document: entries of the same identity become one, in which the later wins key by key.

    `Configuration` and `AuthConfiguration` are merged key by key too; a pipeline or a match strategy is replaced. What is
    malformed is left as it is, for the reader to report.
    """
    merged: Raw = {}
    for document in documents:
        merged = _merge_mappings(merged, document, LISTS)
    return merged


def merge_maps(base: Sequence[tuple[str, Raw]], over: Sequence[tuple[str, Raw]]) -> list[tuple[str, Raw]]:
    """Lay a connection's own entity maps over those of its template. Each comes with its path; an override keeps its own."""
    merged = list(base)
    for path, item in over:
        at = _find(item, [raw for _, raw in base], _is_same_map)
        if at is None:
            merged.append((path, item))
        else:
            merged[at] = (path, _merge_mappings(merged[at][1], item, MAP_LISTS))
    return merged


_Same: TypeAlias = Callable[[Raw, Raw], bool]


def _named(a: Raw, b: Raw) -> bool:
    if a.get("ID") and b.get("ID"):
        return bool(a["ID"] == b["ID"])
    return a.get("Name") is not None and a.get("Name") == b.get("Name")


def _is_same_map(a: Raw, b: Raw) -> bool:
    """An override may leave out the entity."""
    if a.get("ID") and b.get("ID"):
        return bool(a["ID"] == b["ID"])
    mine, other = a.get("Entity"), b.get("Entity")
    return a.get("ExternalObjectName") == b.get("ExternalObjectName") and (mine is None or other is None or mine == other)


def _is_same_field_map(a: Raw, b: Raw) -> bool:
    if a.get("ID") and b.get("ID"):
        return bool(a["ID"] == b["ID"])
    default = "SourceToDest"
    same_direction = a.get("Direction", default) == b.get("Direction", default)
    return same_direction and a.get("DestinationFieldName") == b.get("DestinationFieldName")


_Lists: TypeAlias = Mapping[str, tuple[_Same, "_Lists"]]
"""Which keys hold lists of entries: what makes two entries one, and their lists in turn."""
MAP_LISTS: _Lists = {"FieldMaps": (_is_same_field_map, {})}
LISTS: _Lists = {
    "Companies": (_named, {}),
    "Entities": (_named, {"Fields": (_named, {})}),
    "Templates": (_named, {"EntityMaps": (_is_same_map, MAP_LISTS)}),
    "Connections": (_named, {"EntityMaps": (_is_same_map, MAP_LISTS)}),
}


def _merge_mappings(base: Raw, over: Raw, lists: _Lists) -> Raw:
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        if key in lists and isinstance(before, list | tuple) and isinstance(value, list | tuple):
            merged[key] = _merge_lists(before, value, *lists[key])
        elif key in ("Configuration", "AuthConfiguration") and isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = {**before, **value}
        else:
            merged[key] = value
    return merged


def _merge_lists(base: Sequence[Any], over: Sequence[Any], same: _Same, lists: _Lists) -> list[Any]:
    """Entries of one list never become one with each other: the reader reports them as duplicates."""
    merged = list(base)
    for item in over:
        at = _find(item, base, same)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _merge_mappings(merged[at], item, lists)
    return merged


def _find(item: Any, among: Sequence[Any], same: _Same) -> int | None:
    if not isinstance(item, Mapping):
        return None
    return next((i for i, other in enumerate(among) if isinstance(other, Mapping) and same(other, item)), None)
