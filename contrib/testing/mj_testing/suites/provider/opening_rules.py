"""Rules of opening and closing, of reading single records, and of several threads."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import strategies as st

from mj_testing.clock import START
from mj_testing.proof import broken, raised
from mj_testing.rules import rule
from mj_testing.strategies import Move, configurations, moves
from mj_testing.suites.provider.stage import Accounts, by_id
from mjcore.capabilities import Connection, RecordReader
from mjcore.errors import ConfigError, ProviderError
from mjcore.wire import structure, unstructure

THREADS = 4
UNKNOWN = ("no-such-record", "987654321012")


class OpeningRules(Accounts):
    """What a source has to keep, whatever it reads."""

    @rule(
        "the settings of a connection are the same after a way through JSON",
        remedy="keep in the config class what the JSON says, and compute the rest in `open`",
    )
    def test_settings_survive_json(self) -> None:
        self.proof.once(self._survive)

    def _survive(self) -> None:
        with self.stage() as stage:
            config = stage.account.configuration(stage.account.url)
        first = structure(self.type.config, config)
        second = structure(self.type.config, json.loads(json.dumps(unstructure(first))))
        if second != first:
            broken(example=config, seen=f"{first} became {second}")

    @rule(
        "whatever the settings say, opening gives a source or a ConfigError",
        remedy="check settings in validators of the config class, or in `open`, and raise ConfigError with what would be "
        "right; ask nothing of the source before the first call",
    )
    def test_any_settings_open_or_are_a_config_error(self) -> None:
        with self.stage() as stage:
            known, secrets = stage.account.configuration(stage.account.url), list(stage.account.secrets())
        self.proof.holds(
            configurations(self.type.config, [known]), lambda config: self._opens(config, secrets), most=self.examples
        )

    def _opens(self, config: Mapping[str, Any], secrets: list[str]) -> None:
        try:
            auth = structure(self.type.auth, dict.fromkeys(secrets, "test:it"), lambda _: "nobody-knows")
            typed = structure(self.type.config, config)
            nothing = Connection("The test", typed, auth, lambda: None, lambda *_: None, lambda: False, lambda: START)
            self.type.open(nothing).close()
        except ConfigError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=config, seen=f"raised {raised(error)}")

    @rule(
        "single records are read as pages deliver them; those that are gone, or never were, are left out",
        remedy="leave out what the source does not find (also when it finds none), and build records as `fetch` does",
    )
    def test_single_records_are_read(self) -> None:
        with self.stage() as stage:
            if not isinstance(stage.open(), RecordReader):
                pytest.skip("its source has no `read`")
        drawn = st.tuples(self.texts(1), moves(type(self).account.texts()))
        self.proof.holds(drawn, self._reads, most=max(1, self.examples // 2))

    def _reads(self, drawn: tuple[list[str], list[Move]]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            stage.make(*drawn[1])
            source = stage.open()
            asked = [*stage.model, *stage.gone, *UNKNOWN]
            if not isinstance(source, RecordReader):
                broken(seen="`read` was there, and is no more")
            try:
                found = list(source.read(stage.object_name, asked, (stage.account.field,)))
                nothing = list(source.read(stage.object_name, [], (stage.account.field,)))
            except ProviderError as error:
                broken(cause=error, example=drawn, seen=f"raised {raised(error)}")
            if by_id(stage, found) != stage.model or nothing:
                broken(example=drawn, seen=f"{by_id(stage, found)} instead of {stage.model}; of no ids: {nothing}")
            pages = {r.external_id: r for r in stage.drain(source, stage.request(source, 100)).records}
            for record in found:
                if not record.is_deleted and record.fields != pages[record.external_id].fields:
                    broken(example=drawn, seen=f"read: {record}; delivered by a page: {pages[record.external_id]}")

    @rule(
        "calls from several threads at once return what they return one by one",
        remedy="keep no state of a call in the source, or guard it with a lock: the next page is read while references are "
        "resolved",
    )
    def test_several_threads_may_call(self) -> None:
        self.proof.holds(self.texts(3), self._bears_threads, most=max(1, self.examples // 10))

    def _bears_threads(self, texts: list[str]) -> None:
        with self.stage() as stage, ThreadPoolExecutor(THREADS) as pool:
            stage.fill(texts)
            source = stage.open()
            request = stage.request(source, 1)
            futures = [pool.submit(lambda: stage.drain(source, request).records) for _ in range(THREADS)]
            for future in futures:
                try:
                    found = future.result()
                except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
                    broken(cause=error, example=texts, seen=f"one of {THREADS} threads raised {raised(error)}")
                if (read := by_id(stage, found)) != stage.model:
                    broken(example=texts, seen=f"one of {THREADS} threads read {read} instead of {stage.model}")

    @rule(
        "a source can be closed twice, and another one be open beside it",
        remedy="let `close` do nothing when nothing is open, and share nothing between sources",
    )
    def test_closing_leaves_others_alone(self) -> None:
        self.proof.once(self._closes)

    def _closes(self) -> None:
        with self.stage() as stage:
            stage.fill(["a"])
            one, other = stage.open(), stage.open()
            try:
                one.close()
                one.close()
                found = by_id(stage, stage.drain(other, stage.request(other, 100)).records)
            except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
                broken(cause=error, seen=f"raised {raised(error)}")
            if found != stage.model:
                broken(seen=f"the other one read {found} instead of {stage.model}")
