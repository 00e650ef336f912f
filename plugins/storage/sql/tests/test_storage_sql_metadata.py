"""The stored metadata: every kind comes back as it was saved."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import asdict, evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mjcore.errors import StoreError
from mjcore.models import (
    Company,
    CompanyIntegration,
    Entity,
    EntityField,
    EntityMap,
    FieldMap,
    IntegrationProvider,
    IntegrationRun,
    IntegrationRunDetail,
    MapVersion,
    Template,
    TransformStep,
)
from mjcore.store import Store

pytestmark = pytest.mark.parametrize("database", ["memory", "sqlite", "postgresql"], indirect=True)

AT = datetime(2026, 3, 1, 12, 30, 59, 123456, UTC)
DEEP: Any = {
    "Größe": 2**64 + 1,
    "Rate": 0.1,
    "List": [1, None, True, {"東": "京 \U0001f600"}],
    "Empty": {},
    "": "",
    "Quote": "'\"\\",
}
COMPANY = Company("c1", "Acme, 東京 \U0001f600 'GmbH'")
PROVIDER = IntegrationProvider(
    "p1", "HubSpot", "About", "fa-hubspot", "mj_provider_hubspot", False, "Bidirectional", status="Inactive"
)
TEMPLATE = Template("t1", "Shared", "HubSpot", ({"ExternalObjectName": "contacts", "FieldMaps": [DEEP]}, {}))
CONNECTION = CompanyIntegration(
    "i1", "Acme HubSpot", "c1", "p1", "About", "https://example.test", DEEP, {"Token": "env:TOKEN"}, "Error", "Push", AT, AT, "t1"
)
FIELDS = (
    EntityField("Email", "email", 320, is_required=True, is_unique=True),
    EntityField("Amount", "currency", exact=True, precision=12, scale=2),
    EntityField("Company", "reference", entity="Companies"),
    EntityField("At", "datetime", fraction_digits=3, has_zone=False, number="numeric"),
)
ENTITY = Entity("Contacts", 'con"tacts', ("Region", "No"), "DeletedAt", "At", FIELDS, "mapped", "Adopted", "e1")
FIELD_MAPS = (
    FieldMap("b", "Email", (TransformStep("text", DEEP, "Null"), TransformStep("direct")), True, True, DEEP, id="f2"),
    FieldMap("a", "Name", (), False, False, None, "Both", 7, True, "A", "Name", "Inactive", "f1"),
    FieldMap("c", "Other", default_value=False, id="f3"),
)
MAP = EntityMap(
    "contacts", ENTITY, FIELD_MAPS, {"Strategy": "KeyFields", "KeyFields": ["Email"]}, "Manual", "SoftDelete", 3, 4,
    "Bidirectional", False, "Contacts", AT, DEEP, "Inactive", 5, "i1", "m1",
)  # fmt: skip
VERSION = MapVersion("v1", "m1", 5, DEEP, AT)
RUN = IntegrationRun("r1", "i1", "Push", "Failed", AT, "Webhook", AT, 1, 2, 3, 4, 5, 6, 7, 8, "it broke", DEEP, "user", "job")
DETAIL = IntegrationRunDetail("d1", "r1", "m1", "Partial", AT, AT, 1, 2, 3, 4, 5, 6, 7, 8, "some failed", DEEP, "before", "after")
EVERYTHING = (COMPANY, ENTITY, PROVIDER, TEMPLATE, CONNECTION, MAP, VERSION, RUN, DETAIL)


@pytest.mark.parametrize("saved", EVERYTHING, ids=lambda o: type(o).__name__)
def test_what_was_saved_comes_back(store: Store, saved: Any) -> None:
    store.save(EVERYTHING)
    assert list(store.load(type(saved))) == [saved]
    store.save(EVERYTHING)
    assert list(store.load(type(saved), id=saved.id)) == [saved]


BARE = (
    Company("c1", "Acme"),
    Entity("Contacts", "contacts", id="e1"),
    IntegrationProvider("p1", "HubSpot"),
    Template("t1", "Shared", "HubSpot"),
    CompanyIntegration("i1", "Acme HubSpot", "c1", "p1"),
    EntityMap("contacts", Entity("Contacts", "contacts", id="e1"), company_integration_id="i1", id="m1"),
    MapVersion("v1", "m1", 1, {}, AT),
    IntegrationRun("r1", "i1", "Pull", "Running", AT),
    IntegrationRunDetail("d1", "r1", "m1", "Running", AT),
)


@pytest.mark.parametrize("saved", BARE, ids=lambda o: type(o).__name__)
def test_saving_replaces_every_attribute(store: Store, saved: Any) -> None:
    store.save(EVERYTHING)
    store.save(BARE)
    assert list(store.load(type(saved))) == [saved]


@pytest.mark.parametrize("saved", EVERYTHING, ids=lambda o: type(o).__name__)
def test_where_compares_attributes(store: Store, saved: Any) -> None:
    store.save(EVERYTHING)
    plain: dict[str, Any] = {
        name: value for name, value in asdict(saved, recurse=False).items() if isinstance(value, str | bool | int | None)
    }
    assert "id" in plain
    for name, value in plain.items():
        assert list(store.load(type(saved), **{name: value})) == [saved], name
    assert list(store.load(type(saved), **plain)) == [saved]
    assert not store.load(type(saved), **{**plain, "id": "another"})


def test_none_is_a_value_to_look_for(store: Store) -> None:
    plain = CompanyIntegration("i2", "Plain", "c1", "p1")
    store.save([*EVERYTHING, plain])
    assert list(store.load(CompanyIntegration, template_id=None)) == [plain]
    assert list(store.load(IntegrationRun, error_message=None)) == []


def test_objects_come_in_the_order_of_their_ids(store: Store) -> None:
    companies = [Company(id_, f"Company {id_}") for id_ in ("b", "B", "a", "ä", "10", "9", "_")]
    store.save(companies)
    assert [c.id for c in store.load(Company)] == sorted(c.id for c in companies)


def test_an_entity_map_carries_its_entity_as_it_is_now(store: Store) -> None:
    store.save(EVERYTHING)
    entity = evolve(ENTITY, name="People", fields=(*FIELDS, EntityField("More", "json")))
    store.save([entity])
    assert list(store.load(EntityMap)) == [evolve(MAP, entity=entity)]


def test_saving_an_entity_map_replaces_its_field_maps(store: Store) -> None:
    other = evolve(MAP, external_object_name="companies", id="m2", field_maps=(FieldMap("x", "X", id="f9"),))
    store.save([*EVERYTHING, other])
    fewer = evolve(MAP, field_maps=(FieldMap("new", "New", id="f0"), evolve(FIELD_MAPS[1], priority=8)))
    store.save([fewer])
    assert list(store.load(EntityMap)) == [fewer, other]


def test_what_is_removed_is_gone_with_its_parts(store: Store) -> None:
    store.save(EVERYTHING)
    store.save([Company("c2", "Other")], remove=[DETAIL, RUN, VERSION, MAP])
    assert not any(store.load(kind) for kind in (IntegrationRunDetail, IntegrationRun, MapVersion, EntityMap))
    assert [c.id for c in store.load(Company)] == ["c1", "c2"]
    store.save([evolve(MAP, field_maps=())])
    assert list(store.load(EntityMap)) == [evolve(MAP, field_maps=())]


def test_saving_is_all_or_nothing(store: Store) -> None:
    with pytest.raises((StoreError, TypeError)):
        store.save([COMPANY, object()])
    assert not store.load(Company)


def test_saving_nothing_does_nothing(store: Store) -> None:
    store.save([])
    assert not store.load(Company)


def test_instants_are_kept_whatever_their_zone(store: Store) -> None:
    store.save(EVERYTHING)
    local = datetime(1, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=5, minutes=30)))
    late = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    store.save([evolve(RUN, started_at=local, completed_at=late)])
    (run,) = store.load(IntegrationRun)
    assert (run.started_at, run.completed_at) == (local, late)
    assert run.started_at.tzinfo is not None


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.dictionaries(TEXT, ANY, max_size=4), TEXT)
def test_any_configuration_comes_back(store: Store, configuration: dict[str, Any], text: str) -> None:
    store.save([COMPANY, PROVIDER, CompanyIntegration("i1", "Any", "c1", "p1", text, configuration=configuration)])
    (found,) = store.load(CompanyIntegration)
    assert json.dumps(found.configuration, sort_keys=True) == json.dumps(configuration, sort_keys=True)
    assert found.description == text


def test_a_scene_is_stored_whole(store: Store, stage: Callable[..., Any]) -> None:
    scene = stage(store)
    (entity_map,) = store.load(EntityMap, company_integration_id=scene.connection.id)
    assert entity_map == scene.context.entity_map


def test_the_newest_of_many_come_in_the_order_of_their_ids(store: Store) -> None:
    store.save(EVERYTHING)
    runs = [IntegrationRun(f"r{i}", "i1", "Pull", "Failed" if i % 2 else "Completed", AT) for i in range(2, 9)]
    store.save(runs)
    assert [r.id for r in store.load(IntegrationRun, newest=3)] == ["r6", "r7", "r8"]
    assert [r.id for r in store.load(IntegrationRun, newest=2, status="Failed")] == ["r5", "r7"]
    assert [r.id for r in store.load(IntegrationRun, newest=100)] == [f"r{i}" for i in range(1, 9)]


def test_a_map_whose_entity_is_gone_says_what_to_do(store: Store, scene: Any) -> None:
    entity_map = scene.context.entity_map
    assert store.load(EntityMap, id=entity_map.id) == [entity_map]
    store.save([], remove=[scene.entity])
    with pytest.raises(StoreError, match=rf"'contacts' \({entity_map.id}\) fills the entity {scene.entity.id}.*put its row back"):
        store.load(EntityMap, id=entity_map.id)
    assert store.load(EntityMap, id="another") == []
