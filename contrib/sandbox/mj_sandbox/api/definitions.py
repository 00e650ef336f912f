"""Properties and their groups, and the schemas of custom objects."""

from typing import Any

import msgspec
from attrs import evolve

from mj_sandbox.call import Answer, Call
from mj_sandbox.moments import iso
from mj_sandbox.problems import conflict, invalid, missing
from mj_sandbox.properties import DEFINED, Property
from mj_sandbox.table import Table

TYPES = ("bool", "date", "datetime", "enumeration", "number", "phone_number", "string")


class NewOption(msgspec.Struct):
    """One choice of a new property."""

    value: str
    label: str = ""


class NewProperty(msgspec.Struct, rename="camel"):
    """The body that makes a property."""

    name: str
    label: str
    type: str
    field_type: str
    group_name: str
    description: str = ""
    options: list[NewOption] = []
    has_unique_value: bool = False
    hidden: bool = False


class NewLabels(msgspec.Struct, rename="camel"):
    """What of a property may change."""

    label: str | None = None
    description: str | None = None
    group_name: str | None = None
    hidden: bool | None = None
    options: list[NewOption] | None = None


def list_properties(call: Call, kind: str) -> Answer:
    """List every property; nothing here is sensitive, and archived ones are not kept."""
    table = call.account.table(kind)
    none = call.flag("archived") or call.text("dataSensitivity", "non_sensitive") != "non_sensitive"
    return Answer({"results": [] if none else [each.definition() for each in table.properties.values()]})


def legacy_properties(call: Call, kind: str) -> Answer:
    """List properties as the second version of the API did: a bare array."""
    return Answer([each.definition() for each in call.account.table(kind).properties.values()])


def get_property(call: Call, kind: str, name: str) -> Answer:
    return Answer(_property(call.account.table(kind), name).definition())


def _property(table: Table, name: str) -> Property:
    if name not in table.properties:
        raise missing(f"Property {name!r} of {table.kind.name} does not exist")
    return table.properties[name]


def create_property(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(NewProperty)
    if given.name in table.properties:
        raise conflict(f"A property named {given.name!r} already exists.")
    if given.type not in TYPES:
        raise invalid(f"Invalid property type {given.type!r}: one of {', '.join(TYPES)} is needed")
    now = iso(call.account.clock.tick())
    new = Property(
        given.name, given.label, given.type, given.field_type, tuple(each.value for each in given.options),
        group=given.group_name, description=given.description, unique=given.has_unique_value, hidden=given.hidden,
        custom=True, stamps={"createdAt": now, "updatedAt": now, "createdUserId": "9100001", "updatedUserId": "9100001"},
    )  # fmt: skip
    table.add_property(new)
    return Answer(new.definition(), 201)


def update_property(call: Call, kind: str, name: str) -> Answer:
    table, given = call.account.table(kind), call.body(NewLabels)
    old = _property(table, name)
    if not old.custom:
        raise invalid(f"{name} is defined by HubSpot: its definition is read only")
    renamed = {"label": given.label, "description": given.description, "group": given.group_name, "hidden": given.hidden}
    changed: dict[str, Any] = {key: value for key, value in renamed.items() if value is not None}
    if given.options is not None:
        changed["options"] = tuple(each.value for each in given.options)
    stamps = {**(old.stamps or DEFINED), "updatedAt": iso(call.account.clock.tick())}
    table.add_property(evolve(old, stamps=stamps, **changed))
    return Answer(table.properties[name].definition())


def archive_property(call: Call, kind: str, name: str) -> Answer:
    table = call.account.table(kind)
    if not _property(table, name).custom:
        raise invalid(f"{name} is defined by HubSpot and cannot be archived")
    table.drop_property(name)
    return Answer(status=204)


def groups(call: Call, kind: str) -> Answer:
    table = call.account.table(kind)
    names = dict.fromkeys(each.group for each in table.properties.values())
    results = [_group(name, order) for order, name in enumerate(names)]
    return Answer({"results": results})


def _group(name: str, order: int) -> dict[str, Any]:
    return {"name": name, "label": name.replace("_", " ").title(), "displayOrder": order, "archived": False}


def schemas(call: Call) -> Answer:
    """List the schemas of custom objects: standard ones have none here."""
    custom = [] if call.flag("archived") else [table for table in call.account.tables.values() if table.kind.custom]
    return Answer({"results": [_schema(call, table) for table in custom]})


def schema(call: Call, kind: str) -> Answer:
    return Answer(_schema(call, call.account.table(kind)))


def _schema(call: Call, table: Table) -> dict[str, Any]:
    kind, portal = table.kind, call.account.options.portal
    return {
        "id": kind.type_id.partition("-")[2],
        "name": kind.name,
        "objectTypeId": kind.type_id,
        "fullyQualifiedName": f"p{portal}_{kind.name}" if kind.custom else kind.name.upper(),
        "labels": {"singular": kind.singular.title(), "plural": kind.name.title()},
        "requiredProperties": list(kind.required),
        "searchableProperties": list(kind.searched),
        "primaryDisplayProperty": kind.searched[0],
        "secondaryDisplayProperties": [],
        "archived": False,
        "createdAt": DEFINED["createdAt"],
        "updatedAt": DEFINED["updatedAt"],
        "properties": [each.definition() for each in table.properties.values()],
        "associations": list(_associations(call, table)),
    }


def _associations(call: Call, table: Table) -> list[dict[str, Any]]:
    return [
        {
            "id": str(each.type_id),
            "name": each.name,
            "fromObjectTypeId": table.kind.type_id,
            "toObjectTypeId": other.kind.type_id,
            "createdAt": DEFINED["createdAt"],
            "updatedAt": DEFINED["updatedAt"],
        }
        for name, other in call.account.tables.items()
        for each in call.account.links.types(table.kind.name, name)
    ]
