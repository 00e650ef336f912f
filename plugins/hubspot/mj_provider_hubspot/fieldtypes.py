"""HubSpot's property types in the vocabulary of `FieldType`."""

from mj_provider_hubspot.messages import Property
from mjcore.schema import FieldType

REFERENCES = {
    "OWNER": "owners",
    "CONTACT": "contacts",
    "COMPANY": "companies",
    "DEAL": "deals",
    "TICKET": "tickets",
    "PRODUCT": "products",
}
"""What `referencedObjectType` calls the objects."""

PRIMARY = {"associatedcompanyid": "companies", "hs_primary_associated_company": "companies"}
"""Numbers that are ids, though the property does not say so."""

SIMPLE: dict[str, FieldType] = {
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "phone_number": "phone",
    "json": "json",
    "object_coordinates": "json",
}
CHOICES: dict[str, FieldType] = {"booleancheckbox": "boolean", "checkbox": "multi_enum"}
FORMS: dict[str, FieldType] = {"phonenumber": "phone", "file": "file"}
HINTS: dict[str, FieldType] = {"email": "email", "phone_number": "phone", "domain_name": "url"}
NAMES: dict[str, FieldType] = {"email": "email", "website": "url"}


def reference(item: Property) -> str | None:
    """Return the object that the property points to."""
    if item.field_type == "checkbox":
        return None  # several ids in one text
    return REFERENCES.get(item.referenced_object_type or "") or PRIMARY.get(item.name)


def field_type(item: Property) -> FieldType:
    """Return the type of a property."""
    if reference(item):
        return "reference"
    match item.type:
        case "enumeration":
            return CHOICES.get(item.field_type, "enum")
        case "number":
            return _number(item)
        case "string":
            hint = HINTS.get(item.text_display_hint or "")
            return FORMS.get(item.field_type) or hint or NAMES.get(item.name, "string")
    return SIMPLE.get(item.type, "unknown")


def _number(item: Property) -> FieldType:
    if item.show_currency_symbol or item.number_display_hint == "currency":
        return "currency"
    return "percent" if item.number_display_hint == "percentage" else "number"
