"""Both sides changed: each policy, the queue, and the answers of people."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from mjcore.capabilities import ProviderType
from mjcore.errors import UnknownName
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject

START = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class NoSettings:
    pass


@define
class Account:
    records: dict[str, ExternalRecord] = field(factory=dict)
    now: datetime = START

    def put(self, id_: str, **fields: Any) -> None:
        self.now += timedelta(hours=1)
        before = self.records[id_].fields if id_ in self.records else {}
        self.records[id_] = ExternalRecord(id_, {**before, **fields}, self.now)

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject("people", "People")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return ()

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Timestamp", (self.now + timedelta(minutes=10)).isoformat())

    def fetch(self, request: FetchRequest) -> Page:
        since = request.since.instant if request.since else START
        return Page([r for r in self.records.values() if r.modified_at and r.modified_at >= since], None)

    def close(self) -> None:
        pass


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account)]


def document(policy: str, **more: Any) -> dict[str, Any]:
    fields = [{"Name": "Name"}, {"Name": "City"}, {"Name": "Email"}, {"Name": "ChangedAt", "Type": "datetime"}]
    names = ("Name", "City", "Email")
    field_maps = [{"SourceFieldName": name.lower(), "DestinationFieldName": name} for name in names]
    entity_map = {
        "ExternalObjectName": "people",
        "Entity": "People",
        "ConflictResolution": policy,
        "FieldMaps": field_maps,
        **more,
    }
    entity = {"Name": "People", "Table": "people", "Fields": fields, "UpdatedAtField": "ChangedAt"}
    connection = {"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [entity_map]}
    return {"Companies": [{"Name": "Acme"}], "Entities": [entity], "Connections": [connection]}


Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def query(tmp_path: Path) -> Query:
    import sqlite3

    def run(sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return run


@pytest.fixture
def account() -> Account:
    account = Account()
    account.put("1", name="Ada", city="London", email="ada@example.org")
    return account


@pytest.fixture
def kernel(account: Account, tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}, now=lambda: account.now) as kernel:
        yield kernel


def begin(kernel: Kernel, policy: str, **more: Any) -> None:
    kernel.apply(document(policy, **more))
    assert kernel.sync("Acme").counts.created == 1


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("SourceWins", ("Countess", "Paris")), ("DestWins", ("Lady", "Paris")), ("Manual", ("Lady", "Paris"))],
)
def test_a_field_that_both_changed_goes_by_the_policy(
    kernel: Kernel, account: Account, query: Query, policy: str, expected: tuple[str, str]
) -> None:
    begin(kernel, policy)
    query("UPDATE people SET Name = 'Lady'")
    account.put("1", name="Countess", city="Paris")
    result = kernel.sync("Acme")
    assert query("SELECT Name, City FROM people") == [expected]
    assert result.counts.conflicted == (policy == "Manual")


@pytest.mark.parametrize(("edited", "expected"), [(-30, "Countess"), (30, "Lady")])
def test_the_most_recent_side_wins(kernel: Kernel, account: Account, query: Query, edited: int, expected: str) -> None:
    begin(kernel, "MostRecent")
    account.put("1", name="Countess")
    at = (account.now + timedelta(minutes=edited)).replace(tzinfo=None).isoformat(" ", "microseconds")
    query(f"UPDATE people SET Name = 'Lady', ChangedAt = '{at}'")
    kernel.sync("Acme")
    assert query("SELECT Name FROM people") == [(expected,)]


def test_a_local_edit_stays_while_the_source_does_not_change_that_field(kernel: Kernel, account: Account, query: Query) -> None:
    begin(kernel, "DestWins")
    query("UPDATE people SET Name = 'Lady'")
    account.put("1", city="Paris")
    kernel.sync("Acme")
    account.put("1", city="Rome")
    kernel.sync("Acme")
    assert query("SELECT Name, City FROM people") == [("Lady", "Rome")]


# --- The queue -----------------------------------------------------------------------------------------


def conflict(kernel: Kernel, account: Account, query: Query) -> None:
    begin(kernel, "Manual")
    query("UPDATE people SET Name = 'Lady'")
    account.put("1", name="Countess", city="Paris")
    kernel.sync("Acme")


def test_the_queue_keeps_what_was_what_is_and_what_the_source_says(kernel: Kernel, account: Account, query: Query) -> None:
    conflict(kernel, account, query)
    ((entity_map, queued),) = kernel.queues.conflicts("Acme")
    assert entity_map.external_object_name == "people"
    assert (queued.base, queued.source, queued.current) == ({"Name": "Ada"}, {"Name": "Countess"}, {"Name": "Lady"})


@pytest.mark.parametrize(("accept", "expected"), [("source", "Countess"), ("current", "Lady")])
def test_an_answer_is_acted_on_by_the_next_run(
    kernel: Kernel, account: Account, query: Query, accept: Any, expected: str
) -> None:
    conflict(kernel, account, query)
    account.now += timedelta(days=1)
    assert kernel.queues.resolve("Acme", accept) == 1
    assert query("SELECT Name FROM people") == [("Lady",)]
    result = kernel.sync("Acme")
    assert query("SELECT Name, City FROM people") == [(expected, "Paris")]
    assert list(kernel.queues.conflicts("Acme")) == []
    assert any("1 conflict was answered" in note for note in result.maps[0].notes)
    account.put("1", city="Rome")
    assert kernel.sync("Acme").counts.conflicted == 0, "an answered conflict does not come back by itself"
    assert query("SELECT Name FROM people") == [(expected,)]


def test_a_conflict_that_is_none_any_more_leaves_the_queue(kernel: Kernel, account: Account, query: Query) -> None:
    conflict(kernel, account, query)
    account.put("1", name="Lady")
    kernel.sync("Acme")
    assert list(kernel.queues.conflicts("Acme")) == []


def test_a_row_that_was_deleted_here_goes_by_the_policy(kernel: Kernel, account: Account, query: Query) -> None:
    begin(kernel, "Manual")
    query("DELETE FROM people")
    account.put("1", city="Paris")
    assert kernel.sync("Acme").counts.conflicted == 1
    assert query("SELECT count(*) FROM people") == [(0,)]
    kernel.queues.resolve("Acme", "source", ["1"])
    assert kernel.retry("Acme").error is None
    assert query("SELECT Name, City FROM people") == [("Ada", "Paris")]


def test_answers_name_conflicts_that_are_there(kernel: Kernel, account: Account, query: Query) -> None:
    conflict(kernel, account, query)
    with pytest.raises(UnknownName, match="no conflict named '2'"):
        kernel.queues.resolve("Acme", "source", ["2"])
    with pytest.raises(UnknownName, match="entity map of 'Acme'"):
        list(kernel.queues.conflicts("Acme", "firms"))


def test_a_review_links_the_record_when_it_is_accepted(kernel: Kernel, account: Account, query: Query) -> None:
    strategy = {"Strategy": "KeyFields", "KeyFields": ["Email"], "DuplicateHandling": "Review"}
    kernel.apply(document("SourceWins", MatchStrategy=strategy))
    for key in ("k1", "k2"):
        query(f"INSERT INTO people (id, Name, Email) VALUES ('{key}', 'Somebody', 'ada@example.org')")
    assert kernel.sync("Acme").counts.conflicted == 1
    kernel.queues.resolve("Acme", "source")
    kernel.retry("Acme")
    assert query("SELECT id, Name FROM people ORDER BY id") == [("k1", "Ada"), ("k2", "Somebody")]
    account.put("1", name="Countess")
    assert kernel.sync("Acme").counts.updated == 1


# --- The ledger ----------------------------------------------------------------------------------------


def test_failed_records_are_shown_and_discarded(kernel: Kernel, account: Account, query: Query) -> None:
    kernel.apply(document("SourceWins"))
    names: Sequence[Any] = [["a", "list"], {"an": "object"}]
    for id_, name in zip(("x", "y"), names, strict=True):
        account.put(id_, name=name)
    assert kernel.sync("Acme").counts.errored == 2
    found = {record.external_id: record for _, record in kernel.queues.failed("Acme")}
    assert (found["x"].stage, found["x"].attempts, found["x"].raw) == ("transform", 1, {"name": ["a", "list"]})
    assert kernel.queues.discard("Acme", ["x"]) == 1
    assert [record.external_id for _, record in kernel.queues.failed("Acme", "people")] == ["y"]
    with pytest.raises(UnknownName, match="no failed record named 'x'"):
        kernel.queues.discard("Acme", ["x"])
    assert kernel.queues.discard("Acme") == 1


def test_with_an_unknown_id_nothing_is_discarded_and_all_unknown_ones_are_named(
    kernel: Kernel, account: Account, query: Query
) -> None:
    kernel.apply(document("SourceWins"))
    for number in range(3):
        account.put(f"bad{number}", name={"an": "object"})
    assert kernel.sync("Acme").counts.errored == 3
    with pytest.raises(UnknownName) as caught:
        kernel.queues.discard("Acme", ["bad1", "bax2", "nothing like it", "bad0"])
    assert "no failed record named 'bax2', did you mean 'bad2'?" in str(caught.value)
    assert "no failed record named 'nothing like it'" in str(caught.value)
    assert "'bad0'" not in str(caught.value)
    assert query("SELECT count(*) FROM mj_failed_record") == [(3,)]
    assert kernel.queues.discard("Acme", ["bad1", "bad2"]) == 2


def test_with_an_unknown_id_nothing_is_answered(kernel: Kernel, account: Account, query: Query) -> None:
    conflict(kernel, account, query)
    with pytest.raises(UnknownName, match=r"named '2'.*(?s:.*)named '3'"):
        kernel.queues.resolve("Acme", "source", ["3", "1", "2"])
    assert [queued.answer for _, queued in kernel.queues.conflicts("Acme")] == [None]
    assert kernel.queues.resolve("Acme", "source", ["1"]) == 1
