"""Bad metadata: each fault is named with its path and a remedy, all at once, and nothing is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from attrs import field, frozen, validators
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mjcore.apply import apply, read
from mjcore.capabilities import MatchType, ProviderType, Secret, SecretType, TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.models import Entity, EntityField, EntityMap

Raw = dict[str, Any]
Edit = Callable[[Raw], Any]


# --- A small world -----------------------------------------------------------------------------------


@frozen
class Settings:
    base_url: str = "https://api.example.com"
    page: int = field(default=100, validator=validators.ge(1))


@frozen
class Auth:
    token: Secret
    user: str = ""


@frozen
class NoConfig:
    pass


@frozen
class By:
    pattern: str
    flags: str = ""


@frozen
class Table:
    map: Mapping[str, str]


@frozen
class Keys:
    key_fields: tuple[str, ...]


@frozen
class KeysMatcher:
    fields: tuple[str, ...]

    def candidates(self, records: Any, rows: Any) -> Any:
        raise AssertionError


class PassOn:
    def apply(self, values: Sequence[Any], records: Sequence[Any]) -> Sequence[Any]:
        return values


def compile_by(config: By) -> PassOn:
    if "(" in config.pattern:
        raise ConfigError(Problem("Pattern", "unbalanced parenthesis at 0; close it"))
    return PassOn()


def invert(config: Table) -> PassOn:
    if len(set(config.map.values())) < len(config.map):
        raise ConfigError(Problem("Map", "not invertible: two keys lead to one value"))
    return PassOn()


def compile_keys(config: Keys, entity_map: EntityMap) -> KeysMatcher:
    filled = {m.destination_field_name for m in entity_map.field_maps}
    faults = [Problem(f"KeyFields[{i}]", f"no field map fills {k!r}") for i, k in enumerate(config.key_fields) if k not in filled]
    if faults:
        raise ConfigError(*faults)
    return KeysMatcher(config.key_fields)


def no_source(_: Any) -> Any:
    raise AssertionError("apply opens no connection")


class Plugin:
    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("CRM", Settings, Auth, no_source), ProviderType("ERP", NoConfig, NoConfig, no_source)]

    @hookimpl
    def mj_transform_types(self) -> Iterable[TransformType[Any]]:
        return [
            TransformType("upper", NoConfig, lambda _: PassOn()),
            TransformType("regex", By, compile_by),
            TransformType("lookup", Table, lambda _: PassOn(), inverse=invert),
        ]

    @hookimpl
    def mj_match_types(self) -> Iterable[MatchType[Any]]:
        return [MatchType("KeyFields", Keys, compile_keys)]

    @hookimpl
    def mj_secret_types(self) -> Iterable[SecretType]:
        return [SecretType("env", lambda name: name)]


def good() -> Raw:
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
                    {"Name": "Age", "Type": "number"},
                    {"Name": "CompanyID", "Type": "reference", "Entity": "Firms"},
                ],
            },
            {"Name": "Firms", "Table": "firms", "Fields": [{"Name": "Domain"}]},
            {"Name": "Old", "Table": "legacy"},
        ],
        "Templates": [{"Name": "Standard", "Provider": "CRM", "EntityMaps": [firms_map()]}],
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
                        "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Email"]},
                        "DeleteBehavior": "SoftDelete",
                        "FieldMaps": [
                            {"SourceFieldName": "email", "DestinationFieldName": "Email"},
                            {
                                "SourceFieldName": "name",
                                "DestinationFieldName": "Name",
                                "TransformPipeline": [{"Type": "regex", "Config": {"Pattern": "x"}}],
                            },
                            {"SourceFieldName": "company", "DestinationFieldName": "CompanyID"},
                        ],
                    },
                    firms_map(),
                ],
            },
            {
                "Name": "Beta CRM",
                "Company": "Acme",
                "Provider": "CRM",
                "AuthConfiguration": {"Token": "env:TOKEN"},
                "Template": "Standard",
            },
        ],
    }


def firms_map() -> Raw:
    return {
        "ExternalObjectName": "firms",
        "Entity": "Firms",
        "FieldMaps": [{"SourceFieldName": "domain", "DestinationFieldName": "Domain"}],
    }


def entity(raw: Raw, index: int = 0) -> Any:
    return raw["Entities"][index]


def connection(raw: Raw) -> Any:
    return raw["Connections"][0]


def entity_map(raw: Raw) -> Any:
    return raw["Connections"][0]["EntityMaps"][0]


def field_map(raw: Raw, index: int = 0) -> Any:
    return raw["Connections"][0]["EntityMaps"][0]["FieldMaps"][index]


def step(raw: Raw) -> Any:
    return field_map(raw, 1)["TransformPipeline"][0]


def both_ways(*steps: Raw) -> Edit:
    return lambda raw: field_map(raw, 1).update(Direction="Both", TransformPipeline=list(steps))


@pytest.fixture
def kernel(shapes: Any) -> Kernel:
    columns = (EntityField("no", "number", is_required=True), EntityField("Mail", is_required=True), EntityField("Day", "date"))
    shapes.tables["legacy"] = Entity("", "legacy", ("no",), fields=columns, key_origin="database", origin="Adopted")
    return Kernel(shapes, plugins={"test": Plugin()}, discover=False)


def problems(kernel: Kernel, *documents: Raw) -> list[Problem]:
    with pytest.raises(ConfigError) as error:
        apply(kernel, documents)
    return list(error.value.problems)


C0 = "Connections[0]"
M0 = f"{C0}.EntityMaps[0]"
F0, F1 = f"{M0}.FieldMaps[0]", f"{M0}.FieldMaps[1]"
S0 = f"{F1}.TransformPipeline[0]"

FAULTS: list[tuple[str, Edit, str, str]] = [
    # the shape of the file
    ("unknown section", lambda r: r.update(Conections=[]), "Conections", "unknown, did you mean 'Connections'?"),
    ("section is no list", lambda r: r.update(Companies={"Name": "x"}), "Companies", "a list expected"),
    ("entry is no mapping", lambda r: r["Companies"].append("Beta"), "Companies[1]", "a mapping expected, found the text 'Beta'"),
    ("empty entry", lambda r: r["Companies"].append(None), "Companies[1]", "a mapping expected, found null"),
    ("unknown key", lambda r: entity(r).update(Tabel="x"), "Entities[0].Tabel", "unknown, did you mean 'Table'?"),
    ("missing key", lambda r: connection(r).pop("Company"), f"{C0}.Company", "missing"),
    ("wrong type", lambda r: entity_map(r).update(Priority="1"), f"{M0}.Priority", "a whole number expected, found the text '1'"),
    ("text for a boolean", lambda r: field_map(r).update(IsRequired="no"), f"{F0}.IsRequired", "true or false expected"),
    (
        "unknown choice",
        lambda r: entity_map(r).update(ConflictResolution="SourceWin"),
        f"{M0}.ConflictResolution",
        "did you mean",
    ),
    (
        "unknown field type",
        lambda r: entity(r)["Fields"][0].update(Type="mail"),
        "Entities[0].Fields[0].Type",
        "did you mean 'email'?",
    ),
    ("no instant", lambda r: entity_map(r).update(InitialSince="2026-01-01"), f"{M0}.InitialSince", "an instant with its zone"),
    ("no UUID", lambda r: connection(r).update(ID="17"), f"{C0}.ID", "a UUID in small letters expected; leave it out"),
    # companies, entities
    (
        "unknown company",
        lambda r: connection(r).update(Company="Acne"),
        f"{C0}.Company",
        "did you mean 'Acme'?; add it to Companies",
    ),
    ("company twice", lambda r: r["Companies"].append({"Name": "Acme"}), "Companies[1].Name", "is there twice; Companies[0]"),
    ("entity twice", lambda r: r["Entities"].append(entity(r)), "Entities[3].Name", "is there twice"),
    (
        "table twice",
        lambda r: entity(r, 1).update(Table="contacts"),
        "Entities[1].Table",
        "it is the table of 'Contacts' already",
    ),
    ("reserved table", lambda r: entity(r, 1).update(Table="mj_run"), "Entities[1].Table", "the engine's own; choose another"),
    (
        "no such table",
        lambda r: entity(r, 2).update(Table="legasy"),
        "Entities[2].Table",
        "no table 'legasy'; correct the name, or list",
    ),
    ("field twice", lambda r: entity(r)["Fields"].append({"Name": "email"}), "Entities[0].Fields[4].Name", "is there twice"),
    (
        "reference to nothing",
        lambda r: entity(r)["Fields"][3].pop("Entity"),
        "Entities[0].Fields[3].Entity",
        "missing: a reference",
    ),
    (
        "unknown entity",
        lambda r: entity(r)["Fields"][3].update(Entity="Firm"),
        "Entities[0].Fields[3].Entity",
        "did you mean 'Firms'?",
    ),
    (
        "no reference",
        lambda r: entity(r)["Fields"][1].update(Entity="Firms"),
        "Entities[0].Fields[1].Entity",
        "only a field of type",
    ),
    (
        "length of a number",
        lambda r: entity(r)["Fields"][2].update(MaxLength=5),
        "Entities[0].Fields[2].MaxLength",
        "that holds text",
    ),
    (
        "exact text",
        lambda r: entity(r)["Fields"][1].update(Exact=True),
        "Entities[0].Fields[1].Exact",
        "only a number can be exact",
    ),
    (
        "scale",
        lambda r: entity(r)["Fields"][2].update(Precision=5, Scale=6),
        "Entities[0].Fields[2].Scale",
        "not above Precision",
    ),
    (
        "wrong column type",
        lambda r: entity(r, 2).update(Fields=[{"Name": "Day"}]),
        "Entities[2].Fields[0].Type",
        "holds date, not string",
    ),
    (
        "new required column",
        lambda r: entity(r, 2).update(Fields=[{"Name": "City", "IsRequired": True}]),
        "Entities[2].Fields[0].IsRequired",
        "cannot be added to a table that is there already",
    ),
    (
        "no soft-delete column",
        lambda r: entity(r, 2).update(SoftDeleteField="Gone"),
        "Entities[2].SoftDeleteField",
        "no column 'Gone'",
    ),
    (
        "soft delete by text",
        lambda r: entity(r).update(SoftDeleteField="Name"),
        "Entities[0].SoftDeleteField",
        "boolean or datetime",
    ),
    (
        "no updated-at column",
        lambda r: entity(r, 2).update(UpdatedAtField="Dag"),
        "Entities[2].UpdatedAtField",
        "did you mean 'Day'?",
    ),
    ("no key column", lambda r: entity(r, 2).update(PrimaryKey=["nr"]), "Entities[2].PrimaryKey[0]", "no column 'nr'"),
    ("key is no field", lambda r: entity(r).update(PrimaryKey=["Email", "b"]), "Entities[0].PrimaryKey[1]", "add it to Fields"),
    # connections
    (
        "unknown provider",
        lambda r: connection(r).update(Provider="CRN"),
        f"{C0}.Provider",
        "did you mean 'CRM'? (installed: CRM, ERP)",
    ),
    ("connection twice", lambda r: r["Connections"][1].update(Name="Acme CRM"), "Connections[1].Name", "is there twice"),
    ("unknown setting", lambda r: connection(r)["Configuration"].update(BaseUrl="x"), f"{C0}.Configuration.BaseUrl", "'BaseURL'"),
    ("bad setting", lambda r: connection(r)["Configuration"].update(Page=0), f"{C0}.Configuration.Page", "must be >= 1"),
    (
        "rate limit",
        lambda r: connection(r)["Configuration"].update(RateLimit=-1),
        f"{C0}.Configuration.RateLimit",
        "0 is no limit",
    ),
    ("missing secret", lambda r: connection(r)["AuthConfiguration"].pop("Token"), f"{C0}.AuthConfiguration.Token", "missing"),
    (
        "literal secret",
        lambda r: connection(r)["AuthConfiguration"].update(Token="pat-eu1-s3cr3t"),
        f"{C0}.AuthConfiguration.Token",
        "a reference to a secret (env:NAME, file:PATH) expected",
    ),
    (
        "unknown secret scheme",
        lambda r: connection(r)["AuthConfiguration"].update(Token="s3cr3t:more"),
        f"{C0}.AuthConfiguration.Token",
        "of a scheme that is installed: env",
    ),
    ("direction", lambda r: connection(r).update(SyncDirection="Push"), f"{C0}.SyncDirection", "CRM cannot Push, only Pull"),
    ("map's direction", lambda r: entity_map(r).update(SyncDirection="Bidirectional"), f"{M0}.SyncDirection", "cannot Push"),
    ("unknown template", lambda r: connection(r).update(Template="Standart"), f"{C0}.Template", "did you mean 'Standard'?"),
    (
        "template of another provider",
        lambda r: r["Templates"][0].update(Provider="ERP"),
        "Connections[1].Template",
        "'Standard' is for ERP, not for CRM",
    ),
    (
        "fault in a template",
        lambda r: r["Templates"][0]["EntityMaps"][0].update(Entity="Firm"),
        "Templates[0].EntityMaps[0].Entity",
        "Firms",
    ),
    # entity maps
    ("unknown entity of a map", lambda r: entity_map(r).update(Entity="Contact"), f"{M0}.Entity", "did you mean 'Contacts'?"),
    ("map twice", lambda r: connection(r)["EntityMaps"].append(entity_map(r)), f"{C0}.EntityMaps[2]", "is mapped twice"),
    (
        "no field maps",
        lambda r: entity_map(r).update(FieldMaps=[], MatchStrategy={}),
        f"{M0}.FieldMaps",
        "nothing would be written",
    ),
    (
        "soft delete without a field",
        lambda r: entity(r).pop("SoftDeleteField"),
        f"{M0}.DeleteBehavior",
        "name one at entity 'Contacts'",
    ),
    (
        "most recent without a field",
        lambda r: entity_map(r).update(ConflictResolution="MostRecent"),
        f"{M0}.ConflictResolution",
        "needs an UpdatedAtField",
    ),
    (
        "no strategy",
        lambda r: entity_map(r)["MatchStrategy"].pop("Strategy"),
        f"{M0}.MatchStrategy.Strategy",
        "missing (installed: KeyFields)",
    ),
    (
        "unknown strategy",
        lambda r: entity_map(r)["MatchStrategy"].update(Strategy="Keyfields"),
        f"{M0}.MatchStrategy.Strategy",
        "'KeyFields'",
    ),
    (
        "unknown key of a strategy",
        lambda r: entity_map(r)["MatchStrategy"].update(Keys=[]),
        f"{M0}.MatchStrategy.Keys",
        "unknown",
    ),
    (
        "fallback",
        lambda r: entity_map(r)["MatchStrategy"].update(FallbackStrategy="Create"),
        f"{M0}.MatchStrategy.FallbackStrategy",
        "one of CreateNew, Skip, Fail expected",
    ),
    (
        "duplicates",
        lambda r: entity_map(r)["MatchStrategy"].update(DuplicateHandling="First"),
        f"{M0}.MatchStrategy.DuplicateHandling",
        "did you mean 'UseFirst'?",
    ),
    (
        "unmapped key",
        lambda r: entity_map(r)["MatchStrategy"].update(KeyFields=["Age"]),
        f"{M0}.MatchStrategy.KeyFields[0]",
        "no field map fills",
    ),
    # field maps
    (
        "missing column",
        lambda r: field_map(r, 2).update(DestinationFieldName="CompanyIDs"),
        f"{M0}.FieldMaps[2].DestinationFieldName",
        "did you mean 'CompanyID'?; correct the name, or add the field",
    ),
    (
        "two owners",
        lambda r: field_map(r, 2).update(DestinationFieldName="Name"),
        f"{M0}.FieldMaps[2].DestinationFieldName",
        "FieldMaps[1] writes 'Name' too, with the same Priority; remove one",
    ),
    (
        "unknown transform",
        lambda r: step(r).update(Type="regexp"),
        f"{S0}.Type",
        "no transform type named 'regexp', did you mean 'regex'?",
    ),
    ("unknown key of a step", lambda r: step(r).update(Confg={}), f"{S0}.Confg", "unknown, did you mean 'Config'?"),
    (
        "unknown config key",
        lambda r: step(r)["Config"].update(Patern="x"),
        f"{S0}.Config.Patern",
        "unknown, did you mean 'Pattern'?",
    ),
    ("missing config key", lambda r: step(r).pop("Config"), f"{S0}.Config.Pattern", "missing"),
    ("wrong config type", lambda r: step(r)["Config"].update(Flags=5), f"{S0}.Config.Flags", "text expected, found the number 5"),
    (
        "bad pattern",
        lambda r: step(r)["Config"].update(Pattern="("),
        f"{S0}.Config.Pattern",
        "unbalanced parenthesis at 0; close it",
    ),
    ("unknown OnError", lambda r: step(r).update(OnError="Ignore"), f"{S0}.OnError", "one of Fail, Null, Skip expected"),
    ("null for OnError", lambda r: step(r).update(OnError=None), f"{S0}.OnError", "found null"),
    ("one-way step", both_ways({"Type": "upper"}), f"{S0}.Type", "'upper' cannot be inverted, which Direction: Both needs"),
    (
        "ambiguous way back",
        both_ways({"Type": "lookup", "Config": {"Map": {"a": "x", "b": "x"}}}),
        f"{S0}.Config.Map",
        "not invertible: two keys",
    ),
    (
        "default of the wrong type",
        lambda r: field_map(r, 2).update(DestinationFieldName="Age", DefaultValue="old"),
        f"{M0}.FieldMaps[2].DefaultValue",
        "does not fit: Age: a number expected",
    ),
    (
        "unfilled required column",
        lambda r: entity(r)["Fields"][2].update(IsRequired=True),
        f"{M0}.FieldMaps",
        "none fills 'Age', a required column of 'contacts': add one, or set FallbackStrategy to Skip",
    ),
    (
        "unfilled key",
        lambda r: entity(r).update(PrimaryKey=["Age"]),
        f"{M0}.FieldMaps",
        "none fills 'Age', part of the primary key of 'contacts'",
    ),
]


@pytest.mark.parametrize(("edit", "path", "words"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_each_fault_is_named_with_its_path_and_remedy_and_nothing_is_written(
    kernel: Kernel, shapes: Any, edit: Edit, path: str, words: str
) -> None:
    bad = good()
    edit(bad)
    before = shapes.everything()
    found = problems(kernel, bad)
    assert [p.path for p in found] == [path], found
    assert words in found[0].message
    assert "s3cr3t" not in str(found)
    assert shapes.everything() == before


def test_the_good_file_is_good(kernel: Kernel) -> None:
    assert read(kernel, [good()]).warnings == ()


def test_all_faults_of_a_file_are_told_at_once(kernel: Kernel) -> None:
    """Faults that do not hide each other; a malformed entry does not hide what is wrong in its parts or beside it."""
    together = [
        "unknown section", "empty entry", "unknown key", "wrong type", "text for a boolean", "unknown field type", "no instant",
        "reserved table", "exact text", "no soft-delete column", "literal secret", "bad setting", "rate limit", "duplicates",
        "most recent without a field", "unknown config key", "missing config key", "unknown OnError", "unknown key of a step",
        "default of the wrong type", "unknown entity",
    ]  # fmt: skip
    chosen = [f for f in FAULTS if f[0] in together and f[0] != "missing config key"]
    bad = good()
    for _, edit, _, _ in chosen:
        edit(bad)
    paths = {p.path for p in problems(kernel, bad)}
    hidden = {f"{S0}.Config.Patern"}  # inside a pipeline whose step is malformed itself
    assert {path for _, _, path, _ in chosen} - hidden <= paths


def test_two_maps_whose_entries_are_malformed_do_not_break_the_order_of_the_others(kernel: Kernel) -> None:
    bad = good()
    entity_map(bad)["FieldMaps"][0] = "nonsense"
    step(bad)["Config"] = {"Pattern": "("}
    entity_map(bad)["MatchStrategy"] = {}
    assert [p.path for p in problems(kernel, bad)] == [F0, f"{S0}.Config.Pattern"]


def test_a_malformed_entity_is_not_reported_as_unknown_too(kernel: Kernel) -> None:
    bad = good()
    entity(bad)["Table"] = 5
    entity(bad, 1)["Fields"] = "none"
    assert {p.path for p in problems(kernel, bad)} == {"Entities[0].Table", "Entities[1].Fields"}


def test_a_field_that_stored_maps_fill_cannot_vanish_unnoticed(kernel: Kernel, shapes: Any) -> None:
    apply(kernel, [good()])
    before = shapes.everything()
    smaller = deepcopy(good()["Entities"][0])
    del smaller["Fields"][0]
    (first, *_) = problems(kernel, {"Entities": [smaller]})
    assert first.path == "Connections[Acme CRM].EntityMaps[contacts].FieldMaps[0].DestinationFieldName"
    assert "Contacts has no field 'Email'" in first.message
    assert shapes.everything() == before


@pytest.mark.parametrize(
    ("edit", "path", "words"),
    [
        (
            lambda e: e["Fields"][2].update(Type="date"),
            "Entities[0].Fields[2].Type",
            "is stored as number and cannot become date",
        ),
        (
            lambda e: e["Fields"].append({"Name": "New", "IsRequired": True}),
            "Entities[0].Fields[4].IsRequired",
            "cannot be added to a table",
        ),
        (lambda e: e.update(PrimaryKey=["Email"]), "Entities[0].PrimaryKey", "cannot change; it is [id]"),
    ],
)
def test_a_table_that_was_created_keeps_its_kind(kernel: Kernel, edit: Edit, path: str, words: str) -> None:
    apply(kernel, [good()])
    bad = good()
    edit(entity(bad))
    (found,) = [p for p in problems(kernel, bad) if p.path == path]
    assert words in found.message


def test_a_name_that_another_id_holds_is_refused(kernel: Kernel) -> None:
    apply(kernel, [good()])
    bad = good()
    connection(bad)["ID"] = "01890000-0000-7000-8000-000000000000"
    (found,) = problems(kernel, bad)
    assert found.path == f"{C0}.ID"
    assert "'Acme CRM' is stored with the ID" in found.message


def test_a_fault_that_connections_share_through_a_template_is_told_once(kernel: Kernel) -> None:
    bad = good()
    bad["Connections"].append({**bad["Connections"][1], "Name": "Gamma CRM"})
    bad["Templates"][0]["EntityMaps"][0]["FieldMaps"][0]["TransformPipeline"] = [{"Type": "nothing"}]
    assert [p.path for p in problems(kernel, bad)] == ["Templates[0].EntityMaps[0].FieldMaps[0].TransformPipeline[0].Type"]


def test_what_one_connection_lays_over_a_template_is_told_there(kernel: Kernel) -> None:
    bad = good()
    bad["Connections"][1]["EntityMaps"] = [{"ExternalObjectName": "firms", "DeleteBehavior": "SoftDelete"}]
    assert [p.path for p in problems(kernel, bad)] == ["Connections[1].EntityMaps[0].DeleteBehavior"]


# --- Whatever else a file may hold ---------------------------------------------------------------------

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "x", "Email", "Contacts"])
NONSENSE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def put(value: Any, at: tuple[Any, ...], new: Any) -> None:
    for key in at[:-1]:
        value = value[key]
    value[at[-1]] = new


PLACES = list(places(good()))


@pytest.fixture(params=["empty", "stored"])
def either(request: pytest.FixtureRequest, kernel: Kernel) -> Kernel:
    """Return a kernel whose store is empty, or holds the good file."""
    if request.param == "stored":
        apply(kernel, [good()])
    return kernel


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PLACES), NONSENSE), min_size=1, max_size=3), st.booleans())
def test_nonsense_at_any_place_is_a_problem_or_fine_but_never_a_crash(
    either: Kernel, shapes: Any, edits: list[tuple[tuple[Any, ...], Any]], split: bool
) -> None:
    bad = good()
    for at, nonsense in sorted(edits, key=lambda edit: -len(edit[0])):
        put(bad, at, nonsense)
    before = shapes.everything()
    with suppress(ConfigError):
        apply(either, [good(), bad] if split else [bad], dry_run=True, prune=True)
    assert shapes.everything() == before
