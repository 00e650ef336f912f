"""HubSpot's own client against the account."""

from typing import Any

import pytest
from hubspot.crm import associations, companies, contacts, objects, properties, schemas  # type: ignore[import-untyped]
from hubspot.crm.associations import v4  # type: ignore[import-untyped]
from hubspot.oauth.exceptions import ApiException as OAuthException  # type: ignore[import-untyped]
from mj_sandbox import Handle


def test_every_contact_is_listed_once(account: Handle, official: Any) -> None:
    everyone = official.crm.contacts.get_all()
    assert len({each.id for each in everyone}) == len(everyone) == 250
    assert all(each.properties["email"] is None or "@" in each.properties["email"] for each in everyone)
    assert everyone[0].created_at.year == 2024
    assert everyone[0].updated_at >= everyone[0].created_at


def test_a_page_shows_what_was_asked_for_and_links_to_the_next(account: Handle, official: Any) -> None:
    page = official.crm.contacts.basic_api.get_page(limit=3, properties=["city", "nonsense"], associations=["companies"])
    assert set(page.results[0].properties) == {"city", "createdate", "lastmodifieddate", "hs_object_id"}
    after = page.paging.next.after
    assert page.paging.next.link.startswith(f"{account.address}/crm/v3/objects/contacts?limit=3&")
    assert page.paging.next.link.endswith(f"&after={after}")
    names = {each.type for record in page.results for each in (record.associations or {})["companies"].results}
    assert names == {"contact_to_company", "contact_to_company_unlabeled"}


@pytest.mark.parametrize("name", ["contact", "0-1", "CONTACTS"])
def test_object_types_go_by_several_names(official: Any, name: str) -> None:
    assert len(official.crm.objects.basic_api.get_page(name, limit=5).results) == 5


def test_get_update_archive(official: Any) -> None:
    api = official.crm.contacts.basic_api
    first = api.get_page(limit=1, properties=["email", "customer_number"]).results[0]
    changed = api.update(first.id, contacts.SimplePublicObjectInput(properties={"jobtitle": "Pilot", "credit_limit": "12.50"}))
    assert changed.properties["jobtitle"] == "Pilot"
    assert changed.updated_at > first.updated_at
    again = api.get_by_id(first.properties["customer_number"], id_property="customer_number", properties=["jobtitle"])
    assert (again.id, again.properties["jobtitle"]) == (first.id, "Pilot")
    api.archive(first.id)
    with pytest.raises(contacts.ApiException) as error:
        api.get_by_id(first.id)
    assert error.value.status == 404
    assert '"OBJECT_NOT_FOUND"' in error.value.body
    archived = api.get_page(archived=True)
    assert [each.id for each in archived.results] == [first.id]
    assert archived.results[0].archived_at is not None
    assert api.get_by_id(first.id, archived=True).archived


def test_create_with_an_association(official: Any) -> None:
    company = official.crm.companies.basic_api.get_page(limit=1).results[0]
    link = {"to": {"id": company.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}
    made = official.crm.contacts.basic_api.create(
        contacts.SimplePublicObjectInputForCreate(
            properties={"email": "New.One@Example.com", "firstname": "New"}, associations=[link]
        )
    )
    assert made.properties["email"] == "new.one@example.com"
    assert made.created_at == made.updated_at
    found = official.crm.contacts.basic_api.get_by_id(made.id, associations=["companies"])
    assert [each.id for each in found.associations["companies"].results] == [company.id]


def test_a_second_contact_with_the_same_address_is_refused(official: Any) -> None:
    api = official.crm.contacts.basic_api
    taken = next(each for each in api.get_page(limit=20).results if each.properties["email"])
    with pytest.raises(contacts.ApiException) as error:
        api.create(contacts.SimplePublicObjectInputForCreate(properties={"email": taken.properties["email"].upper()}))
    assert error.value.status == 409
    assert f"Contact already exists. Existing ID: {taken.id}" in error.value.body


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"nonsense": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"lifecyclestage": "nonsense"}, "INVALID_OPTION"),
        ({"hs_object_id": "1"}, "READ_ONLY_VALUE"),
        ({"credit_limit": "much"}, "INVALID_NUMBER"),
        ({"contract_start": "soon"}, "INVALID_DATE"),
        ({"email": "nonsense"}, "INVALID_EMAIL"),
        ({"newsletter_topics": "events;nonsense"}, "INVALID_OPTION"),
    ],
)
def test_bad_values_are_named(official: Any, values: dict[str, str], code: str) -> None:
    with pytest.raises(contacts.ApiException) as error:
        official.crm.contacts.basic_api.create(contacts.SimplePublicObjectInputForCreate(properties=values))
    assert error.value.status == 400
    assert code in error.value.body
    assert "VALIDATION_ERROR" in error.value.body


