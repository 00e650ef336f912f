"""A small CRM over HTTP, a sound provider for it, and one for each rule of providers that breaks this rule alone."""

import http.client
import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from attrs import field, frozen
from mj_testing.faults import Answer, FaultServer
from mj_testing.suites import Account, ProviderSuite

from mjcore.capabilities import ProviderType, Secret
from mjcore.errors import AuthFailed, ConfigError, NotSupported, ProviderError, RateLimited, Unavailable
from mjcore.hookspecs import hookimpl
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject

KEY = "crm-key-that-nobody-may-see"
MINUTES = timedelta(minutes=5)
SERVER = FaultServer().__enter__()


class Crm(Account):
    """Keeps [name, instant of the last change, deleted?] by id, and answers for them."""

    object_name, field = "people", "name"

    def __init__(self):
        self.url, SERVER.upstream = SERVER.url, self.answer
        self.people, self.now = {}, 1_000_000

    def configuration(self, url):
        return {"BaseURL": url, "Timeout": 0.5}

    def secrets(self):
        return {"Key": KEY}

    def write(self, id_, name, deleted=False, *, later=1):
        self.now += later
        self.people[id_] = [name, self.now, deleted]
        return id_

    def create(self, text):
        return self.write(f"p{len(self.people):03}", text)

    def change(self, id_, text):
        self.write(id_, text)

    def delete(self, id_):
        self.write(id_, "", deleted=True)

    def change_together(self, texts):
        self.now += 1
        for id_, text in texts.items():
            self.write(id_, text, later=0)

    def wait(self):
        self.now += 2

    def answer(self, request):
        asked = {"since": "0", "until": "inf", "after": "", "ids": "", "by": "id", **request.query}
        if request.headers.get("x-key") != KEY:
            return Answer(401, {"message": "who are you?"})
        people = [{"id": i, "name": n, "at": at, "deleted": gone} for i, (n, at, gone) in sorted(self.people.items())]
        if request.path == "/read":
            return Answer(200, {"data": [one for one in people if one["id"] in asked["ids"].split(",")]})
        if request.path == "/people":
            inside = [one for one in people if float(asked["since"]) <= one["at"] < float(asked["until"])]
            place = (lambda one: one["id"]) if asked["by"] == "id" else (lambda one: f"{one['at']:09}")
            left = sorted((one for one in inside if place(one) > asked["after"]), key=place)
            return Answer(200, {"data": left, "after": asked["after"], "total": sum(not one["deleted"] for one in inside)})
        return Answer(200, {"now": self.now, "fields": ["id", "name"]})


def start(watermark, default):
    return default if watermark is None else watermark.instant.timestamp()


class Source:
    by = "id"

    def __init__(self, connection):
        self.config, self.throttle, self.key = connection.config, connection.throttle, connection.auth.key.reveal()

    def get(self, path, **params):
        self.throttle()
        try:
            return self.read_answer(*self.send(f"{path}?{urlencode(params, quote_via=quote)}"), path)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"GET {path}: {type(error).__name__}") from None

    def send(self, target):
        connection = http.client.HTTPConnection(urlsplit(self.config.base_url).netloc, timeout=self.config.timeout)
        try:
            connection.request("GET", target, headers={"X-Key": self.key})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def read_answer(self, status, headers, body, path):
        if status >= 300:
            raise self.failure(status, headers, f"GET {path}: {status}", body)
        try:
            return json.loads(body)
        except ValueError:
            raise self.no_json(f"GET {path}: no JSON") from None

    no_json = Unavailable

    def failure(self, status, headers, where, body):
        if status in (401, 403):
            return AuthFailed(where)
        if status == 429:
            return RateLimited(where, timedelta(seconds=int(headers["Retry-After"])) if headers["Retry-After"] else None)
        return Unavailable(where) if status >= 500 else NotSupported(where)

    def test(self):
        return {"now": str(self.get("/now")["now"])}

    def objects(self):
        self.get("/now")
        return [ExternalObject("people", "People", deletes="signal")]

    def fields(self, object_name):
        return [ExternalField(name, name) for name in self.get("/fields")["fields"]]

    def high_watermark(self, object_name):
        now = self.get("/now")["now"]
        return Watermark("Timestamp", datetime.fromtimestamp(now + 1, UTC).isoformat())

    def window(self, request):
        """Return everything behind the checkpoint, and the total."""
        after = self.after(request)
        since, until = start(request.since, 0), start(request.until, "inf")
        data = self.get("/people", since=since, until=until, after=after, by=self.by)
        if data["after"] != after:
            raise ProviderError("the answer is that of another page")
        return [one for one in data["data"] if self.wants(one, request)], data["total"]

    def wants(self, one, request):
        return not one["deleted"] or request.since is not None

    def after(self, request):
        return (request.checkpoint or {}).get("after", "")

    def next(self, request, some):
        return {"after": some[-1]["id"] if self.by == "id" else f"{some[-1]['at']:09}"}

    def fetch(self, request):
        left, total = self.window(request)
        some = left[: request.limit]
        more = self.next(request, some) if len(left) > len(some) else None
        return Page([self.record(one, request.fields) for one in some], more, total)

    def record(self, one, names):
        at = datetime.fromtimestamp(one["at"], UTC)
        values = {} if one["deleted"] else {name: one[name] for name in names}
        return ExternalRecord(one["id"], values, at, is_deleted=one["deleted"])

    def read(self, object_name, ids, names):
        data = self.get("/read", ids=",".join(ids))["data"]
        return [self.record(one, names) for one in data if not one["deleted"]]

    def close(self):
        """Nothing is open."""


