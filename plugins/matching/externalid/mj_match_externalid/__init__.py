"""Match strategy `ExternalID`: a record is the row that holds the source's id of it in a column."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import Matcher, MatchType, Rows
from mjcore.errors import ConfigError, Problem, TransformError, did_you_mean
from mjcore.fitting import Fitter, fits_all, fitter
from mjcore.hookspecs import hookimpl
from mjcore.models import EntityField, EntityMap
from mjcore.records import MappedRecord, RowKey, Value


@frozen
class ExternalID:
    external_id_field: str
    """The entity's field that holds the ids of the source."""


@frozen
class ExternalIDMatcher:
    name: str
    column: EntityField | None

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name,)

    def candidates(self, records: Sequence[MappedRecord], rows: Rows) -> Sequence[Sequence[RowKey]]:
        ids = column_values([record.source.external_id for record in records], self.column)
        wanted = [(value,) for value in dict.fromkeys(ids) if value is not None]
        found = rows.find(self.fields, wanted) if wanted else {}
        return [() if value is None else found.get((value,), ()) for value in ids]


def column_values(ids: Sequence[str], column: EntityField | None) -> Sequence[Value]:
    """Return ids as the column holds them: mostly as they are."""
    if all(map(str.strip, ids)) and (column is None or fits_all(column)(ids, {str})):
        return ids
    fit = fitter(column) if column else None
    return [fitted(external_id, fit) for external_id in ids]


def fitted(external_id: str, fit: Fitter | None) -> Value:
    """Return the id as the column holds it; None when it is blank or the column cannot hold exactly this id."""
    if not external_id.strip():
        return None
    if fit is None:
        return external_id
    try:
        value = fit(external_id)
    except TransformError:
        return None
    # in a column of numbers, the ids '7' and '007' must not become the same row
    return value if str(value) == external_id else None


def compile_external_id(config: ExternalID, entity_map: EntityMap) -> Matcher:
    """Return the matcher; `ConfigError` when the entity has no such field."""
    entity, name = entity_map.entity, config.external_id_field
    column = entity.field(name)
    if not name or (column is None and entity.fields and name not in entity.primary_key):
        near = did_you_mean(name, [f.name for f in entity.fields])
        raise ConfigError(Problem("ExternalIDField", f"{entity.name} has no field {name!r}{near}"))
    return ExternalIDMatcher(name, column)


@hookimpl
def mj_match_types() -> Iterable[MatchType[ExternalID]]:
    return [MatchType("ExternalID", ExternalID, compile_external_id)]
