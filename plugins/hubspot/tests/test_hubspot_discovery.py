"""Objects and fields, as the account and the token allow."""

from typing import Any

import msgspec
import pytest
from mj_provider_hubspot.defaults import DEFAULT_FIELD_MAPS
from mj_provider_hubspot.fieldtypes import field_type
from mj_provider_hubspot.messages import Property
from mj_provider_hubspot.source import HubSpotSource

from mjcore.errors import AuthFailed, NotSupported, Unavailable

FORBIDDEN = {"message": "This app lacks scopes", "category": "MISSING_SCOPES"}
CARS = {
    "name": "cars",
    "objectTypeId": "2-77",
    "fullyQualifiedName": "p9_cars",
    "labels": {"singular": "Car", "plural": "Cars"},
    "requiredProperties": ["vin"],
    "associations": [
        {"id": "1", "fromObjectTypeId": "2-77", "toObjectTypeId": "0-1", "name": "owner"},
        {"id": "2", "fromObjectTypeId": "0-1", "toObjectTypeId": "2-77", "name": "owner"},
        {"id": "3", "fromObjectTypeId": "2-77", "toObjectTypeId": "0-9999", "name": "unknown"},
    ],
}


def prop(name: str, kind: str = "string", form: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "type": kind, "fieldType": form, "options": [], **more}


@pytest.fixture
def account(script: Any) -> Any:
    """An account with contacts, deals that the token may not read, and a custom object."""
    contact = [
        prop("email", hubspotDefined=True, groupName="contactinformation", description="Main address"),
        prop("hs_object_id", "number", "number", hubspotDefined=True, modificationMetadata={"readOnlyValue": True}),
        prop("score", "number", "calculation_equation", hubspotDefined=True, calculated=True),
        prop("tier", "enumeration", "select", options=[{"value": "g", "label": "Gold"}, {"value": "s", "label": "Silver"}]),
        prop("loyalty_id", hasUniqueValue=True),
        prop("hubspot_owner_id", "enumeration", "select", referencedObjectType="OWNER", hubspotDefined=True),
    ]
    secret = [prop("diagnosis"), prop("email", label="not twice")]

    def properties(asked: Any) -> tuple[int, Any]:
        sensitivity = asked.query.get("dataSensitivity")
        if sensitivity == "highly_sensitive":
            return 403, FORBIDDEN
        return 200, {"results": secret if sensitivity else contact}

    script.routes["GET /crm/v3/properties/contacts"] = properties
    script.on("GET /crm/v3/properties/deals", 403, FORBIDDEN)
    script.on("GET /crm-object-schemas/v3/schemas", 200, {"results": [CARS]})
    for name in ("p9_cars", "cars", "2-77"):
        script.on(f"GET /crm/v3/properties/{name}", 200, {"results": [prop("vin"), prop("colour")]})
    script.on("GET /crm/v3/owners", 200, {"results": []})
    return script


def test_objects_are_those_that_the_token_can_read(account: Any, source: HubSpotSource) -> None:
    found = {one.name: one for one in source.objects()}
    assert list(found) == ["contacts", "p9_cars", "owners"]
    assert (found["p9_cars"].label, found["p9_cars"].is_custom) == ("Cars", True)
    assert (found["contacts"].deletes, found["owners"].deletes) == ("signal", "sweep")


def test_missing_scopes_for_owners_and_custom_objects_leave_them_out(account: Any, source: HubSpotSource) -> None:
    account.on("GET /crm-object-schemas/v3/schemas", 403, FORBIDDEN)
    account.on("GET /crm/v3/owners", 403, FORBIDDEN)
    assert [one.name for one in source.objects()] == ["contacts"]
    assert [one.name for one in source.fields("contacts")][-1] == "associations.tickets"


@pytest.mark.parametrize(("status", "kind"), [(401, AuthFailed), (500, Unavailable)])
def test_discovery_leaves_nothing_out_because_of_a_failure(
    account: Any, source: HubSpotSource, status: int, kind: type[Exception]
) -> None:
    account.on("GET /crm/v3/properties/companies", status, {"message": "no"})
    with pytest.raises(kind):
        list(source.objects())


def test_fields_say_what_hubspot_says(account: Any, source: HubSpotSource) -> None:
    found = {one.name: one for one in source.fields("contacts")}
    assert (found["email"].label, found["email"].type, found["email"].is_unique) == ("Email", "email", True)
    assert (found["email"].group, found["email"].description) == ("contactinformation", "Main address")
    assert (found["hs_object_id"].is_read_only, found["hs_object_id"].is_unique) == (True, True)
    assert found["score"].is_read_only
    assert not found["email"].is_read_only
    assert found["tier"].options == (("g", "Gold"), ("s", "Silver"))
    assert (found["tier"].is_custom, found["email"].is_custom) == (True, False)
    assert found["loyalty_id"].is_unique
    assert (found["hubspot_owner_id"].type, found["hubspot_owner_id"].references) == ("reference", ("owners",))