def address(_, __, value):
    if not value.startswith("http://"):
        raise ValueError("an address expected")


@frozen
class Config:
    base_url: str = field(validator=address)
    timeout: float = 30.0


@frozen
class Auth:
    key: Secret


class Plugin:
    def __init__(self, source=Source, config=Config, overlap=timedelta(), opened=None):
        self.source, self.config, self.overlap, self.opened = source, config, overlap, opened or source

    @hookimpl
    def mj_provider_types(self):
        return [ProviderType("CRM", self.config, Auth, self.opened, overlap=self.overlap)]


class Sabotage(ProviderSuite):
    breaks = ""
    plugin = Plugin()
    account = Crm
    limits = (1, 2)
    lacks = {"packaging": "it is a class of a test", "lightness": "its module is a test"}

    @property
    def examples(self):
        return 40 if not self.breaks or self.proof.key.endswith(self.breaks) else 4


class TestSound(Sabotage):
    pass


# --- Discovery ------------------------------------------------------------------------------------------


class Stutters(Source):
    def objects(self):
        return super().objects() * 2


class TestStutters(Sabotage):
    breaks = "test_objects_are_found"
    plugin = Plugin(Stutters)


class OwnWords(Source):
    def fields(self, object_name):
        return [ExternalField(found.name, found.label, "varchar") for found in super().fields(object_name)]


class TestOwnWords(Sabotage):
    breaks = "test_fields_are_described"
    plugin = Plugin(OwnWords)


class Reticent(Source):
    def fields(self, object_name):
        return super().fields(object_name)[:1]


class TestReticent(Sabotage):
    breaks = "test_every_delivered_field_is_discovered"
    plugin = Plugin(Reticent)


class Unsettled(Source):
    asked = 0

    def fields(self, object_name):
        self.asked += 1
        return super().fields(object_name)[:: -1 if self.asked % 2 else 1]

    def close(self):
        self.asked = 0


class TestUnsettled(Sabotage):
    breaks = "test_discovery_is_stable"
    plugin = Plugin(Unsettled)


class Numbers(Source):
    def test(self):
        return {"now": self.get("/now")["now"]}


class TestNumbers(Sabotage):
    breaks = "test_test_returns_facts"
    plugin = Plugin(Numbers)


# --- Pages ----------------------------------------------------------------------------------------------


class Twice(Source):
    def fetch(self, request):
        page = super().fetch(request)
        return Page([*page.records, *page.records[:1]], page.next, page.total)


class TestTwice(Sabotage):
    breaks = "test_a_full_read_delivers_every_record_once"
    plugin = Plugin(Twice)


class Moody(Source):
    def __init__(self, connection):
        super().__init__(connection)
        self.asked = []

    def fetch(self, request):
        page = super().fetch(request)
        if request in self.asked:
            return Page(page.records, page.next, page.total, watermark=Watermark("Version", "again"))
        self.asked.append(request)
        return page