def test_an_empty_text_clears_a_value(official: Any) -> None:
    api = official.crm.companies.basic_api
    first = api.get_page(limit=1, properties=["name"]).results[0]
    api.update(first.id, companies.SimplePublicObjectInput(properties={"name": ""}))
    assert api.get_by_id(first.id, properties=["name"]).properties["name"] is None


def test_batch_read_names_what_is_missing(official: Any) -> None:
    ids = [each.id for each in official.crm.contacts.basic_api.get_page(limit=3).results]
    answer = official.crm.contacts.batch_api.read(
        contacts.BatchReadInputSimplePublicObjectId(
            inputs=[{"id": each} for each in [*ids, "17"]], properties=["firstname"], properties_with_history=[]
        )
    )
    assert [each.id for each in answer.results] == ids
    assert answer.num_errors == 1
    assert answer.errors[0].context == {"ids": ["17"]}


def test_batch_create_and_the_trace_of_each_input(official: Any) -> None:
    inputs = [{"properties": {"firstname": f"N{n}", "credit_limit": "x" if n == 1 else "1"}} for n in range(3)]
    body = contacts.BatchInputSimplePublicObjectBatchInputForCreate
    with pytest.raises(contacts.ApiException) as error:
        official.crm.contacts.batch_api.create(body(inputs=inputs))
    assert error.value.status == 400
    assert len(official.crm.contacts.get_all()) == 250, "a batch that is refused creates nothing"
    traced = [{**each, "objectWriteTraceId": f"t{n}"} for n, each in enumerate(inputs)]
    answer = official.crm.contacts.batch_api.create(body(inputs=traced))
    assert [each.object_write_trace_id for each in answer.results] == ["t0", "t2"]
    assert answer.num_errors == 1
    assert answer.errors[0].context == {"objectWriteTraceId": ["t1"]}


def test_batch_update_upsert_archive(official: Any) -> None:
    batch = official.crm.contacts.batch_api
    ids = [each.id for each in official.crm.contacts.basic_api.get_page(limit=2).results]
    updated = batch.update(
        contacts.BatchInputSimplePublicObjectBatchInput(
            inputs=[{"id": each, "properties": {"city": "Lund"}} for each in [*ids, "17"]]
        )
    )
    assert [each.properties["city"] for each in updated.results] == ["Lund", "Lund"]
    assert updated.errors[0].context == {"ids": ["17"]}
    assert updated.errors[0].category == "OBJECT_NOT_FOUND"
    known = next(each for each in official.crm.contacts.get_all() if each.properties["email"])
    upserted = batch.upsert(
        contacts.BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[
                {"idProperty": "email", "id": known.properties["email"], "properties": {"city": "Oslo"}},
                {"idProperty": "email", "id": "fresh@example.com", "properties": {"city": "Rome"}},
            ]
        )
    )
    assert [each.new for each in upserted.results] == [False, True]
    assert upserted.results[0].id == known.id
    assert upserted.results[1].properties["email"] == "fresh@example.com"
    assert batch.archive(contacts.BatchInputSimplePublicObjectId(inputs=[{"id": each} for each in ids])) is None
    assert len(official.crm.contacts.get_all()) == 249


def test_more_than_a_hundred_inputs_are_refused(official: Any) -> None:
    inputs = [{"id": str(n)} for n in range(101)]
    with pytest.raises(contacts.ApiException) as error:
        official.crm.contacts.batch_api.read(
            contacts.BatchReadInputSimplePublicObjectId(inputs=inputs, properties=[], properties_with_history=[])
        )
    assert error.value.status == 400


