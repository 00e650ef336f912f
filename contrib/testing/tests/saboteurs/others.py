"""Matchers, notifiers, executors and attributors: a sound one of each, and one for each rule that breaks this rule alone."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from urllib.error import URLError
from urllib.request import Request, urlopen

from attrs import field, frozen
from mj_testing.suites import AttributorSuite, ExecutorSuite, MatcherSuite, NotifierSuite

from mjcore.capabilities import Attribution, AttributorType, ExecutorType, MatchType, NotifierType, Secret
from mjcore.errors import ConfigError, MJError
from mjcore.hookspecs import hookimpl

LACKS = {"packaging": "it is a class of a test", "lightness": "its module is a test"}


class Few:
    breaks = ""
    lacks = LACKS

    @property
    def examples(self):
        return 60 if not self.breaks or self.proof.key.endswith(self.breaks) else 10


# --- Matchers -------------------------------------------------------------------------------------------


@frozen
class OneField:
    key_field: str = "Email"


class Match:
    def __init__(self, name):
        self.fields = (name,)

    def candidates(self, records, rows):
        keys = [self.key(record) for record in records]
        found = rows.find(self.fields, [key for key in dict.fromkeys(keys) if key]) if any(keys) else {}
        return [found.get(key, ()) if key else () for key in keys]

    def key(self, record):
        value = record.values.get(self.fields[0])
        return None if value is None or not str(value).strip() else (value,)


def compile_match(config, match):
    if not config.key_field.strip():
        raise ConfigError("KeyField: empty")
    return match(config.key_field)


class MatchPlugin:
    def __init__(self, match=Match):
        self.match = match

    @hookimpl
    def mj_match_types(self):
        return [MatchType("One", OneField, lambda config, _: compile_match(config, self.match))]


class MatchSabotage(Few, MatcherSuite):
    plugin = MatchPlugin()
    configs = [{}, {"KeyField": "Code"}]
    refused = [{"KeyField": ""}]


class TestSoundMatch(MatchSabotage):
    breaks = ""


class Boastful(Match):
    def __init__(self, name):
        self.fields = (name, "Colour")

    def candidates(self, records, rows):
        found = Match(self.fields[0]).candidates(records, rows)
        blank = (None, "", " ", "\t\n", "\u00a0")
        return [() if record.values.get("Colour") in blank else keys for record, keys in zip(records, found, strict=True)]


class TestBoastful(MatchSabotage):
    breaks = "test_it_names_what_it_matches_on"
    plugin = MatchPlugin(Boastful)


class Blanks(Match):
    def key(self, record):
        value = record.values.get(self.fields[0])
        return None if value is None else (value,)


class TestBlanks(MatchSabotage):
    breaks = "test_blank_never_matches"
    plugin = MatchPlugin(Blanks)


class Choosy(Match):
    def key(self, record):
        key = super().key(record)
        return None if key == ("a",) else key


class TestChoosy(MatchSabotage):
    breaks = "test_an_equal_row_is_a_candidate"
    plugin = MatchPlugin(Choosy)


class Alternating(Match):
    calls = 0

    def candidates(self, records, rows):
        self.calls += 1
        found = super().candidates(records, rows)
        return found if self.calls == 1 else [keys[:-1] for keys in found]


class TestAlternating(MatchSabotage):
    breaks = "test_the_same_input_gives_the_same_candidates"
    plugin = MatchPlugin(Alternating)


class FirstComes(Match):
    """Gives the second of two equal records nothing: that is the kernel's to decide."""

    def candidates(self, records, rows):
        keys = [self.key(record) for record in records]
        found = super().candidates(records, rows)
        return [() if key in keys[:number] else found[number] for number, key in enumerate(keys)]


class TestFirstComes(MatchSabotage):
    breaks = "test_a_batch_is_its_records_one_by_one"
    plugin = MatchPlugin(FirstComes)


class Chatty(Match):
    def candidates(self, records, rows):
        return [keys for record in records for keys in super(Chatty, self).candidates([record], rows)]