class TestMoody(Sabotage):
    breaks = "test_a_page_is_a_function_of_its_request"
    plugin = Plugin(Moody)


class Remembering(Source):
    def __init__(self, connection):
        super().__init__(connection)
        self.places = {}

    def fetch(self, request):
        if request.checkpoint and request.checkpoint["number"] not in self.places:
            return Page([], None)
        return super().fetch(request)

    def after(self, request):
        return self.places[request.checkpoint["number"]] if request.checkpoint else ""

    def next(self, request, some):
        place = some[-1]["id"]
        self.places[hash(place)] = place
        return {"number": hash(place)}


class TestRemembering(Sabotage):
    breaks = "test_every_checkpoint_resumes"
    plugin = Plugin(Remembering)


class Luggage(Source):
    def next(self, request, some):
        return {**super().next(request, some), "luggage": "x" * 5000}


class TestLuggage(Sabotage):
    breaks = "test_checkpoints_are_small_and_plain"
    plugin = Plugin(Luggage)


class Generous(Source):
    def record(self, one, names):
        return super().record(one, ("id", "name"))


class TestGenerous(Sabotage):
    breaks = "test_only_what_is_asked_for_is_delivered"
    plugin = Plugin(Generous)


class Miscounting(Source):
    def window(self, request):
        left, total = super().window(request)
        return left, total + 1


class TestMiscounting(Sabotage):
    breaks = "test_a_total_is_right"
    plugin = Plugin(Miscounting)


class ByTime(Source):
    by = "at"


class TestByTime(Sabotage):
    breaks = "test_ties_across_pages_lose_nothing"
    plugin = Plugin(ByTime)


# --- Windows --------------------------------------------------------------------------------------------


class Late(Source):
    """Begins a minute late, which the overlap makes up for in a run."""

    def wants(self, one, request):
        return super().wants(one, request) and (one["deleted"] or one["at"] >= start(request.since, 0) + 60)


class TestLate(Sabotage):
    breaks = "test_a_window_delivers_what_changed"
    plugin = Plugin(Late, overlap=MINUTES)
    lacks = Sabotage.lacks | {"ties": "of the same minute they are lost, too"}


class Endless(Source):
    def window(self, request):
        since = request.since and Watermark("Timestamp", datetime.fromtimestamp(1, UTC).isoformat())
        return super().window(FetchRequest(request.object_name, request.fields, since, request.until, request.checkpoint, 1))


class TestEndless(Sabotage):
    breaks = "test_a_window_is_honoured"
    plugin = Plugin(Endless)


class Ghosts(Source):
    """Full reads have deleted people as live ones; the windows that follow tell that they are deleted."""

    def record(self, one, names):
        return super().record({**one, "deleted": one["deleted"] and self.is_window}, names)

    def fetch(self, request):
        self.is_window = request.since is not None
        return super().fetch(request)

    def wants(self, one, request):
        return True

    def read(self, object_name, ids, names):
        self.is_window = True
        return super().read(object_name, ids, names)


class TestGhosts(Sabotage):
    breaks = "test_deleted_records_are_never_delivered_as_live"
    plugin = Plugin(Ghosts, overlap=MINUTES)


class LateDeletes(Source):
    def wants(self, one, request):
        return super().wants(one, request) and (not one["deleted"] or one["at"] >= start(request.since, 0) + 60)


class TestLateDeletes(Sabotage):
    breaks = "test_deletes_are_signalled"
    plugin = Plugin(LateDeletes, overlap=MINUTES)


class Offsets(Source):
    """Pages by offset, which loses who moves up while a window is read."""

    def window(self, request):
        behind = (request.checkpoint or {}).get("offset", 0)
        whole = FetchRequest(request.object_name, request.fields, request.since, request.until, None, request.limit)
        left, total = super().window(whole)
        return left[behind:], total

    def next(self, request, some):
        return {"offset": (request.checkpoint or {}).get("offset", 0) + len(some)}


class TestOffsets(Sabotage):
    breaks = "test_a_mirror_equals_the_account"
    plugin = Plugin(Offsets)