def test_a_merged_contact_is_known_as_the_winner(official: Any) -> None:
    api = official.crm.contacts.basic_api
    winner, loser = api.get_page(limit=2).results
    api.merge(contacts.PublicMergeInput(primary_object_id=winner.id, object_id_to_merge=loser.id))
    found = api.get_by_id(loser.id, properties=["hs_merged_object_ids", "email"])
    assert (found.id, found.properties["hs_merged_object_ids"]) == (winner.id, loser.id)
    assert loser.id not in {each.id for each in official.crm.contacts.get_all()}
    assert api.get_page(archived=True).results == []


def test_a_contact_deleted_for_good_is_nowhere(official: Any) -> None:
    first = official.crm.contacts.basic_api.get_page(limit=1).results[0]
    official.crm.contacts.basic_api.purge(contacts.PublicGdprDeleteInput(object_id=first.id))
    assert official.crm.contacts.basic_api.get_page(archived=True).results == []
    assert len(official.crm.contacts.get_all()) == 249


def test_properties(official: Any) -> None:
    api = official.crm.properties.core_api
    known = {each.name: each for each in api.get_all("contacts").results}
    assert known["lastmodifieddate"].modification_metadata.read_only_value
    assert known["email"].has_unique_value
    assert known["customer_tier"].hubspot_defined is None
    assert known["firstname"].hubspot_defined
    assert [each.value for each in known["customer_tier"].options] == ["bronze", "silver", "gold", "platinum"]
    assert known["hubspot_owner_id"].external_options
    assert known["hubspot_owner_id"].referenced_object_type == "OWNER"
    new = properties.PropertyCreate(
        name="shoe_size", label="Shoe size", type="number", field_type="number", group_name="contactinformation"
    )
    assert api.create("contacts", new).name == "shoe_size"
    with pytest.raises(properties.ApiException) as error:
        api.create("contacts", new)
    assert error.value.status == 409
    made = official.crm.contacts.basic_api.create(contacts.SimplePublicObjectInputForCreate(properties={"shoe_size": "43"}))
    assert official.crm.contacts.basic_api.get_by_id(made.id, properties=["shoe_size"]).properties["shoe_size"] == "43"
    assert api.update("contacts", "shoe_size", properties.PropertyUpdate(label="Size")).label == "Size"
    api.archive("contacts", "shoe_size")
    with pytest.raises(properties.ApiException) as error:
        api.get_by_name("contacts", "shoe_size")
    assert error.value.status == 404
    assert {each.name for each in official.crm.properties.groups_api.get_all("contacts").results} == {"contactinformation"}


def test_schemas_are_of_custom_objects_alone(official: Any) -> None:
    (machine,) = official.crm.schemas.core_api.get_all().results
    assert (machine.name, machine.fully_qualified_name) == ("machines", "p4210512_machines")
    assert machine.required_properties == ["serial_number"]
    assert machine.primary_display_property == "serial_number"
    for name in ("machines", "p_machines", machine.fully_qualified_name, machine.object_type_id):
        assert official.crm.schemas.core_api.get_by_id(name).id == machine.id
        page = official.crm.objects.basic_api.get_page(name, limit=1, properties=["serial_number"])
        assert page.results[0].properties["serial_number"] == "MX-0000001"
    with pytest.raises(objects.ApiException) as error:
        official.crm.objects.basic_api.create("machines", objects.SimplePublicObjectInputForCreate(properties={"model": "Oven"}))
    assert error.value.status == 400
    assert "serial_number" in error.value.body
    with pytest.raises(schemas.ApiException):
        official.crm.schemas.core_api.get_by_id("nonsense")