def test_sensitive_fields_are_shown_where_the_token_allows(account: Any, source: HubSpotSource) -> None:
    names = [one.name for one in source.fields("contacts")]
    assert "diagnosis" in names
    assert names.count("email") == 1


@pytest.mark.parametrize("name", ["p9_cars", "cars", "2-77"])
def test_a_custom_object_has_required_fields_and_associations(account: Any, source: HubSpotSource, name: str) -> None:
    found = {one.name: one for one in source.fields(name)}
    assert [one.name for one in found.values() if one.is_required] == ["vin"]
    assert found["hs_object_id"].is_unique
    assert [one for one in found if one.startswith("associations.")] == ["associations.contacts"]


def test_associations_are_list_fields_that_point_to_an_object(account: Any, source: HubSpotSource) -> None:
    found = {one.name: one for one in source.fields("contacts")}
    links = [one for one in found if one.startswith("associations.")]
    assert links == ["associations.companies", "associations.deals", "associations.tickets", "associations.p9_cars"]
    cars = found["associations.p9_cars"]
    assert (cars.type, cars.is_list, cars.references, cars.label) == ("reference", True, ("p9_cars",), "Associated Cars")


def test_an_unknown_object_is_not_supported(account: Any, source: HubSpotSource) -> None:
    with pytest.raises(NotSupported):
        list(source.fields("unicorns"))


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (prop("a"), "string"),
        (prop("a", form="textarea"), "string"),
        (prop("a", form="html"), "string"),
        (prop("a", "number", "number"), "number"),
        (prop("a", "number", "number", numberDisplayHint="percentage"), "percent"),
        (prop("a", "number", "number", numberDisplayHint="currency"), "currency"),
        (prop("a", "number", "number", showCurrencySymbol=True), "currency"),
        (prop("a", "bool", "booleancheckbox"), "boolean"),
        (prop("a", "enumeration", "booleancheckbox"), "boolean"),
        (prop("a", "enumeration", "checkbox"), "multi_enum"),
        (prop("a", "enumeration", "checkbox", referencedObjectType="OWNER"), "multi_enum"),
        (prop("a", "enumeration", "radio"), "enum"),
        (prop("a", "enumeration", "calculation_rollup"), "enum"),
        (prop("a", "date", "date"), "date"),
        (prop("a", "datetime", "calculation_read_time"), "datetime"),
        (prop("a", textDisplayHint="email"), "email"),
        (prop("a", textDisplayHint="domain_name"), "url"),
        (prop("website"), "url"),
        (prop("a", form="phonenumber"), "phone"),
        (prop("a", "phone_number", "phonenumber"), "phone"),
        (prop("a", form="file"), "file"),
        (prop("a", "json"), "json"),
        (prop("a", "object_coordinates"), "json"),
        (prop("a", "number", "number", referencedObjectType="COMPANY"), "reference"),
        (prop("associatedcompanyid", "number", "number"), "reference"),
        (prop("a", "hologram"), "unknown"),
    ],
)
def test_types(item: dict[str, Any], kind: str) -> None:
    assert field_type(msgspec.convert(item, Property)) == kind


@pytest.mark.parametrize("name", ["contacts", "companies", "deals"])
def test_default_maps_have_one_key_and_no_name_twice(name: str) -> None:
    maps = DEFAULT_FIELD_MAPS[name]
    assert sum(one.is_key_field for one in maps) == 1
    for names in ([one.source_field_name for one in maps], [one.destination_field_name for one in maps]):
        assert len(set(names)) == len(names)


def test_owners_are_read_in_full_each_time(script: Any, source: HubSpotSource) -> None:
    from mjcore.records import FetchRequest

    owner = {"id": "32900489", "email": "o@x.test", "firstName": "Olga", "updatedAt": "2026-03-12T07:37:29.818Z", "userId": 7}
    script.on("GET /crm/v3/owners", 200, {"results": [owner], "paging": {"next": {"after": "9"}}})
    script.on("GET /crm/v3/owners/32900489", 200, owner)
    assert source.high_watermark("owners") is None
    page = source.fetch(FetchRequest("owners", ("email", "userId", "absent"), None, None, None, 100))
    assert page.records[0].fields == {"email": "o@x.test", "userId": 7}
    assert page.next == {"after": "9"}
    read = source.read("owners", ["32900489", "404"], ("firstName",))
    assert [(one.external_id, one.fields) for one in read] == [("32900489", {"firstName": "Olga"})]
    assert {"email", "userId", "firstName"} <= {one.name for one in source.fields("owners")}