# --- Faults ---------------------------------------------------------------------------------------------


class Untyped(Source):
    def failure(self, status, headers, where, body):
        return NotSupported(where) if status == 502 else super().failure(status, headers, where, body)


class TestUntyped(Sabotage):
    breaks = "test_failures_are_typed"
    plugin = Plugin(Untyped)


class Misreading(Source):
    no_json = NotSupported


class TestMisreading(Sabotage):
    breaks = "test_what_is_no_answer_is_unavailable"
    plugin = Plugin(Misreading)


class Patient(Source):
    def __init__(self, connection):
        super().__init__(connection)
        self.config = Config(self.config.base_url, 30.0)


class TestPatient(Sabotage):
    breaks = "test_silence_is_unavailable"
    plugin = Plugin(Patient)


class Shaken(Source):
    shaken = False

    def get(self, path, **params):
        try:
            return super().get(path, **params)
        except ProviderError:
            self.shaken = True
            raise

    def fetch(self, request):
        return Page([], None) if self.shaken else super().fetch(request)


class TestShaken(Sabotage):
    breaks = "test_a_failed_call_can_be_repeated"
    plugin = Plugin(Shaken)


class Curious(Source):
    """Asks again when the server failed, to see whether it is back."""

    def get(self, path, **params):
        try:
            return super().get(path, **params)
        except Unavailable:
            self.throttle()
            with suppress(OSError, http.client.HTTPException):
                self.send("/now")
            raise


class TestCurious(Sabotage):
    breaks = "test_it_neither_waits_nor_repeats"
    plugin = Plugin(Curious)


class Gossip(Source):
    def failure(self, status, headers, where, body):
        return super().failure(status, headers, f"{where}: {body.decode()}", body)


class TestGossip(Sabotage):
    breaks = "test_no_secret_is_told"
    plugin = Plugin(Gossip)


class Hasty(Source):
    def read(self, object_name, ids, names):
        throttle, self.throttle = self.throttle, lambda: None
        try:
            return super().read(object_name, ids, names)
        finally:
            self.throttle = throttle


class TestHasty(Sabotage):
    breaks = "test_the_rate_limit_is_obeyed"
    plugin = Plugin(Hasty)


class Gullible(Source):
    """Takes a page that came before for the end."""

    def fetch(self, request):
        try:
            return super().fetch(request)
        except ProviderError as error:
            if "another page" in str(error):
                return Page([], None)
            raise


class TestGullible(Sabotage):
    breaks = "test_a_repeated_page_loses_nothing"
    plugin = Plugin(Gullible)


# --- Opening --------------------------------------------------------------------------------------------


@frozen
class Growing:
    base_url: str = field(validator=address)
    timeout: float = field(default=30.0, converter=lambda seconds: seconds + 0.25)


class TestGrowing(Sabotage):
    breaks = "test_settings_survive_json"
    plugin = Plugin(config=Growing)


@frozen
class Unchecked:
    base_url: str
    timeout: float = 30.0


def open_unchecked(connection):
    if not connection.config.base_url.startswith("http://"):
        raise RuntimeError("no address")
    return Source(connection)


class TestUnchecked(Sabotage):
    breaks = "test_any_settings_open_or_are_a_config_error"
    plugin = Plugin(config=Unchecked, opened=open_unchecked)


class Undertaker(Source):
    def read(self, object_name, ids, names):
        data = self.get("/read", ids=",".join(ids))["data"]
        return [self.record({**one, "deleted": False}, names) for one in data]


class TestUndertaker(Sabotage):
    breaks = "test_single_records_are_read"
    plugin = Plugin(Undertaker)


class Single(Source):
    busy = False

    def fetch(self, request):
        if self.busy:
            raise RuntimeError("one call at a time")
        self.busy = True
        try:
            time.sleep(0.01)
            return super().fetch(request)
        finally:
            self.busy = False


class TestSingle(Sabotage):
    breaks = "test_several_threads_may_call"
    plugin = Plugin(Single)


class Fragile(Source):
    closed = False

    def close(self):
        if self.closed:
            raise ConfigError("closed already")
        self.closed = True


class TestFragile(Sabotage):
    breaks = "test_closing_leaves_others_alone"
    plugin = Plugin(Fragile)