def test_owners_and_pipelines(official: Any) -> None:
    owners = official.crm.owners.owners_api.get_page(limit=5)
    assert len(owners.results) == 5
    assert owners.paging.next.after
    rest = official.crm.owners.owners_api.get_page(limit=5, after=owners.paging.next.after)
    assert len({each.id for each in owners.results + rest.results}) == 8
    assert rest.paging is None
    first = owners.results[0]
    assert official.crm.owners.owners_api.get_by_id(int(first.id)).email == first.email
    (pipeline,) = official.crm.pipelines.pipelines_api.get_all("deals").results
    stages = {each.id for each in pipeline.stages}
    deals = official.crm.deals.get_all(properties=["dealstage", "pipeline", "hubspot_owner_id"])
    assert {each.properties["dealstage"] for each in deals} <= stages
    assert len(deals) == 25
    assert official.crm.pipelines.pipeline_stages_api.get_all("tickets", "0").results[0].label == "New"


def test_associations_read_made_and_ended(official: Any) -> None:
    contact = official.crm.contacts.basic_api.get_page(limit=1).results[0]
    last = official.crm.companies.get_all()[-1]
    names = official.crm.associations.schema.types_api.get_all("contacts", "companies").results
    assert {(each.id, each.name) for each in names} == {("279", "contact_to_company_unlabeled"), ("1", "contact_to_company")}
    labels = official.crm.associations.v4.schema.definitions_api.get_all("contacts", "companies").results
    assert {(each.type_id, each.label) for each in labels} == {(279, None), (1, "Primary")}
    api = official.crm.associations.v4
    api.basic_api.create_default("contacts", contact.id, "companies", last.id)
    here = api.basic_api.get_page("contacts", contact.id, "companies").results
    assert [each.to_object_id for each in here][-1] == last.id
    assert here[-1].association_types[0].type_id == 279
    pair = v4.PublicAssociationMultiArchive(_from={"id": contact.id}, to=[{"id": last.id}])
    api.batch_api.archive("contacts", "companies", v4.BatchInputPublicAssociationMultiArchive(inputs=[pair]))
    assert last.id not in [each.to_object_id for each in api.basic_api.get_page("contacts", contact.id, "companies").results]
    new = v4.PublicAssociationMultiPost(
        _from={"id": contact.id}, to={"id": last.id}, types=[{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    )
    api.batch_api.create("contacts", "companies", v4.BatchInputPublicAssociationMultiPost(inputs=[new]))
    read = api.batch_api.get_page(
        "companies", "contacts", v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": last.id}])
    )
    assert contact.id in [each.to_object_id for each in read.results[0].to]


def test_associations_of_the_third_version(official: Any) -> None:
    contact = official.crm.contacts.basic_api.get_page(limit=1).results[0]
    last = official.crm.companies.get_all()[-1]
    pair = associations.PublicAssociation(_from={"id": contact.id}, to={"id": last.id}, type="contact_to_company")
    body = associations.BatchInputPublicAssociation(inputs=[pair])
    official.crm.associations.batch_api.create("contacts", "companies", body)
    ids = associations.BatchInputPublicObjectId(inputs=[{"id": contact.id}, {"id": "17"}])
    read = official.crm.associations.batch_api.read("contacts", "companies", ids)
    assert {"contact_to_company"} <= {each.type for each in read.results[0].to if each.id == last.id}
    assert read.num_errors == 1
    official.crm.associations.batch_api.archive("contacts", "companies", body)
    read = official.crm.associations.batch_api.read("contacts", "companies", ids)
    assert last.id not in {each.id for result in read.results for each in result.to}


def test_refresh_tokens_rotate(account: Handle, official: Any) -> None:
    api = official.oauth.tokens_api
    ask = {"client_id": "c", "client_secret": "s"}
    first = api.create(grant_type="authorization_code", code="any", **ask)
    second = api.create(grant_type="refresh_token", refresh_token=first.refresh_token, **ask)
    assert second.refresh_token != first.refresh_token
    assert second.expires_in == 1800
    with pytest.raises(OAuthException) as error:
        api.create(grant_type="refresh_token", refresh_token=first.refresh_token, **ask)
    assert error.value.status == 400
    assert "BAD_REFRESH_TOKEN" in error.value.body
    assert "invalid_grant" in error.value.body
    account.account.tokens.check(f"Bearer {second.access_token}")
