"""Schema drift: what the source's fields were when they were last seen, what they are now, and which field maps that hits."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from mjcore.errors import Problem, did_you_mean
from mjcore.mapping import Column, MappingPlan
from mjcore.models import ExternalSchema, SyncContext
from mjcore.schema import ExternalField

SHOWN = 10
"""Names in one note."""


class DriftNote(str):
    """A note about fields of the source, so that a run can tell it from its other notes."""

    __slots__ = ()


@frozen
class Drift:
    """One object's fields: `before` as they were seen last (None: never), `now` as they are."""

    context: SyncContext
    before: ExternalSchema | None
    now: Mapping[str, str]
    """Type by name."""

    @classmethod
    def of(cls, context: SyncContext, before: ExternalSchema | None, fields: Sequence[ExternalField]) -> "Drift":
        return cls(context, before, {f.name: f.type for f in fields})

    def problems(self, plan: MappingPlan) -> list[Problem]:
        """Return a problem for each field map that reads what is not there, but for optional ones."""
        if not self.now:
            return []  # the source tells nothing
        order = {id(m): i for i, m in enumerate(self.context.entity_map.field_maps)}
        return [
            Problem(f"{self._object}: FieldMaps[{order[id(column.field_map)]}]", self._missing(name, column.name))
            for column in plan.columns
            if not column.field_map.optional
            for name in _reads(column)
            if not self._has(name)
        ]

    @property
    def _object(self) -> str:
        return self.context.entity_map.external_object_name

    def _has(self, name: str) -> bool:
        return name in self.now or name.partition(".")[0] in self.now

    def _missing(self, name: str, destination: str) -> str:
        was = "no longer has" if self.before and name in self.before.fields else "has no"
        near = did_you_mean(name, self.now)
        return f"the source {was} field {name!r}, which fills {destination!r}{near}; correct it, or set Optional: true"

    def notes(self, plan: MappingPlan) -> Iterator[DriftNote]:
        """Yield what changed since the fields were last seen."""
        if self.before is None or not self.now:
            return
        before, mapped = self.before.fields, {name: column.name for column in plan.columns for name in _reads(column)}
        if added := [name for name in self.now if name not in before]:
            yield DriftNote(f"new fields of the source: {_listed(added)}")
        if removed := [name for name in before if name not in self.now]:
            yield DriftNote(f"fields that the source no longer has: {_listed(removed)}")
        for name, destination in mapped.items():
            if name in before and name in self.now and before[name] != self.now[name]:
                yield DriftNote(f"field {name!r} is {self.now[name]} now and was {before[name]}; it fills {destination!r}")

    def seen(self, at: datetime) -> ExternalSchema | None:
        """Return what to keep; None when nothing changed."""
        if not self.now or (self.before is not None and dict(self.before.fields) == dict(self.now)):
            return None
        connection = self.context.connection_id
        return ExternalSchema(f"{connection}:{self._object}", connection, self._object, dict(self.now), at)


def _reads(column: Column) -> list[str]:
    """Return the source fields of one field map, those that its steps read too."""
    names = [r for step in column.steps for r in getattr(step.step, "reads", ())]
    return list(dict.fromkeys([column.field_map.source_field_name, *names]))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
