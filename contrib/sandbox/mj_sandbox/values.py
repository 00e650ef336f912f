"""Values that are written: checked against their property, and stored as HubSpot stores them."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mj_sandbox.moments import DAY, day, iso, milliseconds
from mj_sandbox.problems import conflict, invalid
from mj_sandbox.properties import Property
from mj_sandbox.table import Table

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class BadValue(ValueError):
    """A value that its property does not take; `code` is HubSpot's name for the fault."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def accept(table: Table, given: Mapping[str, Any], record_id: int | None = None) -> dict[str, str | None]:
    """Return values to store for properties given. Raises Problem 400 that lists every fault, or 409."""
    values: dict[str, str | None] = {}
    errors = []
    for name, value in given.items():
        try:
            values[name] = stored(table, name, value)
        except BadValue as error:
            errors.append({"message": str(error), "code": error.code, "context": {"propertyName": [name]}})
    if errors:
        shown = ", ".join(f'{{"isValid":false,"message":"{each["message"]}","error":"{each["code"]}"}}' for each in errors)
        raise invalid(f"Property values were not valid: [{shown}]", errors)
    for name, stored_value in values.items():
        _check_unique(table, table.properties[name], stored_value, record_id)
    return values


def check_required(table: Table, values: Mapping[str, str | None]) -> None:
    """Refuse a new record without what its type requires."""
    if lacking := [name for name in table.kind.required if not values.get(name)]:
        errors = [
            {"message": f"{name} is required", "code": "REQUIRED_FIELD", "context": {"properties": [name]}} for name in lacking
        ]
        raise invalid(f"Error creating {table.kind.singular.upper()}. Some required properties were not set.", errors)


def _check_unique(table: Table, prop: Property, value: str | None, record_id: int | None) -> None:
    holder = table.find(prop.name, value) if prop.unique and value else None
    if holder is None or holder == record_id:
        return
    if prop.name == "email":
        raise conflict(f"Contact already exists. Existing ID: {holder}")
    raise invalid(
        f"Property values were not valid: {value!r} of {prop.name} is taken by {holder}",
        [
            {
                "message": f"{prop.name} must be unique",
                "code": "CONFLICTING_UNIQUE_VALUE",
                "context": {"propertyName": [prop.name]},
            }
        ],
    )


def stored(table: Table, name: str, value: Any) -> str | None:
    """Return one value as it is stored; None for one that is cleared. Raises BadValue."""
    prop = table.properties.get(name)
    if prop is None:
        raise BadValue("PROPERTY_DOESNT_EXIST", f"Property '{name}' does not exist")
    if prop.read_only:
        raise BadValue("READ_ONLY_VALUE", f"'{name}' is a read only property; its value cannot be set.")
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if not text.strip():
        return None
    if prop.type in ("date", "datetime"):
        return _moment(prop, text)
    if prop.type == "number":
        return _number(prop, text)
    if prop.type in ("enumeration", "bool"):
        return _option(prop, text)
    return _email(text) if name == "email" else text


def _moment(prop: Property, text: str) -> str:
    try:
        instant = milliseconds(text)
    except ValueError:
        raise BadValue("INVALID_DATE", f"{text} was not a valid date for {prop.name}") from None
    if prop.type == "datetime":
        return iso(instant)
    if instant % DAY:
        raise BadValue("INVALID_DATE", f"{text} is at no midnight UTC, as the date {prop.name} must be")
    return day(instant)


def _number(prop: Property, text: str) -> str:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise BadValue("INVALID_NUMBER", f"{text} was not a valid number for {prop.name}")
    return text.strip()


def _option(prop: Property, text: str) -> str:
    chosen = [each for each in text.split(";") if each] if prop.field_type == "checkbox" else [text]
    unknown = [each for each in chosen if each not in prop.options]
    if unknown and not prop.external_options:
        raise BadValue("INVALID_OPTION", f"{unknown[0]} was not one of the allowed options of {prop.name}: {list(prop.options)}")
    return text


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text.strip()):
        raise BadValue("INVALID_EMAIL", f"Email address {text} is invalid")
    return text.strip().lower()