class TestChatty(MatchSabotage):
    breaks = "test_it_asks_once_per_batch"
    plugin = MatchPlugin(Chatty)


class Touchy(Match):
    def key(self, record):
        value = record.values.get(self.fields[0])
        return None if value is None or not value.strip() else (value,)


class TestTouchy(MatchSabotage):
    breaks = "test_records_are_borne_and_left_alone"
    plugin = MatchPlugin(Touchy)


# --- Notifiers ------------------------------------------------------------------------------------------


@frozen
class Hook:
    url: Secret
    timeout: float = 1.0


class Send:
    def __init__(self, config):
        self.config = config

    def notify(self, notice):
        body = json.dumps({"title": notice.title, "text": notice.text}, ensure_ascii=False).encode()
        self.post(body)

    def post(self, body):
        try:
            urlopen(Request(self.config.url.reveal(), body), timeout=self.config.timeout).close()
        except (URLError, OSError) as error:
            raise self.failed(error) from None

    def failed(self, error):
        return MJError(f"the webhook failed: {type(error).__name__}")


class NotifyPlugin:
    def __init__(self, send=Send):
        self.send = send

    @hookimpl
    def mj_notifier_types(self):
        return [NotifierType("hook", Hook, self.send)]


class NotifySabotage(Few, NotifierSuite):
    plugin = NotifyPlugin()
    configs = [{"URL": "test:url", "Timeout": 0.5}]
    secrets = {"test:url": "{url}/topic-that-nobody-may-know"}


class TestSoundNotify(NotifySabotage):
    breaks = ""


class Discreet(Send):
    def notify(self, notice):
        if notice.kind != "schema_drift":
            super().notify(notice)


class TestDiscreet(NotifySabotage):
    breaks = "test_every_kind_arrives"
    plugin = NotifyPlugin(Discreet)


class Latin(Send):
    def notify(self, notice):
        notice.text.encode("latin-1")
        super().notify(notice)


class TestLatin(NotifySabotage):
    breaks = "test_any_notice_can_be_sent"
    plugin = NotifyPlugin(Latin)


class Hopeful(Send):
    def post(self, body):
        try:
            super().post(body)
        except MJError:
            logging.getLogger(__name__).warning("the webhook failed")


class TestHopeful(NotifySabotage):
    breaks = "test_a_failure_is_raised"
    plugin = NotifyPlugin(Hopeful)


class Candid(Send):
    def failed(self, error):
        return MJError(f"{self.config.url.reveal()}: {error}")


class TestCandid(NotifySabotage):
    breaks = "test_no_secret_is_told"
    plugin = NotifyPlugin(Candid)


class Waiting(Send):
    def __init__(self, config):
        super().__init__(Hook(config.url, 60.0))


class TestWaiting(NotifySabotage):
    breaks = "test_silence_ends"
    plugin = NotifyPlugin(Waiting)


# --- Executors ------------------------------------------------------------------------------------------


@frozen
class Workers:
    workers: int = field(default=4)


class Threads:
    def __init__(self, config):
        if config.workers < 1:
            raise ConfigError("Workers: one at least")
        self.workers = min(config.workers, 64)

    def run(self, requests, runner):
        failed = None
        with ThreadPoolExecutor(self.workers) as pool:
            for future in as_completed([pool.submit(runner, request) for request in requests]):
                failed = failed or future.exception()
                if not future.exception():
                    yield future.result()
        if failed:
            raise failed

    def gather(self, tasks):
        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(task) for task in tasks]
            wait(futures)
        return [future.result() for future in futures]


class ExecutorPlugin:
    def __init__(self, executor=Threads):
        self.executor = executor

    @hookimpl
    def mj_executor_types(self):
        return [ExecutorType("threads", Workers, self.executor)]


class ExecutorSabotage(Few, ExecutorSuite):
    plugin = ExecutorPlugin()
    refused = [{"Workers": 0}]


class TestSoundExecutor(ExecutorSabotage):
    breaks = ""


