"""Objects and fields of an account."""

from collections.abc import Iterable, Iterator

from mj_provider_hubspot.api import Api
from mj_provider_hubspot.catalogue import ASSOCIATED, REQUIRED, STANDARD, TYPE_IDS, UNIQUE
from mj_provider_hubspot.errors import MissingScope
from mj_provider_hubspot.fieldtypes import field_type, reference
from mj_provider_hubspot.messages import Property, Schema
from mj_provider_hubspot.records import ASSOCIATION
from mjcore.errors import NotSupported
from mjcore.schema import ExternalField, ExternalObject

SENSITIVE = ("sensitive", "highly_sensitive")
UNREADABLE = (MissingScope, NotSupported)
"""The token may not read it, or the account does not have it: left out."""


def objects(api: Api) -> Iterator[ExternalObject]:
    """Yield the standard objects that the token can read, then the custom ones."""
    for name, label in STANDARD.items():
        try:
            api.properties(name)
        except UNREADABLE:
            continue
        yield _object(name, label)
    for schema in schemas(api):
        label = schema.labels.plural or schema.labels.singular or schema.name
        yield _object(schema.fully_qualified_name, label, is_custom=True, description=schema.description or "")


def _object(name: str, label: str, *, is_custom: bool = False, description: str = "") -> ExternalObject:
    return ExternalObject(
        name, label, is_custom=is_custom, supports=frozenset({"read", "search"}), deletes="signal", description=description
    )


def schemas(api: Api) -> Iterable[Schema]:
    """Return the custom objects, none where the token or the account has none."""
    try:
        return api.schemas()
    except UNREADABLE:
        return ()


def fields(api: Api, name: str) -> Iterator[ExternalField]:
    """Yield the properties of an object and its associations."""
    custom = schemas(api)
    schema = next((s for s in custom if name in _names(s)), None)
    required = set(schema.required_properties) if schema else REQUIRED.get(name, set())
    found: dict[str, Property] = {}
    for item in _properties(api, name):
        found.setdefault(item.name, item)
    found.setdefault("hs_object_id", Property("hs_object_id", "Record ID", "number", hubspot_defined=True, calculated=True))
    for item in found.values():
        yield _field(item, is_required=item.name in required, is_unique=item.name in {"hs_object_id", *UNIQUE.get(name, ())})
    for target, label in _associated(name, schema, custom):
        yield ExternalField(
            ASSOCIATION + target, f"Associated {label}", "reference", references=(target,), is_list=True, group="associations"
        )


def _properties(api: Api, name: str) -> Iterator[Property]:
    yield from api.properties(name)
    for sensitivity in SENSITIVE:
        try:
            yield from api.properties(name, sensitivity)
        except UNREADABLE:
            continue


def _field(item: Property, *, is_required: bool, is_unique: bool) -> ExternalField:
    target = reference(item)
    return ExternalField(
        item.name,
        item.label or item.name,
        field_type(item),
        is_custom=not item.hubspot_defined,
        is_required=is_required,
        is_read_only=item.calculated or bool(item.modification_metadata and item.modification_metadata.read_only_value),
        is_unique=is_unique or item.has_unique_value,
        options=tuple((option.value, option.label) for option in item.options),
        references=(target,) if target else (),
        group=item.group_name,
        description=item.description or "",
    )


def _names(schema: Schema) -> tuple[str, ...]:
    return schema.fully_qualified_name, schema.name, f"p_{schema.name}", schema.object_type_id


def _associated(name: str, schema: Schema | None, custom: Iterable[Schema]) -> Iterator[tuple[str, str]]:
    """Yield (object, label): from the catalogue, and what the schemas of custom objects say, in both directions."""
    labels = dict(STANDARD)
    by_id = dict(TYPE_IDS)
    for one in custom:
        by_id[one.object_type_id] = one.fully_qualified_name
        labels[one.fully_qualified_name] = one.labels.plural or one.name
    own = schema.fully_qualified_name if schema else name
    targets = dict.fromkeys(ASSOCIATED.get(name, ()))
    for association in (association for one in custom for association in one.associations):
        ends = by_id.get(association.from_object_type_id), by_id.get(association.to_object_type_id)
        targets |= dict.fromkeys(end for end in ends if own in ends and end not in (own, None))
    yield from ((target, labels[target]) for target in targets)
