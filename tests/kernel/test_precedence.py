"""Two connections that fill one table: no row twice, the higher precedence wins, the last link decides about deletes."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from mjcore.capabilities import ProviderType
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject


@define
class Accounts:
    """Records by account; each read is a full one."""

    of: dict[str, dict[str, Mapping[str, Any]]] = field(factory=dict)


@frozen
class Settings:
    account: str


@frozen
class NoSettings:
    pass


@frozen
class Source:
    records: Mapping[str, Mapping[str, Any]]

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject("people", "People")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return ()

    def high_watermark(self, _: str) -> Watermark | None:
        return None

    def fetch(self, _: FetchRequest) -> Page:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return Page([ExternalRecord(id_, fields, now) for id_, fields in self.records.items()], None)

    def close(self) -> None:
        pass


@frozen
class Plugin:
    accounts: Accounts

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", Settings, NoSettings, lambda c: Source(self.accounts.of[c.config.account]))]


def connection(name: str, precedence: int, fields: Iterable[str]) -> dict[str, Any]:
    field_maps = [{"SourceFieldName": f.lower(), "DestinationFieldName": f} for f in fields]
    entity_map = {
        "ExternalObjectName": "people",
        "Entity": "People",
        "Precedence": precedence,
        "DeleteBehavior": "HardDelete",
        "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Email"]},
        "FieldMaps": field_maps,
    }
    return {
        "Name": name,
        "Company": "Acme",
        "Provider": "Account",
        "Configuration": {"Account": name},
        "EntityMaps": [entity_map],
    }


@pytest.fixture
def accounts() -> Accounts:
    record = {"email": "ada@example.org"}
    shop: dict[str, Mapping[str, Any]] = {"9": {**record, "name": "A. L.", "city": "Paris"}}
    return Accounts({"CRM": {"1": {**record, "name": "Ada", "city": "London"}}, "Shop": shop})


@pytest.fixture
def kernel(accounts: Accounts, tmp_path: Path) -> Iterator[Kernel]:
    names = ("Email", "Name", "City")
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"accounts": Plugin(accounts)}) as kernel:
        kernel.apply(
            {
                "Companies": [{"Name": "Acme"}],
                "Entities": [{"Name": "People", "Table": "people", "Fields": [{"Name": name} for name in names]}],
                "Connections": [connection("CRM", 10, names[:2]), connection("Shop", 0, names)],
            }
        )
        yield kernel


def people(kernel: Kernel) -> list[tuple[Any, ...]]:
    entity = kernel.connections("CRM")[0].entity_maps[0].entity
    return [values for _, values in kernel.store.rows(entity).scan(("Email", "Name", "City"))]


@pytest.mark.parametrize("order", [("CRM", "Shop"), ("Shop", "CRM")])
def test_the_fields_of_the_higher_precedence_are_its_own(kernel: Kernel, accounts: Accounts, order: tuple[str, str]) -> None:
    for name in order:
        assert kernel.sync(name).error is None
    assert people(kernel) == [("ada@example.org", "Ada", "Paris")]
    accounts.of["Shop"]["9"] = {"email": "ada@example.org", "name": "Other", "city": "Rome"}
    kernel.sync("Shop")
    assert people(kernel) == [("ada@example.org", "Ada", "Rome")]
    accounts.of["CRM"]["1"] = {"email": "ada@example.org", "name": "Ada Lovelace"}
    kernel.sync("CRM")
    assert people(kernel) == [("ada@example.org", "Ada Lovelace", "Rome")]


def test_a_row_goes_with_its_last_link(kernel: Kernel, accounts: Accounts) -> None:
    kernel.sync("CRM")
    kernel.sync("Shop")
    accounts.of["CRM"].clear()
    kernel.sync("CRM", full=True, allow_deletes=True)
    assert len(people(kernel)) == 1, "the shop still holds it"
    accounts.of["Shop"].clear()
    kernel.sync("Shop", full=True, allow_deletes=True)
    assert people(kernel) == []


def test_a_row_that_was_there_before_is_only_unlinked(kernel: Kernel, accounts: Accounts) -> None:
    import sqlite3

    with sqlite3.connect(str(kernel._store).removeprefix("sqlite:///")) as database:
        database.execute("INSERT INTO people (id, Email) VALUES ('mine', 'ada@example.org')")
    database.close()
    for name in ("CRM", "Shop"):
        assert kernel.sync(name).counts.updated == 1
        accounts.of[name].clear()
    for name in ("CRM", "Shop"):
        kernel.sync(name, full=True, allow_deletes=True)
    assert people(kernel) == [("ada@example.org", "Ada", "Paris")]
