"""Suggestions: plausible, explained, and always the same."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from mj_cli.propose import pascal, propose
from mj_cli.suggest import ENOUGH, rate, suggest, words

from mjcore.models import EntityField, FieldMap, TransformStep
from mjcore.schema import ExternalField, ExternalObject, FieldType

NAMES = st.text("abcEmailName_ 12", min_size=1, max_size=12) | st.sampled_from(
    ["email", "Email", "first_name", "FirstName", "phone"]
)
TYPES: list[FieldType] = ["string", "number", "email", "phone", "date", "reference", "json", "enum"]
SOURCE = st.lists(
    st.builds(ExternalField, NAMES, NAMES, st.sampled_from(TYPES), is_unique=st.booleans(), is_list=st.booleans()),
    max_size=8,
    unique_by=lambda f: f.name,
)
ENTITY = st.lists(st.builds(EntityField, NAMES, st.sampled_from(TYPES)), max_size=8, unique_by=lambda f: f.name)
DEFAULTS = st.lists(st.builds(FieldMap, NAMES, NAMES), max_size=4)

CONTACT = [
    ExternalField("email", "E-mail address", "email", is_unique=True),
    ExternalField("hs_email_domain", "Email domain"),
    ExternalField("firstname", "First name"),
    ExternalField("lastname", "Last name"),
    ExternalField("phone", "Phone", "phone"),
    ExternalField("annualrevenue", "Annual revenue", "currency"),
    ExternalField("createdate", "Create date", "datetime"),
    ExternalField("x_17", "Favourite colour", "enum", is_custom=True),
]


def pairs(entity: list[EntityField], defaults: list[FieldMap] | None = None) -> dict[str, str]:
    found = suggest(CONTACT, entity, defaults or [])
    return {s.field_map.destination_field_name: s.field_map.source_field_name for s in found}


def test_fields_are_found_by_name_by_label_and_by_what_they_share() -> None:
    entity = [
        *[EntityField("Email", "email"), EntityField("FirstName"), EntityField("last_name"), EntityField("PhoneNumber", "phone")],
        *[EntityField("AnnualRevenue", "number"), EntityField("FavouriteColour"), EntityField("Shoe size")],
    ]
    assert pairs(entity) == {
        "Email": "email",
        "FirstName": "firstname",
        "last_name": "lastname",
        "PhoneNumber": "phone",
        "AnnualRevenue": "annualrevenue",
        "FavouriteColour": "x_17",
    }


def test_what_cannot_fit_is_not_suggested() -> None:
    assert pairs([EntityField("CreateDate", "boolean")]) == {}
    assert rate(ExternalField("owner", "Owner", "reference"), EntityField("Owner", "number"))[0] == 0


def test_a_default_of_the_provider_comes_first_with_its_steps() -> None:
    default = FieldMap("lastname", "FirstName", (TransformStep("text", {"Operation": "trim"}),), is_key_field=True)
    (found,) = suggest(CONTACT, [EntityField("first_name")], [default])
    assert (found.field_map.source_field_name, found.field_map.destination_field_name) == ("lastname", "first_name")
    assert found.field_map.transform_pipeline == default.transform_pipeline
    assert found.reason == "the provider's default"


def test_a_default_for_what_the_account_or_the_entity_lacks_is_left_out() -> None:
    assert pairs([EntityField("Fax")], [FieldMap("fax", "Fax"), FieldMap("email", "Mail")]) == {}


def test_the_first_field_that_is_unique_in_the_source_is_the_key() -> None:
    found = suggest(CONTACT, [EntityField("FirstName"), EntityField("Email", "email")])
    assert [s.field_map.is_key_field for s in found] == [False, True]
    assert "unique in the source" in found[1].reason


def test_the_reason_tells_names_and_types() -> None:
    assert rate(CONTACT[2], EntityField("FirstName")) == (100, "'firstname' is the field's name, both string")
    assert (
        rate(CONTACT[5], EntityField("Revenue", "number"))[1] == "'Annual revenue' is like the field's name, currency into number"
    )


@given(SOURCE, ENTITY, DEFAULTS, st.randoms(use_true_random=False))
def test_the_order_of_the_source_changes_nothing(
    source: list[ExternalField], entity: list[EntityField], defaults: list[FieldMap], random: Random
) -> None:
    shuffled = random.sample(source, len(source))
    ours, theirs = suggest(source, entity, defaults), suggest(shuffled, entity, defaults)
    if sum(f.is_unique for f in source) < 2:
        assert ours == theirs
    assert [(s.field_map.source_field_name, s.score) for s in ours] == [(s.field_map.source_field_name, s.score) for s in theirs]


@given(SOURCE, ENTITY, DEFAULTS)
def test_every_entity_field_has_one_owner_at_most(
    source: list[ExternalField], entity: list[EntityField], defaults: list[FieldMap]
) -> None:
    found = suggest(source, entity, defaults)
    destinations = [s.field_map.destination_field_name for s in found]
    assert destinations == [f.name for f in entity if f.name in set(destinations)]
    assert {s.field_map.source_field_name for s in found} <= {f.name for f in source}
    assert all(ENOUGH <= s.score <= 100 for s in found)
    assert sum(s.field_map.is_key_field for s in found) <= 1
    own = [s.field_map.source_field_name for s in found if s.reason != "the provider's default"]
    assert len(own) == len(set(own))


def test_words_of_a_name_do_not_depend_on_how_it_is_written() -> None:
    assert words("firstName") == words("first_name") == words("First Name") == words("FIRST-NAME") == ["first", "name"]
    assert words("HTTPServer2Go") == ["http", "server", "2", "go"]
    assert words("Straße_größe") == ["strasse", "grösse".replace("ss", "ß").casefold()]


def test_pascal_case_keeps_acronyms() -> None:
    assert [pascal(t) for t in ("external id", "web_url", "firstname", "!!", "2nd")] == [
        "ExternalID",
        "WebURL",
        "Firstname",
        "",
        "",
    ]


def test_a_proposed_entity_has_the_defaults_and_the_accounts_own_fields() -> None:
    entity, maps = propose(ExternalObject("contacts", "Contacts"), CONTACT, [FieldMap("email", "Email", is_key_field=True)], {})
    assert (entity.name, entity.table) == ("Contacts", "contacts")
    assert [(f.name, f.type) for f in entity.fields] == [("Email", "email"), ("FavouriteColour", "enum")]
    assert [m.source_field_name for m in maps] == ["email", "x_17"]


def test_without_defaults_a_proposed_entity_has_every_field() -> None:
    entity, maps = propose(ExternalObject("2-77", "Purchase orders"), CONTACT, [], {})
    assert (entity.name, entity.table) == ("PurchaseOrders", "purchase_orders")
    assert len(entity.fields) == len(maps) == len(CONTACT)


def test_columns_of_a_proposed_entity_differ_by_more_than_letter_case() -> None:
    fields = [ExternalField(n, label) for n, label in [("id", "ID"), ("a", "Name"), ("b", "name"), ("c", "NAME"), ("d", "💥")]]
    entity, _ = propose(ExternalObject("x", "X"), fields, [], {})
    names = [f.name.casefold() for f in entity.fields]
    assert len({"id", *names}) == 6


def test_a_reference_points_to_the_entity_that_holds_its_object() -> None:
    fields = [
        ExternalField("company", "Company", "reference", references=("companies",)),
        ExternalField("owner", "Owner", "reference", references=("owners",)),
        ExternalField("both", "Both", "reference", references=("a", "b")),
        ExternalField("many", "Many", "reference", references=("companies",), is_list=True),
    ]
    entity, _ = propose(ExternalObject("deals", "Deals"), fields, [], {"companies": "Companies"})
    assert [(f.name, f.type, f.entity) for f in entity.fields] == [
        ("Company", "reference", "Companies"),
        ("Owner", "string", None),
    ]


@given(SOURCE, DEFAULTS)
def test_whatever_the_source_has_the_columns_are_valid(source: list[ExternalField], defaults: list[FieldMap]) -> None:
    defaults = list({d.destination_field_name.casefold(): d for d in defaults}.values())
    entity, maps = propose(ExternalObject("x", "X"), source, defaults, {}, everything=True)
    names = [f.name.casefold() for f in entity.fields]
    assert len(names) == len(set(names)) == len(maps)
    assert [m.destination_field_name for m in maps] == [f.name for f in entity.fields]
