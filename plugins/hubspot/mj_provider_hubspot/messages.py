"""The parts of HubSpot's answers that are read."""

from datetime import datetime
from functools import lru_cache
from typing import Any, TypedDict, cast

from msgspec import Struct, defstruct, field


class Next(Struct):
    after: str


class Paging(Struct):
    next: Next | None = None


class Associated(Struct):
    id: str


class Associations(Struct):
    """Of one record to one object, as the list shows them: an id once per kind of association, and only the first page."""

    results: list[Associated] = field(default_factory=list)
    paging: Paging | None = None


class Record(Struct, rename="camel"):
    """A CRM record. Property values are text or null."""

    id: str
    properties: dict[str, Any] = field(default_factory=dict)
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    associations: dict[str, Associations] | None = None


class Records(Struct):
    results: list[Record]
    paging: Paging | None = None
    total: int | None = None

    @property
    def after(self) -> str | None:
        return self.paging.next.after if self.paging and self.paging.next else None


@lru_cache(maxsize=100)
def records_with(properties: tuple[str, ...]) -> type[Records]:
    """Return the type of a page whose records have at most these properties: all others are skipped, and not decoded.

    With names that are not ASCII all are decoded: msgspec does not find such names in a TypedDict.
    """
    if not all(map(str.isascii, properties)):
        return Records
    kind = TypedDict("Properties", dict.fromkeys(properties, Any), total=False)  # type: ignore[misc] # a map names them
    record = defstruct("Record", [("properties", kind, field(default_factory=dict))], bases=(Record,), rename="camel")
    results: Any = list[record]  # type: ignore[valid-type] # as above
    return cast("type[Records]", defstruct("Records", [("results", results)], bases=(Records,)))


class Option(Struct):
    value: str
    label: str = ""


class Modification(Struct, rename="camel"):
    read_only_value: bool = False


class Property(Struct, rename="camel"):
    name: str
    label: str = ""
    type: str = ""
    field_type: str = ""
    description: str | None = None
    group_name: str | None = None
    options: list[Option] = field(default_factory=list)
    calculated: bool = False
    has_unique_value: bool = False
    hubspot_defined: bool = False
    show_currency_symbol: bool = False
    number_display_hint: str | None = None
    text_display_hint: str | None = None
    referenced_object_type: str | None = None
    modification_metadata: Modification | None = None


class Properties(Struct):
    results: list[Property]


class Labels(Struct):
    singular: str | None = None
    plural: str | None = None


class SchemaAssociation(Struct, rename="camel"):
    from_object_type_id: str
    to_object_type_id: str


class Schema(Struct, rename="camel"):
    """A custom object."""

    name: str
    object_type_id: str
    fully_qualified_name: str
    labels: Labels = field(default_factory=Labels)
    description: str | None = None
    required_properties: list[str] = field(default_factory=list)
    associations: list[SchemaAssociation] = field(default_factory=list)


class Schemas(Struct):
    results: list[Schema]


class Associate(Struct, rename="camel"):
    to_object_id: int | str


class From(Struct):
    id: str


class AssociationList(Struct, rename={"source": "from"}):
    """Of one record to one object, as the batch read shows them."""

    source: From
    to: list[Associate] = field(default_factory=list)
    paging: Paging | None = None


class AssociationLists(Struct):
    results: list[AssociationList] = field(default_factory=list)


class Owners(Struct):
    results: list[dict[str, Any]]
    paging: Paging | None = None


class Account(Struct, rename="camel"):
    portal_id: int | str
    account_type: str = ""
    time_zone: str = ""
    company_currency: str = ""


class FaultContext(Struct, rename="camel"):
    required_granular_scopes: list[str] = field(default_factory=list)


class FaultDetail(Struct):
    context: FaultContext = field(default_factory=FaultContext)


class Fault(Struct, rename="camel"):
    """Why a request failed."""

    message: str = ""
    category: str = ""
    policy_name: str = ""
    errors: list[FaultDetail] = field(default_factory=list)
