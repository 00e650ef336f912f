"""References become row keys through links: in whatever order records come, cycles included."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from mjcore.capabilities import ProviderType
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.records import ExternalRecord, FetchRequest, Page, Reference, Watermark
from mjcore.schema import ExternalField, ExternalObject


@frozen
class NoSettings:
    pass


@define
class Account:
    """Objects of records; every read is a full one."""

    objects_: dict[str, dict[str, Mapping[str, Any]]] = field(factory=dict)

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(name, name) for name in self.objects_]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return ()

    def high_watermark(self, _: str) -> Watermark | None:
        return None

    def fetch(self, request: FetchRequest) -> Page:
        records = self.objects_.get(request.object_name, {})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return Page([ExternalRecord(id_, fields, now) for id_, fields in sorted(records.items())], None)

    def close(self) -> None:
        pass


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account)]


def entity(name: str, other: str) -> dict[str, Any]:
    fields = [{"Name": "Name"}, {"Name": "Other", "Type": "reference", "Entity": other}]
    return {"Name": name, "Table": name.lower(), "Fields": fields}


def mapped(name: str, priority: int, **more: Any) -> dict[str, Any]:
    field_maps = [
        {"SourceFieldName": "name", "DestinationFieldName": "Name"},
        {"SourceFieldName": "other", "DestinationFieldName": "Other"},
    ]
    return {"ExternalObjectName": name.lower(), "Entity": name, "Priority": priority, "FieldMaps": field_maps, **more}


@pytest.fixture
def account() -> Account:
    return Account({"people": {}, "firms": {}})


@pytest.fixture
def kernel(account: Account, tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}) as kernel:
        yield kernel


def apply(kernel: Kernel, **people: Any) -> None:
    maps = [mapped("People", 1, **people), mapped("Firms", 2)]
    kernel.apply(
        {
            "Companies": [{"Name": "Acme"}],
            "Entities": [entity("People", "Firms"), entity("Firms", "People")],
            "Connections": [{"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": maps}],
        }
    )


def pairs(kernel: Kernel) -> set[tuple[str, str | None]]:
    """Return who refers to whom, by name."""
    entities = {m.entity.name: m.entity for m in kernel.connections("Acme")[0].entity_maps}
    rows = {n: dict(kernel.store.rows(e).scan(("Name", "Other"))) for n, e in entities.items()}
    names = {key: name for table in rows.values() for (key,), (name, _) in table.items()}
    return {(name, names.get(other)) for table in rows.values() for name, other in table.values()}


def test_a_cycle_is_written_in_a_second_pass(kernel: Kernel, account: Account) -> None:
    apply(kernel)
    account.objects_["people"] = {"1": {"name": "Ada", "other": "7"}, "2": {"name": "Bob", "other": None}}
    account.objects_["firms"] = {"7": {"name": "Acme", "other": "2"}, "8": {"name": "Beta", "other": Reference("people", "1")}}
    result = kernel.sync("Acme")
    assert (result.error, result.counts.created) == (None, 4)
    assert pairs(kernel) == {("Ada", "Acme"), ("Bob", None), ("Acme", "Bob"), ("Beta", "Ada")}
    again = kernel.sync("Acme")
    assert again.counts.unchanged == 4
    assert not list(kernel.store.changes(run_id=again.run_id))


def test_a_row_that_comes_in_a_later_run_is_referred_to_then(kernel: Kernel, account: Account) -> None:
    apply(kernel)
    account.objects_["people"] = {"1": {"name": "Ada", "other": "7"}}
    kernel.sync("Acme")
    assert pairs(kernel) == {("Ada", None)}
    account.objects_["firms"] = {"7": {"name": "Acme", "other": None}}
    result = kernel.sync("Acme", maps=["firms"])
    assert pairs(kernel) == {("Ada", "Acme"), ("Acme", None)}
    assert [c.kind for c in kernel.store.changes(run_id=result.run_id)] == ["create", "update"]


def test_an_external_id_is_text_whatever_the_key_that_it_stands_for(kernel: Kernel, account: Account, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.db") as database:
        database.execute("CREATE TABLE firms (id INTEGER PRIMARY KEY, Name TEXT, Other TEXT)")
        database.execute("CREATE TABLE people (id TEXT PRIMARY KEY, Name TEXT, Other INTEGER)")
    database.close()
    apply(kernel)
    account.objects_["firms"] = {i: {"name": i, "other": None} for i in ("007", "7", "f")}
    account.objects_["people"] = {i: {"name": f"of {i}", "other": i} for i in ("007", "7", "f")}
    result = kernel.sync("Acme")
    assert (result.error, result.counts.created) == (None, 6)
    assert pairs(kernel) == {(i, None) for i in ("007", "7", "f")} | {(f"of {i}", i) for i in ("007", "7", "f")}


def test_a_changed_and_a_removed_reference_are_followed(kernel: Kernel, account: Account) -> None:
    apply(kernel)
    account.objects_["people"] = {"1": {"name": "Ada", "other": "7"}, "2": {"name": "Bob", "other": "7"}}
    account.objects_["firms"] = {"7": {"name": "Acme", "other": None}, "8": {"name": "Beta", "other": None}}
    kernel.sync("Acme")
    account.objects_["people"] = {"1": {"name": "Ada", "other": "8"}, "2": {"name": "Bob", "other": None}}
    assert kernel.sync("Acme").counts.updated == 2
    assert pairs(kernel) == {("Ada", "Beta"), ("Bob", None), ("Acme", None), ("Beta", None)}


def test_a_reference_that_a_person_set_stays_where_the_target_wins(kernel: Kernel, account: Account) -> None:
    apply(kernel, ConflictResolution="DestWins")
    account.objects_["people"] = {"1": {"name": "Ada", "other": "7"}}
    kernel.sync("Acme")
    people = kernel.connections("Acme")[0].entity_maps[0].entity
    ((key, _),) = kernel.store.rows(people).scan(("Name",))
    with sqlite3.connect(str(kernel._store).removeprefix("sqlite:///")) as database:
        database.execute("UPDATE people SET Other = 'mine'")
    database.close()
    account.objects_["firms"] = {"7": {"name": "Acme", "other": None}}
    kernel.sync("Acme")
    assert kernel.store.read(people, [key], ("Other",)) == {key: {"Other": "mine"}}


def test_a_required_reference_fails_its_record_until_the_row_is_there(kernel: Kernel, account: Account) -> None:
    apply(kernel)
    account.objects_["people"] = {"1": {"name": "Ada", "other": "7"}}
    required = mapped("People", 1)
    required["FieldMaps"][1]["IsRequired"] = True
    kernel.apply(
        {
            "Connections": [
                {"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [required, mapped("Firms", 2)]}
            ]
        }
    )
    result = kernel.sync("Acme")
    assert (result.counts.errored, result.counts.created) == (1, 0)
    account.objects_["firms"] = {"7": {"name": "Acme", "other": None}}
    kernel.sync("Acme", maps=["firms"])
    assert kernel.sync("Acme").counts.created == 1
    assert pairs(kernel) == {("Ada", "Acme"), ("Acme", None)}