class Doubling(Threads):
    def run(self, requests, runner):
        if len(requests) == 3:
            runner(requests[0])
        yield from super().run(requests, runner)


class TestDoubling(ExecutorSabotage):
    breaks = "test_every_request_gives_its_result"
    plugin = ExecutorPlugin(Doubling)


class Orderly(Threads):
    def run(self, requests, runner):
        yield from list(super().run(requests, runner))


class TestOrderly(ExecutorSabotage):
    breaks = "test_results_come_as_runs_end"
    plugin = ExecutorPlugin(Orderly)


class Lenient(Threads):
    def run(self, requests, runner):
        try:
            yield from super().run(requests, runner)
        except LookupError:
            return


class TestLenient(ExecutorSabotage):
    breaks = "test_an_error_of_a_runner_is_raised"
    plugin = ExecutorPlugin(Lenient)


class Shuffling(Threads):
    def gather(self, tasks):
        results = super().gather(tasks)
        return results[::-1] if len(tasks) == 3 else results


class TestShuffling(ExecutorSabotage):
    breaks = "test_gather_keeps_the_order"
    plugin = ExecutorPlugin(Shuffling)


class Fleeing(Threads):
    def gather(self, tasks):
        futures = [ThreadPoolExecutor(1).submit(task) for task in tasks]
        return [future.result() for future in futures]


class TestFleeing(ExecutorSabotage):
    breaks = "test_gather_raises_when_all_have_ended"
    plugin = ExecutorPlugin(Fleeing)


class Lonely(Threads):
    def gather(self, tasks):
        with ThreadPoolExecutor(1) as pool:
            futures = [pool.submit(task) for task in tasks]
            wait(futures)
        return [future.result() for future in futures]


class TestLonely(ExecutorSabotage):
    breaks = "test_tasks_run_side_by_side"
    plugin = ExecutorPlugin(Lonely)


class Shared(Threads):
    pool = ThreadPoolExecutor(8)

    def run(self, requests, runner):
        failed = None
        for future in as_completed([self.pool.submit(runner, request) for request in requests]):
            failed = failed or future.exception()
            if not future.exception():
                yield future.result()
        if failed:
            raise failed

    def gather(self, tasks):
        futures = [self.pool.submit(task) for task in tasks]
        wait(futures, 8)
        return [future.result(0) for future in futures]


class TestShared(ExecutorSabotage):
    breaks = "test_runs_may_gather"
    plugin = ExecutorPlugin(Shared)


# --- Attributors ----------------------------------------------------------------------------------------


class Attribute:
    def __init__(self, store):
        self.store = store

    def attribute(self, changes):
        return [self.one(change) for change in changes]

    def one(self, change):
        return Attribution("the import", "it wrote the name", 0.5) if change.kind == "create" else None


class AttributorPlugin:
    def __init__(self, attribute=Attribute):
        self.attribute = attribute

    @hookimpl
    def mj_attributor_types(self):
        return [AttributorType("names", self.attribute)]


class AttributorSabotage(Few, AttributorSuite):
    plugin = AttributorPlugin()


class TestSoundAttributor(AttributorSabotage):
    breaks = ""


class Overdoing(Attribute):
    def attribute(self, changes):
        answers = super().attribute(changes)
        return answers if len(changes) < 3 else [*answers, None]


class TestOverdoing(AttributorSabotage):
    breaks = "test_every_change_has_an_answer"
    plugin = AttributorPlugin(Overdoing)


class Certain(Attribute):
    def one(self, change):
        return Attribution("somebody", "", 1.5) if change.kind == "delete" else super().one(change)


class TestCertain(AttributorSabotage):
    breaks = "test_answers_have_evidence"
    plugin = AttributorPlugin(Certain)


class Swayed(Attribute):
    def attribute(self, changes):
        answers = super().attribute(changes)
        return answers if len(changes) < 2 else [None for _ in answers]


class TestSwayed(AttributorSabotage):
    breaks = "test_answers_do_not_depend_on_the_batch"
    plugin = AttributorPlugin(Swayed)
