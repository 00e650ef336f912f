"""Field maps to start from, for the objects that every account has."""

from collections.abc import Mapping, Sequence

from mjcore.models import FieldMap


def _maps(key: str, **fields: str) -> Sequence[FieldMap]:
    return tuple(FieldMap(source, name, is_key_field=source == key) for source, name in fields.items())


_ADDRESS = {"address": "Street", "city": "City", "state": "State", "zip": "PostalCode", "country": "Country"}

DEFAULT_FIELD_MAPS: Mapping[str, Sequence[FieldMap]] = {
    "contacts": _maps(
        "email",
        email="Email",
        firstname="FirstName",
        lastname="LastName",
        phone="Phone",
        mobilephone="MobilePhone",
        jobtitle="JobTitle",
        company="CompanyName",
        website="Website",
        **_ADDRESS,
        lifecyclestage="LifecycleStage",
        hs_lead_status="LeadStatus",
        createdate="SourceCreatedAt",
        lastmodifieddate="SourceUpdatedAt",
    ),
    "companies": _maps(
        "domain",
        name="Name",
        domain="Domain",
        phone="Phone",
        website="Website",
        industry="Industry",
        annualrevenue="AnnualRevenue",
        numberofemployees="NumberOfEmployees",
        description="Description",
        **_ADDRESS,
        lifecyclestage="LifecycleStage",
        createdate="SourceCreatedAt",
        hs_lastmodifieddate="SourceUpdatedAt",
    ),
    "deals": _maps(
        "hs_object_id",
        hs_object_id="HubSpotID",
        dealname="Name",
        amount="Amount",
        pipeline="Pipeline",
        dealstage="Stage",
        dealtype="Type",
        closedate="CloseDate",
        description="Description",
        createdate="SourceCreatedAt",
        hs_lastmodifieddate="SourceUpdatedAt",
    ),
}
"""Keys are natural ones; a deal has none but its id."""
