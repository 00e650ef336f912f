"""Property definitions, as the properties API shows them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from mj_sandbox.blocks import Column

READ_ONLY = "calculation_equation"


@frozen
class Property:
    """One property of an object type."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    options: tuple[str, ...] = ()
    """Values; their labels are the same words, capitalised."""
    column: Column | None = field(default=None, repr=False)
    group: str = ""
    description: str = ""
    read_only: bool = False
    unique: bool = False
    custom: bool = False
    calculated: bool = False
    hidden: bool = False
    external_options: bool = False
    referenced_object_type: str | None = None
    locate: Callable[[str], Iterable[int]] | None = field(default=None, repr=False)
    """value of a unique property -> indices of generated records that may have it."""
    hint: Mapping[str, Any] = field(factory=dict)
    """Further keys of the definition, such as showCurrencySymbol."""
    stamps: Mapping[str, Any] = field(factory=dict)
    """createdAt, updatedAt, createdUserId, … of properties made by people."""

    def definition(self) -> dict[str, Any]:
        """Return the JSON object of the properties API."""
        return {
            **(self.stamps or ({} if self.name == "hs_object_id" else DEFINED)),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [option(value, order) for order, value in enumerate(self.options)],
            **({"referencedObjectType": self.referenced_object_type} if self.referenced_object_type else {}),
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": False,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            **({} if self.custom else {"hubspotDefined": True}),
            "modificationMetadata": {
                "archivable": True,
                "readOnlyDefinition": not self.custom,
                "readOnlyValue": self.read_only,
            },
            "formField": not self.read_only,
            "dataSensitivity": "non_sensitive",
            **self.hint,
        }


DEFINED = {"createdAt": "2020-06-30T15:57:37.640Z", "updatedAt": "2025-09-09T22:07:58.167Z"}


def option(value: str, order: int) -> dict[str, Any]:
    """Return one choice of an enumeration."""
    label = value.replace("_", " ").title() if value.islower() or value.isupper() else value
    return {"label": label, "value": value, "displayOrder": order, "hidden": False, "description": ""}


def text(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    return Property(name, label, column=column, **more)


def numeric(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    return Property(name, label, "number", "number", column=column, **more)


def currency(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    return numeric(name, label, column, hint={"showCurrencySymbol": True}, **more)


def moment(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    return Property(name, label, "datetime", "date", column=column, **more)


def date(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    return Property(name, label, "date", "date", column=column, **more)


def choice(name: str, label: str, options: tuple[str, ...], column: Column | None = None, **more: Any) -> Property:
    return Property(name, label, "enumeration", "select", options, column, **more)


def several(name: str, label: str, options: tuple[str, ...], column: Column | None = None, **more: Any) -> Property:
    """Return a property of several choices, written `a;b`."""
    return Property(name, label, "enumeration", "checkbox", options, column, **more)


def yes_no(name: str, label: str, column: Column | None = None, **more: Any) -> Property:
    """Return a boolean, which HubSpot shows with two options."""
    return Property(name, label, "bool", "booleancheckbox", ("true", "false"), column, **more)
