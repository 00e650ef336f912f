"""Pulls of a simulated account into SQLite: what is written, what is counted, what fails by itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from mjcore.capabilities import ProviderType
from mjcore.errors import Unavailable
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.records import Counts, ExternalRecord, FetchRequest, Page, Watermark
from mjcore.results import SyncResult
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject, FieldType

START = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class NoSettings:
    pass


@define
class Account:
    """Records by id; each write moves the clock by an hour, beyond the overlap of windows."""

    records: dict[str, ExternalRecord] = field(factory=dict)
    now: datetime = START
    page: int = 10
    schema: dict[str, FieldType] = field(factory=lambda: {"email": "email", "name": "string", "badge": "number"})
    away_at: int | None = None
    """Where in a window the account stops to answer."""

    def put(self, id_: str, **fields: Any) -> None:
        self.now += timedelta(hours=1)
        before = self.records.get(id_)
        self.records[id_] = ExternalRecord(id_, {**(before.fields if before else {}), **fields}, self.now)

    def delete(self, id_: str) -> None:
        self.now += timedelta(hours=1)
        self.records[id_] = evolve(self.records[id_], is_deleted=True, modified_at=self.now)

    # --- Source ---------------------------------------------------------------------------------------

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject("people", "People", deletes="signal")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return [ExternalField(name, name, kind) for name, kind in self.schema.items()]

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Timestamp", (self.now + timedelta(seconds=1)).isoformat())

    def fetch(self, request: FetchRequest) -> Page:
        since = request.since.instant if request.since else None
        changed = [r for r in self.records.values() if since is None or (r.modified_at or START) >= since]
        at = int(str((request.checkpoint or {}).get("at", 0)))
        if at == self.away_at:
            raise Unavailable("the account is away")
        ordered = sorted(changed, key=lambda r: r.external_id)
        following = {"at": at + self.page} if at + self.page < len(ordered) else None
        return Page(ordered[at : at + self.page], following, len(ordered))

    def close(self) -> None:
        pass


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account, page_size=10)]


MAP: dict[str, Any] = {
    "ExternalObjectName": "people",
    "Entity": "People",
    "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Email"]},
    "DeleteBehavior": "HardDelete",
    "FieldMaps": [
        {"SourceFieldName": "email", "DestinationFieldName": "Email", "IsKeyField": True},
        {"SourceFieldName": "name", "DestinationFieldName": "Name"},
        {"SourceFieldName": "badge", "DestinationFieldName": "Badge"},
    ],
}
FIELDS = [
    {"Name": "Email", "Type": "email", "MaxLength": 40},
    {"Name": "Name"},
    {"Name": "Badge", "Type": "number", "IsUnique": True},
]
DOCUMENT: dict[str, Any] = {
    "Companies": [{"Name": "Acme"}],
    "Entities": [{"Name": "People", "Table": "people", "Fields": FIELDS}],
    "Connections": [{"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [MAP]}],
}


@pytest.fixture
def account() -> Account:
    account = Account()
    for i in range(25):
        account.put(f"{i:03}", email=f"p{i}@example.org", name=f"Person {i}", badge=str(i))
    return account


@pytest.fixture
def kernel(account: Account, tmp_path: Path) -> Iterator[Kernel]:
    patience = Patience(first=0.001, longest=0.01, total=0.05)
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}, patience=patience) as kernel:
        kernel.apply(DOCUMENT)
        yield kernel


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    import sqlite3

    def query(sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return query


Rows = Callable[[str], list[tuple[Any, ...]]]


def counted(result: SyncResult, **expected: int) -> None:
    assert result.error is None, result.error
    assert result.counts == Counts(processed=sum(expected.values()), **expected)


def test_a_first_pull_creates_a_second_writes_nothing_a_third_what_changed(kernel: Kernel, account: Account, rows: Rows) -> None:
    counted(kernel.sync("Acme"), created=25)
    assert rows("SELECT Email, Name, Badge FROM people WHERE Email = 'p7@example.org'") == [("p7@example.org", "Person 7", 7)]
    before = rows("SELECT * FROM people"), rows("SELECT * FROM mj_record_link"), rows("SELECT * FROM mj_record_change")
    counted(kernel.sync("Acme"), unchanged=1)  # the last one, within the overlap
    assert (rows("SELECT * FROM people"), rows("SELECT * FROM mj_record_link"), rows("SELECT * FROM mj_record_change")) == before
    account.put("003", name="Someone else")
    account.put("new", email="new@example.org", name="New", badge="99")
    account.delete("004")
    counted(kernel.sync("Acme"), updated=1, created=1, deleted=1, unchanged=1)
    assert rows("SELECT Name FROM people WHERE Email = 'p3@example.org'") == [("Someone else",)]
    assert rows("SELECT count(*) FROM people") == [(25,)]


def test_a_failing_source_leaves_the_watermark_and_the_next_run_goes_on(kernel: Kernel, account: Account, rows: Rows) -> None:
    account.away_at = 20
    failed = kernel.sync("Acme")
    assert (failed.status, failed.counts.created) == ("Failed", 20)
    assert "the account is away" in str(failed.error)
    assert rows("SELECT watermark_value FROM mj_integration_sync_watermark") == [(None,)]
    account.away_at = None
    counted(kernel.sync("Acme"), created=5)
    assert rows("SELECT count(*), count(DISTINCT Email) FROM people") == [(25, 25)]


# --- What fails by itself ------------------------------------------------------------------------------


def failures(rows: Rows) -> list[tuple[Any, ...]]:
    return rows("SELECT external_id, stage, code FROM mj_failed_record ORDER BY external_id")


@pytest.mark.parametrize(
    ("fields", "stage", "code"),
    [
        ({"email": "x" * 41}, "transform", "does_not_fit"),
        ({"badge": "seven"}, "transform", "does_not_fit"),
        ({"badge": "7"}, "persist", "unique"),
    ],
)
def test_a_bad_record_goes_to_the_ledger_and_leaves_it_when_mended(
    kernel: Kernel, account: Account, rows: Rows, fields: Mapping[str, Any], stage: str, code: str
) -> None:
    account.put("bad", **{"email": "bad@example.org", "name": "Bad", "badge": "1000", **fields})
    result = kernel.sync("Acme")
    assert (result.counts.created, result.counts.errored) == (25, 1)
    assert result.maps[0].status == "Partial"
    assert failures(rows) == [("bad", stage, code)]
    account.put("bad", email="bad@example.org", badge="1000")
    counted(kernel.sync("Acme"), created=1)
    assert failures(rows) == []


def test_unique_values_are_told_apart_within_a_batch_too(kernel: Kernel, account: Account, rows: Rows) -> None:
    account.put("x1", email="x1@example.org", badge="500")
    account.put("x2", email="x2@example.org", badge="500")
    assert kernel.sync("Acme").counts.errored == 1
    assert failures(rows) == [("x2", "persist", "unique")]
    account.put("001", badge="2")
    account.put("003", badge="3")
    assert kernel.sync("Acme").counts.errored >= 1
    assert failures(rows) == [("001", "persist", "unique"), ("x2", "persist", "unique")]
    assert rows("SELECT Badge FROM people WHERE Email = 'p1@example.org'") == [(1,)]


def test_what_only_the_database_refuses_is_found_by_halves(account: Account, rows: Rows, tmp_path: Path) -> None:
    rows("CREATE TABLE people (id TEXT PRIMARY KEY, Email TEXT, Name TEXT CHECK (Name <> 'Nobody'), Badge NUMERIC)")
    adopted = {**DOCUMENT, "Entities": [{"Name": "People", "Table": "people", "KeyOrigin": "uuid"}]}
    account.put("011", name="Nobody")
    account.put("022", name="Nobody")
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}) as kernel:
        kernel.apply(adopted)
        result = kernel.sync("Acme")
    assert (result.counts.created, result.counts.errored) == (23, 2)
    assert failures(rows) == [("011", "persist", "refused"), ("022", "persist", "refused")]
    assert rows("SELECT count(*) FROM people") == [(23,)]


def test_a_record_without_a_usable_id_is_refused(kernel: Kernel, account: Account, rows: Rows) -> None:
    for id_ in ("", "a\0b"):
        account.records[id_] = ExternalRecord(id_, {"email": "no@example.org"}, account.now)
    result = kernel.sync("Acme")
    assert (result.counts.created, result.counts.errored) == (25, 2)
    assert failures(rows) == [(None, "fetch", "no_external_id")] * 2
    kernel.sync("Acme", full=True)
    assert len(failures(rows)) == 2, "the same failures again are no new entries"


def test_mappings_that_must_be_wrong_stop_the_run(kernel: Kernel, account: Account, rows: Rows) -> None:
    for i in range(300):
        account.put(f"{i:03}", email=f"p{i}@example.org", badge="none")
    result = kernel.sync("Acme")
    assert result.status == "Failed"
    assert "the mapping is probably wrong" in str(result.error)
    assert rows("SELECT watermark_value FROM mj_integration_sync_watermark") == [(None,)]


def test_a_record_twice_in_one_batch_counts_once_as_skipped(kernel: Kernel, account: Account) -> None:
    newest = evolve(account.records["003"], fields={**account.records["003"].fields, "name": "Newest"}, modified_at=account.now)
    account.records["003-again"] = newest
    result = kernel.sync("Acme")
    counted(result, created=25, skipped=1)


# --- Failed records of earlier runs ------------------------------------------------------------------


@define
class Readable(Account):
    """An account that can be asked for single records."""

    asked: list[str] = field(factory=list)

    def read(self, _: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        self.asked += ids
        return [self.records[i] for i in ids if i in self.records]


@pytest.mark.parametrize("kind", [Account, Readable])
def test_failed_records_are_tried_again_with_todays_mapping(kind: type[Account], tmp_path: Path, rows: Rows) -> None:
    account = kind()
    account.put("bad", email="bad@example.org", badge="none")
    account.put("worse", email="x" * 60, badge="1")
    account.put("good", email="good@example.org", badge="7")
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}) as kernel:
        kernel.apply(DOCUMENT)
        account.now += timedelta(days=1)  # beyond the overlap
        assert kernel.sync("Acme").counts.errored == 2
        counted(kernel.sync("Acme"))
        assert rows("SELECT external_id, attempts FROM mj_failed_record") == [("bad", 2), ("worse", 2)]
        lenient = {
            **MAP["FieldMaps"][2],
            "TransformPipeline": [{"Type": "coerce", "Config": {"TargetType": "number"}, "OnError": "Null"}],
        }
        changed = {**MAP, "FieldMaps": [*MAP["FieldMaps"][:2], lenient]}
        kernel.apply({"Connections": [{**DOCUMENT["Connections"][0], "EntityMaps": [changed]}]})
        result = kernel.sync("Acme")
        counted(result)
        assert result.maps[0].notes == ("2 failed records of earlier runs tried again: 1 succeeded, 1 failed again",)
        assert rows("SELECT Email, Badge FROM people ORDER BY 1") == [("bad@example.org", None), ("good@example.org", 7)]
        assert failures(rows) == [("worse", "transform", "does_not_fit")]


def test_a_failed_record_that_is_gone_from_the_source_leaves_the_ledger(tmp_path: Path, rows: Rows) -> None:
    account = Readable()
    account.put("bad", email="bad@example.org", badge="none")
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(account)}) as kernel:
        kernel.apply(DOCUMENT)
        kernel.sync("Acme")
        assert account.asked == [], "what a run delivered itself is not tried again"
        del account.records["bad"]
        result = kernel.sync("Acme")
        assert failures(rows) == []
        assert result.maps[0].notes == ("1 failed record of earlier runs tried again: 0 succeeded, 1 is gone from the source",)


# --- Deletes that the source tells -------------------------------------------------------------------


def test_deletes_of_a_window_that_was_asked_for_are_all_applied(kernel: Kernel, account: Account, rows: Rows) -> None:
    kernel.sync("Acme")
    for i in (1, 11, 21):
        account.delete(f"{i:03}")
    kernel.sync("Acme", since=START)
    assert rows("SELECT count(*) FROM people") == [(22,)]
    assert rows("SELECT count(*) FROM mj_seen") == [(0,)]


@pytest.mark.parametrize("last", ["alive", "deleted"])
def test_of_two_words_about_a_record_the_later_counts(kernel: Kernel, account: Account, rows: Rows, last: str) -> None:
    """The provider may tell of a delete and of the record that came back in one window, in any order."""
    kernel.sync("Acme")
    account.delete("003")
    gone = account.records["003"]
    account.put("003", name="Back")
    back = evolve(account.records["003"], is_deleted=False)
    first, second = (gone, back) if last == "alive" else (back, gone)
    account.records = {"a": first, **{f"b{i}": evolve(back, external_id=f"n{i}") for i in range(20)}, "c": second}
    kernel.sync("Acme")
    assert rows("SELECT Name FROM people WHERE Badge = 3") == [("Back",)]


# --- A mapping that changed --------------------------------------------------------------------------


def remapped(kernel: Kernel, *field_maps: Mapping[str, Any], **policy: Any) -> None:
    kernel.apply(
        {"Connections": [{**DOCUMENT["Connections"][0], "EntityMaps": [{**MAP, **policy, "FieldMaps": list(field_maps)}]}]}
    )


UPPER = {**MAP["FieldMaps"][1], "TransformPipeline": [{"Type": "text", "Config": {"Operation": "upper"}}]}


@pytest.mark.parametrize("policy", ["SourceWins", "DestWins"])
def test_a_changed_mapping_is_applied_to_what_is_linked_without_the_source(
    kernel: Kernel, account: Account, rows: Rows, policy: str
) -> None:
    remapped(kernel, *MAP["FieldMaps"], ConflictResolution=policy)
    kernel.sync("Acme")
    rows("UPDATE people SET Name = 'Edited' WHERE Email = 'p5@example.org'")
    account.away_at = 0
    remapped(kernel, MAP["FieldMaps"][0], UPPER, MAP["FieldMaps"][2], ConflictResolution=policy)
    result = kernel.sync("Acme", remap=True)
    counted(result, **({"updated": 25} if policy == "SourceWins" else {"updated": 24, "unchanged": 1}))
    assert rows("SELECT Name FROM people WHERE Email = 'p7@example.org'") == [("PERSON 7",)]
    edited = "PERSON 5" if policy == "SourceWins" else "Edited"
    assert rows("SELECT Name FROM people WHERE Email = 'p5@example.org'") == [(edited,)]
    counted(kernel.sync("Acme", remap=True), unchanged=25)


def test_a_mapping_that_reads_a_new_field_needs_the_source(kernel: Kernel, account: Account, rows: Rows) -> None:
    kernel.sync("Acme")
    remapped(kernel, MAP["FieldMaps"][0], {**UPPER, "SourceFieldName": "nickname"}, MAP["FieldMaps"][2])
    result = kernel.sync("Acme", remap=True)
    assert result.status == "Failed"
    assert "people: the mapping reads nickname anew, which the source has to be asked for" in str(result.error)
    account.put("007", nickname="Jim")
    account.schema["nickname"] = "string"
    kernel.sync("Acme", full=True)
    assert rows("SELECT Name FROM people WHERE Email = 'p7@example.org'") == [("JIM",)]


# --- A schema that changed ---------------------------------------------------------------------------


def test_a_field_that_is_gone_stops_its_map_before_the_first_page(kernel: Kernel, account: Account, rows: Rows) -> None:
    kernel.sync("Acme")
    del account.schema["badge"]
    account.schema["badge_no"] = "number"
    account.put("new", email="new@example.org")
    result = kernel.sync("Acme")
    assert (result.status, result.counts.processed) == ("Failed", 0)
    assert "FieldMaps[2]: the source no longer has field 'badge', which fills 'Badge', did you mean 'badge_no'?" in str(
        result.error
    )
    assert result.maps[0].notes == ("new fields of the source: badge_no", "fields that the source no longer has: badge")
    renamed = {**MAP["FieldMaps"][2], "SourceFieldName": "badge_no"}
    remapped(kernel, *MAP["FieldMaps"][:2], renamed)
    assert kernel.sync("Acme").counts.created == 1


def test_an_optional_field_may_go_and_a_retyped_one_is_told(kernel: Kernel, account: Account) -> None:
    remapped(kernel, *MAP["FieldMaps"][:2], {**MAP["FieldMaps"][2], "Optional": True})
    kernel.sync("Acme")
    del account.schema["badge"]
    account.schema["name"] = "enum"
    result = kernel.sync("Acme")
    assert result.error is None
    assert result.maps[0].notes == (
        "fields that the source no longer has: badge",
        "field 'name' is enum now and was string; it fills 'Name'",
    )
    assert kernel.sync("Acme").maps[0].notes == (), "told once"


# --- Sweeps ------------------------------------------------------------------------------------------


@define
class Folder(Account):
    """Reads in full each time, tells where it stands on the last page, and knows of no deletes."""

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Version", "now")

    def fetch(self, request: FetchRequest) -> Page:
        page = super().fetch(evolve(request, since=None))
        return page if page.next else evolve(page, watermark=Watermark("Version", str(self.now)))

    def remove(self, id_: str) -> None:
        del self.records[id_]


def test_a_sweep_after_a_full_read_of_many_pages_deletes_what_is_gone(tmp_path: Path, rows: Rows) -> None:
    folder = Folder()
    for i in range(60):
        folder.put(f"{i:03}", email=f"p{i}@example.org", badge=str(i))
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(folder)}) as kernel:
        kernel.apply(DOCUMENT)
        counted(kernel.sync("Acme"), created=60)
        folder.remove("007")
        folder.remove("031")
        result = kernel.sync("Acme", full=True)
        counted(result, unchanged=58)
        assert result.maps[0].notes == ("2 records that the source no longer has were dealt with",)
        assert rows("SELECT count(*) FROM people") == [(58,)]
        assert rows("SELECT count(*) FROM mj_seen") == [(0,)]


def test_a_sweep_that_would_delete_too_much_waits_for_a_word(tmp_path: Path, rows: Rows) -> None:
    folder = Folder()
    for i in range(60):
        folder.put(f"{i:03}", email=f"p{i}@example.org", badge=str(i))
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"account": Plugin(folder)}) as kernel:
        kernel.apply(DOCUMENT)
        kernel.sync("Acme")
        for i in range(20, 60):
            folder.remove(f"{i:03}")
        refused = kernel.sync("Acme", full=True)
        assert (refused.status, rows("SELECT count(*) FROM people")) == ("Failed", [(60,)])
        assert "40 of 60 linked records would be deleted" in str(refused.error)
        approved = kernel.sync("Acme", full=True, allow_deletes=True)
        assert (approved.error, rows("SELECT count(*) FROM people")) == (None, [(20,)])
