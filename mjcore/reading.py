"""Reads a merged document: every malformed entry is reported, and what is readable of it goes on to be checked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from mjcore.document import (
    CompanyEntry,
    ConnectionEntry,
    Document,
    EntityEntry,
    EntityMapEntry,
    Raw,
    TemplateEntry,
    merge_maps,
)
from mjcore.errors import ConfigError, Problem
from mjcore.models import EntityField, FieldMap
from mjcore.wire import structure, unknown_key

PARTS: Mapping[type[Any], Mapping[str, tuple[str, type[Any]]]] = {
    Document: {
        "Companies": ("companies", CompanyEntry),
        "Entities": ("entities", EntityEntry),
        "Templates": ("templates", TemplateEntry),
        "Connections": ("connections", ConnectionEntry),
    },
    EntityEntry: {"Fields": ("fields", EntityField)},
    TemplateEntry: {"EntityMaps": ("entity_maps", EntityMapEntry)},
    ConnectionEntry: {"EntityMaps": ("entity_maps", EntityMapEntry)},
    EntityMapEntry: {"FieldMaps": ("field_maps", FieldMap)},
}
"""Which keys hold lists of entries: the attribute, and the class of each."""
UNREADABLE: Mapping[type[Any], Any] = {EntityField: EntityField(""), FieldMap: FieldMap("", "", status="Inactive")}
"""What stands for an entry of which nothing could be read, so that the others keep their places."""
SEGMENT = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


@define
class Reader:
    """Collects the problems of one document.

    `stored_templates`: entity maps by name of the template. `labels`: what to call the paths of entries that are in no file.
    """

    stored_templates: Mapping[str, Sequence[Raw]] = field(factory=dict)
    labels: Mapping[str, str] = field(factory=dict)
    problems: list[Problem] = field(factory=list)
    _templates: dict[str, tuple[str, Sequence[Any]]] = field(factory=dict)

    def document(self, raw: Raw) -> Document:
        parts = PARTS[Document]
        self.problems += [Problem(str(key), unknown_key(str(key), parts)) for key in raw if key not in parts]
        self._templates = {name: (f"Templates[{name}]", maps) for name, maps in self.stored_templates.items()}
        for path, item in _located(raw.get("Templates"), "Templates"):
            if isinstance(item, Mapping) and isinstance(item.get("Name"), str):
                self._templates[item["Name"]] = (path, item.get("EntityMaps") or ())
        document = Document()
        for key, (attribute, kind) in parts.items():
            if key in raw:
                items = [(self.labels.get(path, path), item) for path, item in self.listed(raw[key], key)]
                setattr(document, attribute, self.entries(kind, items))
        self.problems = list(dict.fromkeys(self.problems))
        return document

    def listed(self, value: Any, path: str) -> list[tuple[str, Any]]:
        if isinstance(value, list | tuple):
            return list(_located(value, path))
        self.problems.append(Problem(path, "a list expected"))
        return []

    def entries(self, kind: type[Any], items: Sequence[tuple[str, Any]]) -> tuple[Any, ...]:
        read = [self.entry(kind, item, path) for path, item in items]
        return tuple(entry for entry in read if entry is not None)

    def entry(self, kind: type[Any], item: Any, path: str) -> Any:
        """Return the entry; of a malformed one what is readable, or None."""
        parts = PARTS.get(kind, {})
        before = len(self.problems)
        rest = {k: v for k, v in item.items() if k not in parts} if isinstance(item, Mapping) else item
        entry = self.salvage(kind, rest, path)
        for key, (attribute, part) in parts.items():
            items = self.parts_of(kind, key, item, path)
            children = self.entries(part, items or ())
            if items is None:
                entry = None
            elif entry is not None and (items or key in item):
                setattr(entry, attribute, children)
        if entry is None:
            return UNREADABLE.get(kind)
        if kind not in UNREADABLE:
            entry.path = path
            entry.is_whole = len(self.problems) == before
        return entry

    def parts_of(self, kind: type[Any], key: str, item: Any, path: str) -> list[tuple[str, Any]] | None:
        """Return the located items of a list, None where it is none; an entity map of a template lies under the connection's."""
        if not isinstance(item, Mapping):
            return []
        if key in item and not isinstance(item[key], list | tuple):
            self.problems.append(Problem(f"{path}.{key}", "a list expected"))
            return None
        own = list(_located(item.get(key), f"{path}.{key}"))
        template = item.get("Template") if kind is ConnectionEntry else None
        if not isinstance(template, str) or template not in self._templates:
            return own
        where, base = self._templates[template]
        shared = [(p, raw) for p, raw in _located(base, f"{where}.EntityMaps") if isinstance(raw, Mapping)]
        return merge_maps(shared, own)

    def salvage(self, kind: type[Any], raw: Any, path: str) -> Any:
        """Structure an entry; what is wrong is reported and left out, and the rest tried again."""
        for attempt in range(10):
            try:
                return structure(kind, raw)
            except ConfigError as error:
                if attempt == 0:
                    self.problems += [problem.under(path) for problem in error.problems]
                for problem in error.problems:
                    raw = _without(raw, _segments(problem.path))
                if raw is None:
                    return None
        return None


def _located(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    return ((f"{path}[{i}]", item) for i, item in enumerate(value)) if isinstance(value, list | tuple) else iter(())


def _segments(path: str) -> list[str | int]:
    return [int(index) if index else name for index, name in SEGMENT.findall(path)]


def _without(raw: Any, path: Sequence[str | int]) -> Any:
    """Return `raw` without what stands at the path; where that is missing or part of a list, without what it is in.

    None when nothing remains.
    """
    if not path or not isinstance(raw, Mapping) or path[0] not in raw:
        return None
    key, inner = path[0], _without(raw[path[0]], path[1:])
    rest = {k: v for k, v in raw.items() if k != key}
    return rest if inner is None else {**rest, key: inner}
