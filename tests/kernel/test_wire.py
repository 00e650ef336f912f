"""The wire: strict, complete, and silent about secrets."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

import pytest
from attrs import field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st

from mjcore.capabilities import Secret
from mjcore.errors import ConfigError, UnknownName
from mjcore.models import EntityField, EntityMap, FieldMap, TransformStep
from mjcore.records import JSON
from mjcore.wire import pascal, structure, unstructure


@frozen
class Inner:
    pattern: str
    size: int = 1


def _short(_: object, __: object, value: str) -> None:
    if len(value) > 3:
        raise ValueError("three letters at most")


@frozen
class Outer:
    name: str
    ratio: float = 1.0
    is_on: bool = False
    count: int | None = None
    mode: Literal["Pull", "Push"] = "Pull"
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    names: tuple[str, ...] = ()
    table: Mapping[str, str | None] = field(factory=dict)
    free: Mapping[str, JSON] = field(factory=dict)
    either: str | tuple[str, ...] = ""
    since: datetime | None = None
    day: date | None = None
    code: str = field(default="", validator=_short)
    limit: int = field(default=1, validator=validators.ge(1))


@frozen
class Auth:
    token: Secret
    user: str = ""
    retries: int = 0
    second: Secret | None = None
    kind: Literal["bearer", "basic"] = "bearer"


def problems(kind: type, value: JSON, resolve: Callable[[str], str] | None = None) -> dict[str, str]:
    with pytest.raises(ConfigError) as error:
        structure(kind, value, resolve)
    return {p.path: p.message for p in error.value.problems}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("id", "ID"),
        ("external_id_field", "ExternalIDField"),
        ("company_id", "CompanyID"),
        ("base_url", "BaseURL"),
        ("ids", "IDs"),
        ("crud", "CRUD"),
        ("external_system_url", "ExternalSystemURL"),
        ("is_key_field", "IsKeyField"),
        ("name", "Name"),
    ],
)
def test_names_are_pascal_case_with_acronyms(name: str, key: str) -> None:
    assert pascal(name) == key


def test_a_whole_object_is_structured() -> None:
    value: JSON = {
        "Name": "a", "Ratio": 2, "IsOn": True, "Count": 3, "Mode": "Push", "Inner": {"Pattern": "p"},
        "Inners": [{"Pattern": "q", "Size": 2}], "Names": ["x"], "Table": {"NO": "Norway", "null": None},
        "Free": {"a": [1, {"b": None}]}, "Either": ["x", "y"], "Since": "2026-01-31T08:30:00Z", "Day": "2026-01-31",
    }  # fmt: skip
    made = structure(Outer, value)
    assert made == Outer(
        "a", 2.0, True, 3, "Push", Inner("p"), (Inner("q", 2),), ("x",), {"NO": "Norway", "null": None},
        {"a": [1, {"b": None}]}, ("x", "y"), datetime(2026, 1, 31, 8, 30, tzinfo=UTC), date(2026, 1, 31),
    )  # fmt: skip
    assert type(made.ratio) is float


def test_defaults_apply() -> None:
    assert structure(Outer, {"Name": "a"}) == Outer("a")


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({}, "Name", "missing"),
        ({"Name": "a", "Nmae": "b"}, "Nmae", "unknown, did you mean 'Name'?"),
        ({"Name": "a", "name": "b"}, "name", "unknown, did you mean 'Name'?"),
        ({"Name": "a", "Zzz": "b"}, "Zzz", "unknown (known: Name, Ratio, IsOn,"),
        ({"Name": 1}, "Name", "text expected, found the number 1"),
        ({"Name": None}, "Name", "text expected, found null"),
        ({"Name": "a", "Count": "3"}, "Count", "a whole number expected, found the text '3'"),
        ({"Name": "a", "Count": 3.0}, "Count", "a whole number expected, found the number 3.0"),
        ({"Name": "a", "Count": True}, "Count", "a whole number expected, found the boolean True"),
        ({"Name": "a", "Ratio": True}, "Ratio", "a number expected, found the boolean True"),
        ({"Name": "a", "IsOn": "true"}, "IsOn", "true or false expected, found the text 'true'"),
        ({"Name": "a", "IsOn": 1}, "IsOn", "true or false expected, found the number 1"),
        ({"Name": "a", "Mode": "Pul"}, "Mode", "one of Pull, Push expected, found the text 'Pul', did you mean 'Pull'?"),
        ({"Name": "a", "Inner": {"Patern": "x"}}, "Inner.Patern", "unknown, did you mean 'Pattern'?"),
        ({"Name": "a", "Inner": {"Patern": "x"}}, "Inner.Pattern", "missing"),
        ({"Name": "a", "Inner": "x"}, "Inner", "a mapping expected, found the text 'x'"),
        ({"Name": "a", "Inners": [{"Pattern": "x"}, {"Pattern": 5}]}, "Inners[1].Pattern", "text expected, found the number 5"),
        ({"Name": "a", "Inners": {"Pattern": "x"}}, "Inners", "a list expected, found a mapping"),
        ({"Name": "a", "Names": "xyz"}, "Names", "a list expected, found the text 'xyz'"),
        ({"Name": "a", "Names": ["x", None]}, "Names[1]", "text expected, found null"),
        ({"Name": "a", "Table": []}, "Table", "a mapping expected, found a list"),
        ({"Name": "a", "Table": {"k": 5}}, "Table.k", "text expected, found the number 5"),
        ({"Name": "a", "Either": 5}, "Either", "text or a list expected, found the number 5"),
        ({"Name": "a", "Since": "2026-01-31"}, "Since", "an instant with its zone"),
        ({"Name": "a", "Since": 5}, "Since", "an instant with its zone"),
        ({"Name": "a", "Day": "31.1.2026"}, "Day", "a day (2026-01-31) expected"),
        ({"Name": "a", "Code": "long"}, "Code", "three letters at most"),
        ({"Name": "a", "Limit": 0}, "Limit", "must be >= 1: 0"),
        ([], "", "a mapping expected, found a list"),
        ("x", "", "a mapping expected, found the text 'x'"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(value: JSON, path: str, words: str) -> None:
    assert problems(Outer, value)[path].startswith(words)


def test_every_problem_is_told_at_once() -> None:
    found = problems(Outer, {"Count": "x", "Code": "long", "Zzz": 1, "Inners": [{}, {"Pattern": 1, "Size": "x"}]})
    assert set(found) == {"Name", "Count", "Code", "Zzz", "Inners[0].Pattern", "Inners[1].Pattern", "Inners[1].Size"}


def test_a_validator_that_needs_the_whole_object_is_heard() -> None:
    @frozen
    class Range:
        low: int
        high: int = field()

        @high.validator
        def _ordered(self, _: object, value: int) -> None:
            if value < self.low:
                raise ValueError("High is below Low")

    assert structure(Range, {"Low": 1, "High": 2}) == Range(1, 2)
    assert problems(Range, {"Low": 2, "High": 1}) == {"": "High is below Low"}


def test_a_bug_in_a_config_class_is_not_the_users_fault() -> None:
    @frozen
    class Broken:
        name: str

        def __attrs_post_init__(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        structure(Broken, {"Name": "a"})


# --- Secrets ---------------------------------------------------------------------------------------


def test_a_secret_is_resolved() -> None:
    auth = structure(
        Auth, {"Token": "env:TOKEN", "Second": "file:/run/x y"}, {"env:TOKEN": "s3", "file:/run/x y": "s4"}.__getitem__
    )
    assert (auth.token.reveal(), auth.second and auth.second.reveal()) == ("s3", "s4")


def test_without_a_resolver_only_the_form_is_checked() -> None:
    assert structure(Auth, {"Token": "env:TOKEN"}).token.reveal() == "env:TOKEN"


@pytest.mark.parametrize(
    "literal", ["pat-na1-aaaa-bbbb", "s3cr3t", "", ":x", "x:", "eyJhbGciOi.eyJzdWI.abc", 12345678, ["s3cr3t"], None]
)
def test_a_literal_secret_is_refused_and_never_repeated(literal: JSON) -> None:
    message = problems(Auth, {"Token": literal})["Token"]
    assert "a reference to a secret (env:NAME, file:PATH) expected" in message
    assert not literal or str(literal) not in message


def test_a_secret_that_looks_like_a_reference_is_not_repeated_either() -> None:
    def unknown(reference: str) -> str:
        raise UnknownName("secret scheme", reference.partition(":")[0], ["env"])

    message = problems(Auth, {"Token": "hunter2:hunter3"}, unknown)["Token"]
    assert "hunter" not in message
    assert "nothing that is installed resolves this" in message


def test_a_secret_at_the_wrong_place_is_not_repeated() -> None:
    found = problems(Auth, {"Token": "env:X", "Retries": "s3cr3t", "Kind": "s3cr3t", "User": ["s3cr3t"]})
    assert set(found) == {"Retries", "Kind", "User"}
    assert "s3cr3t" not in str(found)


def test_a_secret_that_cannot_be_resolved_says_why() -> None:
    def unset(_: str) -> str:
        raise ConfigError("environment variable 'X' is not set; set it and try again")

    assert problems(Auth, {"Token": "env:X"}, unset) == {"Token": "environment variable 'X' is not set; set it and try again"}


def test_the_error_holds_no_chain_that_would_show_values() -> None:
    with pytest.raises(ConfigError) as error:
        structure(Auth, {"Token": "s3cr3t"})
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


# --- To the wire -----------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


def test_results_become_json() -> None:
    value = {
        "at": datetime(2026, 1, 31, tzinfo=UTC), "on": date(2026, 1, 31), "sum": Decimal("1.50"), "set": frozenset("ba"),
        "all": (1, None), "colour": Colour.RED, "secret": Secret("s"),
    }  # fmt: skip
    assert unstructure(value) == {
        "at": "2026-01-31T00:00:00+00:00", "on": "2026-01-31", "sum": "1.50", "set": ["a", "b"], "all": [1, None],
        "colour": "red", "secret": "***",
    }  # fmt: skip


def test_nothing_is_omitted_unless_asked() -> None:
    assert unstructure(Inner("p")) == {"Pattern": "p", "Size": 1}
    assert unstructure(Inner("p"), omit_defaults=True) == {"Pattern": "p"}
    assert unstructure(Outer("a", free={"x": 1}), omit_defaults=True) == {"Name": "a", "Free": {"x": 1}}


texts = st.text(max_size=8)
steps = st.builds(TransformStep, texts, st.dictionaries(texts, st.integers() | texts | st.none(), max_size=3))
field_maps = st.builds(
    FieldMap, texts, texts, st.lists(steps, max_size=2).map(tuple), st.booleans(), default_value=texts | st.none()
)


@given(field_maps, st.booleans())
def test_what_was_unstructured_is_structured_to_the_same(field_map: FieldMap, omit: bool) -> None:
    assert structure(FieldMap, unstructure(field_map, omit_defaults=omit)) == field_map


def test_the_models_of_the_kernel_can_be_structured() -> None:
    assert structure(EntityField, {"Name": "Email", "Type": "email", "MaxLength": 320}) == EntityField("Email", "email", 320)
    made = structure(EntityMap, {"ExternalObjectName": "contacts", "Entity": {"Name": "C", "Table": "c"}})
    assert made.entity.primary_key == ("id",)
