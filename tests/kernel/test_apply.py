"""Applying metadata: created, changed, unchanged, merged, shared by template, exported and applied again."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from attrs import frozen

from mjcore.apply import ApplyReport, apply
from mjcore.capabilities import MatchType, ProviderType, Secret, SecretType, TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.export import export
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.metadata import read
from mjcore.models import CompanyIntegration, Entity, EntityField, EntityMap, IntegrationProvider, MapVersion, Template

JSON = Any


@frozen
class Settings:
    base_url: str = "https://api.example.com"
    page: int = 100


@frozen
class Auth:
    token: Secret


@frozen
class NoConfig:
    pass


@frozen
class By:
    pattern: str


@frozen
class Keys:
    key_fields: tuple[str, ...]


@frozen
class KeysMatcher:
    fields: tuple[str, ...]

    def candidates(self, records: Any, rows: Any) -> Any:
        raise AssertionError


class PassOn:
    def apply(self, values: Any, records: Any) -> Any:
        return values


def compile_by(config: By) -> PassOn:
    if "(" in config.pattern:
        raise ConfigError(Problem("Pattern", "unbalanced parenthesis; close it"))
    return PassOn()


def compile_keys(config: Keys, entity_map: EntityMap) -> KeysMatcher:
    names = [f.name for f in entity_map.entity.fields]
    problems = [Problem(f"KeyFields[{i}]", f"no field {k!r}") for i, k in enumerate(config.key_fields) if k not in names]
    if problems:
        raise ConfigError(*problems)
    return KeysMatcher(config.key_fields)


def no_source(_: Any) -> Any:
    raise AssertionError("apply opens no connection")


class Plugin:
    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("CRM", Settings, Auth, no_source), ProviderType("ERP", NoConfig, NoConfig, no_source)]

    @hookimpl
    def mj_transform_types(self) -> Iterable[TransformType[Any]]:
        passes = TransformType("pass", NoConfig, lambda _: PassOn(), inverse=lambda _: PassOn())
        return [passes, TransformType("regex", By, compile_by)]

    @hookimpl
    def mj_match_types(self) -> Iterable[MatchType[Any]]:
        return [MatchType("KeyFields", Keys, compile_keys)]

    @hookimpl
    def mj_secret_types(self) -> Iterable[SecretType]:
        def resolve(name: str) -> str:
            if name != "TOKEN":
                raise ConfigError(f"environment variable {name!r} is not set; set it")
            return "s3cr3t"

        return [SecretType("env", resolve)]


Base = dict[str, Any]


@pytest.fixture
def kernel(shapes: Any) -> Kernel:
    return Kernel(shapes, plugins={"test": Plugin()}, discover=False)


@pytest.fixture
def base() -> Base:
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [
            {
                "Name": "Contacts",
                "Table": "contacts",
                "SoftDeleteField": "DeletedAt",
                "Fields": [
                    {"Name": "Email", "Type": "email", "MaxLength": 320},
                    {"Name": "Name"},
                    {"Name": "CompanyID", "Type": "reference", "Entity": "Firms"},
                ],
            },
            {"Name": "Firms", "Table": "firms", "Fields": [{"Name": "Domain"}, {"Name": "Revenue", "Type": "currency"}]},
        ],
        "Connections": [
            {
                "Name": "Acme CRM",
                "Company": "Acme",
                "Provider": "CRM",
                "AuthConfiguration": {"Token": "env:TOKEN"},
                "Configuration": {"BaseURL": "http://127.0.0.1:1", "RateLimit": 0},
                "EntityMaps": [
                    {
                        "ExternalObjectName": "contacts",
                        "Entity": "Contacts",
                        "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Email"], "FallbackStrategy": "CreateNew"},
                        "DeleteBehavior": "SoftDelete",
                        "Priority": 2,
                        "InitialSince": "2026-01-01T00:00:00+02:00",
                        "FieldMaps": [
                            {"SourceFieldName": "email", "DestinationFieldName": "Email", "IsKeyField": True},
                            {
                                "SourceFieldName": "name",
                                "DestinationFieldName": "Name",
                                "TransformPipeline": [{"Type": "regex", "Config": {"Pattern": "x"}, "OnError": "Null"}],
                            },
                            {"SourceFieldName": "company", "DestinationFieldName": "CompanyID"},
                        ],
                    },
                    {
                        "ExternalObjectName": "firms",
                        "Entity": "Firms",
                        "Priority": 1,
                        "FieldMaps": [
                            {"SourceFieldName": "domain", "DestinationFieldName": "Domain"},
                            {"SourceFieldName": "revenue", "DestinationFieldName": "Revenue", "DefaultValue": "0"},
                        ],
                    },
                ],
            }
        ],
    }


def told(report: ApplyReport) -> list[tuple[str, str, str]]:
    return [(c.kind, c.name, c.action) for c in report.changes]


def nothing(report: ApplyReport) -> bool:
    return not report.changes and not report.ddl and not report.remapped


# --- Once and again ----------------------------------------------------------------------------------


def test_everything_is_created(kernel: Kernel, base: Base, shapes: Any) -> None:
    report = apply(kernel, [base])
    assert told(report) == [
        ("Company", "Acme", "created"),
        ("Entity", "Contacts", "created"),
        ("Entity", "Firms", "created"),
        ("Provider", "CRM", "created"),
        ("Provider", "ERP", "created"),
        ("Connection", "Acme CRM", "created"),
        ("EntityMap", "Acme CRM: firms → Firms", "created"),
        ("EntityMap", "Acme CRM: contacts → Contacts", "created"),
    ]
    assert report.ddl == ("CREATE TABLE contacts", "CREATE INDEX ON contacts (Email)", "CREATE TABLE firms")
    (metadata,) = kernel.connections("Acme CRM")
    assert [m.external_object_name for m in metadata.entity_maps] == ["firms", "contacts"]
    assert metadata.connection.auth_configuration == {"Token": "env:TOKEN"}
    contacts = metadata.entity_maps[1]
    assert contacts.entity.field("DeletedAt") == EntityField("DeletedAt", "datetime")
    assert (contacts.entity.key_origin, contacts.entity.origin, contacts.version) == ("uuid", "Created", 1)
    assert all(m.id for m in contacts.field_maps)
    assert {v.entity_map_id for v in shapes.load(MapVersion)} == {m.id for m in metadata.entity_maps}
    assert {p.name for p in shapes.load(IntegrationProvider)} == {"CRM", "ERP"}


def test_a_second_apply_finds_nothing_to_do(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    before = shapes.everything()
    report = apply(kernel, [base])
    assert nothing(report)
    assert report.unchanged == 8 + 6 + 5  # objects, fields, field maps
    assert shapes.everything() == before


def test_a_dry_run_tells_the_same_and_writes_nothing(kernel: Kernel, base: Base, shapes: Any) -> None:
    before = shapes.everything()
    dry = apply(kernel, [base], dry_run=True)
    assert dry.is_dry_run
    assert shapes.everything() == before
    wet = apply(kernel, [base])
    assert (told(dry), dry.ddl) == (told(wet), wet.ddl)


def test_an_export_applies_to_nothing_changed(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    before = shapes.everything()
    document = export(kernel.store)
    assert nothing(apply(kernel, [document]))
    assert shapes.everything() == before
    assert document["Connections"][0]["AuthConfiguration"] == {"Token": "env:TOKEN"}
    assert "s3cr3t" not in str(document)


def test_an_export_builds_the_same_store_anew(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    document = export(kernel.store)
    other = Kernel(type(shapes)(), plugins={"test": Plugin()}, discover=False)
    apply(other, [document])
    assert export(other.store) == document


# --- Changes -----------------------------------------------------------------------------------------


Edit = Callable[[Base], Any]


def contacts_of(base: Base) -> Any:
    return base["Connections"][0]["EntityMaps"][0]


@pytest.mark.parametrize(
    ("edit", "changes", "bumps"),
    [
        (lambda b: b["Connections"][0].update(Description="x"), [("Connection", "changed", "Description", "", "x")], False),
        (lambda b: contacts_of(b).update(Priority=7), [("EntityMap", "changed", "Priority", 2, 7)], False),
        (
            lambda b: contacts_of(b)["FieldMaps"][0].update(SourceFieldLabel="Mail"),
            [("FieldMap", "changed", "SourceFieldLabel", "", "Mail")],
            False,
        ),
        (
            lambda b: contacts_of(b)["FieldMaps"][0].update(SourceFieldName="mail"),
            [("EntityMap", "changed", "Version", 1, 2), ("FieldMap", "changed", "SourceFieldName", "email", "mail")],
            True,
        ),
        (
            lambda b: contacts_of(b)["FieldMaps"].pop(1),
            [("EntityMap", "changed", "Version", 1, 2), ("FieldMap", "removed")],
            True,
        ),
        (
            lambda b: b["Entities"][0]["Fields"][0].update(MaxLength=400),
            [("Field", "changed", "MaxLength", 320, 400), ("EntityMap", "changed", "Version", 1, 2)],
            True,
        ),
        (
            lambda b: contacts_of(b)["MatchStrategy"].update(FallbackStrategy="Skip"),
            None,
            True,
        ),
        (
            lambda b: contacts_of(b).update(Status="Inactive"),
            [("EntityMap", "deactivated", "Status", "Active", "Inactive")],
            False,
        ),
    ],
)
def test_a_change_is_told_key_by_key_and_counts_as_a_version_if_records_come_out_differently(
    kernel: Kernel, base: Base, shapes: Any, edit: Edit, changes: Any, bumps: bool
) -> None:
    apply(kernel, [base])
    before = {m.id: m for m in shapes.load(EntityMap)}
    edit(base)
    report = apply(kernel, [base])
    found: list[Any] = [(c.kind, c.action, v.key, v.old, v.new) for c in report.changes for v in c.values]
    found += [(c.kind, c.action) for c in report.changes if not c.values]
    assert changes is None or sorted(map(str, found)) == sorted(map(str, changes))
    assert report.changes
    after = {m.id: m for m in shapes.load(EntityMap)}
    assert sum(m.version - before[id_].version for id_, m in after.items()) == bumps
    assert len(shapes.load(MapVersion)) == 2 + bumps
    assert len(report.remapped) == bumps
    assert nothing(apply(kernel, [base]))


def test_how_many_records_are_mapped_anew(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    contacts = next(m for m in shapes.load(EntityMap) if m.external_object_name == "contacts")
    shapes.links[contacts.id] = 37
    contacts_of(base)["FieldMaps"][0]["SourceFieldName"] = "mail"
    (remapped,) = apply(kernel, [base], dry_run=True).remapped
    assert (remapped.entity_map, remapped.records) == ("Acme CRM: contacts → Contacts", 37)


def test_new_fields_extend_the_table(kernel: Kernel, base: Base) -> None:
    apply(kernel, [base])
    base["Entities"][1]["Fields"].append({"Name": "City"})
    report = apply(kernel, [base])
    assert report.ddl == ("ALTER TABLE firms ADD City",)
    assert told(report) == [("Field", "Firms.City", "created")]


def test_a_new_match_key_of_a_table_that_the_file_leaves_out_is_indexed(kernel: Kernel, base: Base) -> None:
    apply(kernel, [base])
    contacts_of(base)["MatchStrategy"]["KeyFields"] = ["Name"]
    del base["Entities"]
    assert apply(kernel, [base]).ddl == ("CREATE INDEX ON contacts (Name)",)


# --- Leaving out ---------------------------------------------------------------------------------------


def test_what_is_left_out_stays(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    before = shapes.everything()
    assert nothing(apply(kernel, [{}]))
    smaller = deepcopy(base)
    smaller["Connections"][0]["EntityMaps"].pop()
    del smaller["Entities"], smaller["Companies"]
    assert nothing(apply(kernel, [smaller]))
    assert shapes.everything() == before


def test_prune_sets_what_is_left_out_to_inactive(kernel: Kernel, base: Base, shapes: Any) -> None:
    other = {**deepcopy(base["Connections"][0]), "Name": "Other CRM"}
    apply(kernel, [{**base, "Connections": [*base["Connections"], other]}])
    base["Connections"][0]["EntityMaps"].pop()
    report = apply(kernel, [base], prune=True)
    assert told(report) == [("Connection", "Other CRM", "deactivated"), ("EntityMap", "Acme CRM: firms → Firms", "deactivated")]
    assert nothing(apply(kernel, [base], prune=True))
    assert {c.name: c.status for c in shapes.load(CompanyIntegration)} == {"Acme CRM": "Active", "Other CRM": "Inactive"}


def test_a_map_without_field_maps_keeps_the_stored_ones(kernel: Kernel, base: Base) -> None:
    apply(kernel, [base])
    del contacts_of(base)["FieldMaps"]
    assert nothing(apply(kernel, [base]))


# --- Identity ------------------------------------------------------------------------------------------


def test_with_an_id_a_name_may_change(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    (before,) = kernel.connections("Acme CRM")
    document = deepcopy(dict(export(kernel.store)))
    document["Connections"][0]["Name"] = "Renamed"
    document["Companies"][0]["Name"] = "Acme Inc"
    document["Connections"][0]["Company"] = "Acme Inc"
    report = apply(kernel, [document])
    assert [c for c in told(report) if c[2] == "created"] == []
    (after,) = kernel.connections("Renamed")
    assert after.connection.id == before.connection.id
    assert [m.id for m in after.entity_maps] == [m.id for m in before.entity_maps]
    assert (after.company.id, after.company.name) == (before.company.id, "Acme Inc")
    assert len(shapes.load(CompanyIntegration)) == 1


def test_pointing_a_map_with_links_elsewhere_is_refused(kernel: Kernel, base: Base, shapes: Any) -> None:
    apply(kernel, [base])
    document = deepcopy(dict(export(kernel.store)))
    contacts = next(m for m in document["Connections"][0]["EntityMaps"] if m["ExternalObjectName"] == "contacts")
    contacts["ExternalObjectName"] = "people"
    assert not nothing(apply(kernel, [document], dry_run=True))
    shapes.links[contacts["ID"]] = 5
    with pytest.raises(ConfigError, match=r"5 records are linked as contacts → Contacts \(contacts\); leave ID out"):
        apply(kernel, [document])


def test_several_field_maps_of_one_destination_keep_their_ids(kernel: Kernel, base: Base, shapes: Any) -> None:
    contacts_of(base)["FieldMaps"].append({"SourceFieldName": "second", "DestinationFieldName": "Name", "Priority": 5})
    apply(kernel, [base])
    before = shapes.everything()
    assert nothing(apply(kernel, [base]))
    assert nothing(apply(kernel, [export(kernel.store)]))
    assert shapes.everything() == before


# --- Merging -------------------------------------------------------------------------------------------


def test_a_later_file_wins_key_by_key(kernel: Kernel, base: Base) -> None:
    over = {
        "Connections": [
            {
                "Name": "Acme CRM",
                "Configuration": {"BaseURL": "https://crm.example.com"},
                "EntityMaps": [
                    {
                        "ExternalObjectName": "contacts",
                        "Priority": 9,
                        "FieldMaps": [{"DestinationFieldName": "Name", "SourceFieldName": "fullname"}],
                    }
                ],
            }
        ],
        "Entities": [{"Name": "Firms", "Fields": [{"Name": "City"}]}],
    }
    (connection,) = read(kernel, [base, over]).connections
    assert connection.connection.configuration == {"BaseURL": "https://crm.example.com", "RateLimit": 0}
    contacts = connection.entity_maps[-1]
    assert (contacts.priority, contacts.delete_behavior) == (9, "SoftDelete")
    assert [m.source_field_name for m in contacts.field_maps] == ["email", "fullname", "company"]
    assert contacts.field_maps[1].transform_pipeline[0].type == "regex"
    firms = next(e for e in read(kernel, [base, over]).entities if e.name == "Firms")
    assert [f.name for f in firms.fields] == ["Domain", "Revenue", "City"]


# --- Adopted tables --------------------------------------------------------------------------------------


@pytest.fixture
def legacy(shapes: Any, base: Base) -> Base:
    columns = (
        EntityField("no", "number", number="integer", is_required=True),
        EntityField("mail", max_length=50),
        EntityField("x"),
    )
    shapes.tables["legacy"] = Entity("legacy", "legacy", ("no",), fields=columns, key_origin="database", origin="Adopted")
    base["Entities"] = [{"Name": "Contacts", "Table": "legacy"}]
    base["Connections"][0]["EntityMaps"] = [
        {
            "ExternalObjectName": "contacts",
            "Entity": "Contacts",
            "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["mail"]},
            "FieldMaps": [{"SourceFieldName": "email", "DestinationFieldName": "mail"}],
        }
    ]
    return base


def test_a_table_that_is_there_is_taken_as_it_is(kernel: Kernel, legacy: Base, shapes: Any) -> None:
    report = apply(kernel, [legacy])
    (entity,) = shapes.load(Entity)
    assert (entity.origin, entity.primary_key, entity.key_origin) == ("Adopted", ("no",), "database")
    assert entity.field("mail") == EntityField("mail", max_length=50)
    assert report.ddl == ()
    (warning,) = report.warnings
    assert warning.path == "Entities[Contacts]"
    assert "records are matched by mail, which has no index" in warning.message
    assert "CREATE INDEX ON legacy (mail)" in warning.message
    assert nothing(apply(kernel, [legacy]))
    assert nothing(apply(kernel, [export(kernel.store)]))


def test_fields_say_more_of_the_columns_that_are_there_and_add_new_ones(kernel: Kernel, legacy: Base, shapes: Any) -> None:
    legacy["Entities"][0]["Fields"] = [{"Name": "mail", "Type": "email"}, {"Name": "City"}]
    report = apply(kernel, [legacy])
    (entity,) = shapes.load(Entity)
    assert entity.field("mail") == EntityField("mail", "email", max_length=50)
    assert [f.name for f in entity.fields] == ["no", "mail", "x", "City"]
    assert report.ddl == ("ALTER TABLE legacy ADD City",)
    assert nothing(apply(kernel, [legacy]))
    assert nothing(apply(kernel, [export(kernel.store)]))


# --- Templates -------------------------------------------------------------------------------------------


@pytest.fixture
def shared(base: Base) -> Base:
    """Two connections of one template; the second overrides a key of one map and a field map."""
    maps = base["Connections"][0].pop("EntityMaps")
    base["Templates"] = [{"Name": "Standard", "Provider": "CRM", "EntityMaps": maps}]
    base["Connections"][0]["Template"] = "Standard"
    override = {
        "ExternalObjectName": "contacts",
        "DeleteBehavior": "DoNothing",
        "FieldMaps": [{"DestinationFieldName": "Name", "SourceFieldName": "fullname"}],
    }
    base["Connections"].append({**base["Connections"][0], "Name": "Beta CRM", "EntityMaps": [override]})
    return base


def contacts_map(kernel: Kernel, connection: str) -> EntityMap:
    (metadata,) = kernel.connections(connection)
    return next(m for m in metadata.entity_maps if m.external_object_name == "contacts")


def test_a_template_is_laid_under_the_maps_of_its_connections(kernel: Kernel, shared: Base, shapes: Any) -> None:
    apply(kernel, [shared])
    acme, beta = contacts_map(kernel, "Acme CRM"), contacts_map(kernel, "Beta CRM")
    assert (acme.delete_behavior, beta.delete_behavior) == ("SoftDelete", "DoNothing")
    assert [m.source_field_name for m in acme.field_maps] == ["email", "name", "company"]
    assert [m.source_field_name for m in beta.field_maps] == ["email", "fullname", "company"]
    assert acme.id != beta.id
    assert len(shapes.load(Template)) == 1
    assert len(kernel.connections(template="Standard")) == 2
    assert nothing(apply(kernel, [shared]))


def test_a_changed_template_changes_all_its_connections_but_what_they_override(kernel: Kernel, shared: Base) -> None:
    apply(kernel, [shared])
    maps = shared["Templates"][0]["EntityMaps"]
    maps[0]["Priority"] = 5
    maps[0]["DeleteBehavior"] = "HardDelete"
    maps[0]["FieldMaps"][1]["SourceFieldName"] = "label"
    maps[0]["FieldMaps"][0]["SourceFieldName"] = "mail"
    report = apply(kernel, [{"Templates": shared["Templates"]}])
    acme, beta = contacts_map(kernel, "Acme CRM"), contacts_map(kernel, "Beta CRM")
    assert (acme.priority, beta.priority) == (5, 5)
    assert (acme.delete_behavior, beta.delete_behavior) == ("HardDelete", "DoNothing")
    assert [m.source_field_name for m in acme.field_maps] == ["mail", "label", "company"]
    assert [m.source_field_name for m in beta.field_maps] == ["mail", "fullname", "company"]
    assert len(report.remapped) == 2
    assert nothing(apply(kernel, [shared]))


def test_connections_of_a_template_are_exported_by_what_they_override(kernel: Kernel, shared: Base, shapes: Any) -> None:
    apply(kernel, [shared])
    before = shapes.everything()
    document = export(kernel.store)
    acme, beta = document["Connections"]
    assert "EntityMaps" not in acme
    (override,) = beta["EntityMaps"]
    assert override["DeleteBehavior"] == "DoNothing"
    (field_map,) = override["FieldMaps"]
    assert field_map["SourceFieldName"] == "fullname"
    assert "TransformPipeline" not in field_map
    assert nothing(apply(kernel, [document]))
    assert shapes.everything() == before


def test_a_renamed_template_keeps_its_connections(kernel: Kernel, shared: Base) -> None:
    apply(kernel, [shared])
    template = deepcopy(export(kernel.store)["Templates"][0])
    template["Name"] = "Usual"
    apply(kernel, [{"Templates": [template]}])
    assert len(kernel.connections(template="Usual")) == 2


# --- Warnings --------------------------------------------------------------------------------------------


def test_what_may_be_meant_but_will_not_work_is_warned_of(kernel: Kernel, base: Base) -> None:
    base["Connections"][0]["AuthConfiguration"]["Token"] = "env:UNSET"
    base["Connections"][0]["EntityMaps"].pop(1)
    del contacts_of(base)["MatchStrategy"]
    warnings = {w.path: w.message for w in apply(kernel, [base]).warnings}
    assert warnings["Connections[0].AuthConfiguration.Token"] == "environment variable 'UNSET' is not set; set it"
    assert "'CompanyID' points to Firms, which no map of this connection fills" in warnings["Connections[0].EntityMaps"]
    assert "IsKeyField has no effect" in warnings["Connections[0].EntityMaps[0].MatchStrategy"]
