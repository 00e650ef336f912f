"""The fixtures: kernels without discovery, real syncs, recorded hook calls, a clock that stands, a server that fails."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from attrs import frozen
from mj_testing.clock import START, Clock
from mj_testing.faults import Answer, Fault, FaultServer
from mj_testing.kernels import Kernels
from mj_testing.memory import Memory
from mj_testing.recorder import Recorder
from mj_testing.suites import PluginSuite
from mj_testing.syncs import Syncs

from mjcore.capabilities import TransformType
from mjcore.errors import PluginError
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value

MAPS = [{"SourceFieldName": "name", "DestinationFieldName": "Name", "IsKeyField": True}]


@frozen
class Shout:
    def apply(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        return [value.upper() for value in values]


class Plugin:
    @hookimpl
    def mj_transform_types(self) -> Iterable[TransformType[Shout]]:
        return [TransformType("shout", Shout, lambda config: config)]


def test_a_kernel_has_what_it_was_given_and_no_more(kernel: Kernels) -> None:
    assert list(kernel(Plugin()).transform_types) == ["shout"]
    assert list(kernel().transform_types) == []


def test_a_plugin_that_does_not_load_fails_the_test(kernel: Kernels) -> None:
    with pytest.raises(PluginError, match="is a class"):
        kernel(Plugin)


def test_a_kernel_has_the_clock_of_the_test(kernel: Kernels, clock: Clock) -> None:
    made = kernel()
    assert made.now() == START
    clock.move(hours=2)
    assert made.now() == START + timedelta(hours=2) == clock()


def test_a_sync_is_a_real_one(sync: Syncs) -> None:
    maps = [{**MAPS[0], "TransformPipeline": [{"Type": "shout"}]}]
    outcome = sync([{"id": 1, "name": "ada"}, {"id": 2, "name": 5}], maps, plugins=[Plugin()])
    assert outcome.rows == [{"Name": "ADA"}]
    assert outcome.result.counts.created == 1
    assert [(failed.external_id, failed.code) for failed in outcome.failed] == [("2", "transform_failed")]


def test_a_sync_can_be_run_again(sync: Syncs) -> None:
    first = sync([{"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}], MAPS)
    second = first.again([{"id": 1, "name": "ada"}, {"id": 2, "name": "eve"}])
    assert second.rows == [{"Name": "ada"}, {"Name": "eve"}]
    assert (second.result.counts.unchanged, second.result.counts.updated) == (1, 1)


def test_the_recorder_notes_stages_and_events(sync: Syncs) -> None:
    recorder = sync([{"id": 1, "name": "ada"}], MAPS).recorder
    names = recorder.names()
    order = ["mj_run_started", "mj_fetch", "mj_transform", "mj_persist", "mj_batch_done", "mj_run_finished"]
    assert [name for name in names if name in order] == order or set(order) <= set(names)
    (fetched,) = recorder.of("mj_fetch")
    assert [record.external_id for record in fetched.result.records] == ["1"]
    with pytest.raises(LookupError, match="did you mean 'mj_fetch'"):
        recorder.of("mj_fecth")


class TestRecorder(PluginSuite):
    plugin = Recorder()
    lacks = {"packaging": "it is part of the kit", "lightness": "it is part of the kit"}


class TestMemory(PluginSuite):
    plugin = Memory()
    lacks = {"packaging": "it is part of the kit", "lightness": "it is part of the kit"}


def test_the_server_fails_when_it_is_told_to() -> None:
    with FaultServer(lambda _: Answer(200, {"fine": True})) as server:
        server.fail(Fault("status", 429, retry_after=7), after=1)
        assert urlopen(server.url).read() == b'{"fine": true}'
        with pytest.raises(HTTPError) as raised:
            urlopen(server.url)
        assert (raised.value.code, raised.value.headers["Retry-After"]) == (429, "7")
        raised.value.close()
        assert urlopen(server.url).read() == b'{"fine": true}'
        assert (len(server.requests), server.struck) == (3, 2)
