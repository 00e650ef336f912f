"""What people are told of a run, and that neither a notifier nor a listener that fails does harm or is lost in silence."""

import json
import logging
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, define, field, frozen

from mjcore.capabilities import Notice, NotifierType, ProviderType, Secret
from mjcore.errors import AuthFailed, ConfigError, Unavailable
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.models import IntegrationRunDetail, SyncContext
from mjcore.records import Counts, ExternalRecord, FetchRequest, Page
from mjcore.results import SyncResult
from mjcore.retry import Patience
from mjcore.schema import ExternalField, ExternalObject

START = datetime(2026, 1, 1, tzinfo=UTC)
HUSH = "hush-5551234"
"""The secret of a notifier, part of what its failures say."""
MARK = "Marker-99"
"""A value that its column does not take."""


@frozen
class NoSettings:
    pass


@define
class Account:
    """Ages by id, read in full each time; `fault` is raised instead of a page."""

    ages: dict[str, Any] = field(factory=lambda: {str(i): i for i in range(30)})
    names: list[str] = field(factory=lambda: ["age"])
    fault: Exception | None = None

    def test(self) -> Mapping[str, str]:
        return {}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject("people", "People")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return [ExternalField(name, name, "number") for name in self.names]

    def high_watermark(self, _: str) -> None:
        return None

    def fetch(self, _: FetchRequest) -> Page:
        if self.fault is not None:
            raise self.fault
        return Page([ExternalRecord(id_, {"age": age}) for id_, age in self.ages.items()], None)

    def close(self) -> None:
        pass


@frozen
class Settings:
    token: Secret
    is_broken: bool = False


@define
class Postbox:
    """A plugin: an account, and a notifier that keeps what it is told."""

    account: Account = field(factory=Account)
    notices: list[Notice] = field(factory=list)

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Account", NoSettings, NoSettings, lambda _: self.account)]

    @hookimpl
    def mj_notifier_types(self) -> Iterable[NotifierType[Any]]:
        return [NotifierType("postbox", Settings, lambda config: Sender(self, config))]

    def kinds(self) -> list[str]:
        """Return the kinds that were sent since the last look."""
        kinds: list[str] = [notice.kind for notice in self.notices]
        self.notices.clear()
        return kinds


@frozen
class Sender:
    postbox: Postbox
    settings: Settings

    def notify(self, notice: Notice) -> None:
        assert self.settings.token.reveal() == HUSH
        if self.settings.is_broken:
            raise OSError(f"https://example.test/{self.settings.token.reveal()}: 500")
        self.postbox.notices.append(notice)


def document(*notifiers: Any, **parts: Any) -> dict[str, Any]:
    entity_map = {
        "ExternalObjectName": "people",
        "Entity": "People",
        "DeleteBehavior": "HardDelete",
        "FieldMaps": [{"SourceFieldName": "age", "DestinationFieldName": "Age"}],
        **parts,
    }
    connection = {"Name": "Acme", "Company": "Acme", "Provider": "Account", "EntityMaps": [entity_map]}
    return {
        "Companies": [{"Name": "Acme"}],
        "Entities": [{"Name": "People", "Table": "people", "Fields": [{"Name": "Age", "Type": "number"}]}],
        "Connections": [{**connection, "Configuration": {"Notify": list(notifiers), "RateLimit": 0}}],
    }


SENDS = {"Notifier": "postbox", "Token": "env:HUSH"}
BROKEN = {**SENDS, "IsBroken": True}


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def kernel(postbox: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setenv("HUSH", HUSH)
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins={"postbox": postbox}, patience=Patience(total=0)) as kernel:
        kernel.apply(document(SENDS))
        yield kernel


# --- What is told ----------------------------------------------------------------------------------


def test_a_run_that_went_well_tells_nothing(kernel: Kernel, postbox: Postbox) -> None:
    assert kernel.sync("Acme").counts.created == 30
    assert postbox.kinds() == []


def test_a_failure_and_the_recovery_after_it_are_told_once(kernel: Kernel, postbox: Postbox) -> None:
    postbox.account.fault = Unavailable("maintenance")
    result = kernel.sync("Acme")
    (notice,) = postbox.notices
    assert (notice.kind, notice.title, notice.connection, notice.run_id) == ("failed", "Acme: failed", "Acme", result.run_id)
    assert notice.text == f"the run failed (Unavailable); `mj runs {result.run_id}` tells more"
    assert (notice.facts["Status"], notice.facts["EntityMaps"]) == ("Failed", {"people": "Failed"})
    postbox.kinds()
    postbox.account.fault = None
    kernel.sync("Acme")
    assert postbox.kinds() == ["recovered"]
    kernel.sync("Acme")
    assert postbox.kinds() == []


def test_refused_credentials_are_told_as_such(kernel: Kernel, postbox: Postbox) -> None:
    postbox.account.fault = AuthFailed("the token has expired")
    kernel.sync("Acme")
    assert postbox.notices[0].text.startswith("the token has expired; ")
    assert postbox.kinds() == ["auth"]


def test_records_that_failed_are_counted_and_none_is_quoted(kernel: Kernel, postbox: Postbox) -> None:
    postbox.account.ages["7"] = {"an": MARK}
    kernel.sync("Acme")
    (notice,) = postbox.notices
    assert (notice.kind, notice.text) == ("partial", "1 record failed; `mj failed list 'Acme'` shows which")
    assert (notice.facts["Errored"], notice.facts["Created"], notice.facts["Errors"]) == (1, 29, ["transform/does_not_fit"])
    assert MARK not in json.dumps(asdict(notice))
    postbox.account.ages = {str(i): {"an": MARK} for i in range(500)}
    postbox.notices.clear()
    assert MARK in str(kernel.sync("Acme").error), "the store says why"
    assert "failed" in [notice.kind for notice in postbox.notices]
    assert MARK not in json.dumps([asdict(notice) for notice in postbox.notices])


def test_deletes_that_were_held_back_wait_for_a_word(kernel: Kernel, postbox: Postbox) -> None:
    kernel.sync("Acme")
    postbox.account.ages = {"1": 1}
    kernel.sync("Acme")
    assert "29 of 30 linked records would be deleted" in postbox.notices[0].text
    assert postbox.kinds() == ["deletes_guarded"]


def test_conflicts_are_told(kernel: Kernel, postbox: Postbox, tmp_path: Path) -> None:
    kernel.apply(document(SENDS, ConflictResolution="Manual"))
    kernel.sync("Acme")
    link = next(iter(kernel.store.live_links(_context(kernel))))
    edit(tmp_path / "t.db", link.key[0])
    postbox.account.ages[link.external_id] = 99
    kernel.sync("Acme")
    assert [notice.text for notice in postbox.notices] == [
        "1 record changed on both sides; `mj conflicts list 'Acme'` shows which"
    ]
    assert postbox.kinds() == ["conflicts"]


def _context(kernel: Kernel) -> SyncContext:
    (metadata,) = kernel.connections("Acme")
    (entity_map,) = metadata.entity_maps
    return SyncContext("", "Acme", "Acme", entity_map, "Pull", "Manual", START, metadata.connection.id)


def edit(path: Path, key: Any) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE people SET Age = 5000 WHERE id = ?", (key,))
        database.commit()


def test_fields_that_came_or_went_are_told(kernel: Kernel, postbox: Postbox) -> None:
    kernel.sync("Acme")
    postbox.account.names = ["age", "height"]
    kernel.sync("Acme")
    assert [notice.text for notice in postbox.notices] == ["people: new fields of the source: height"]
    assert postbox.kinds() == ["schema_drift"]
    postbox.account.names = ["height"]
    kernel.sync("Acme")
    assert sorted(postbox.kinds()) == ["failed", "schema_drift"]


# --- How they are chosen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ("postbox", "Configuration.Notify: a list of mappings expected, such as [{Notifier: log}]"),
        ([{"Notifier": "postbx"}], "no notifier named 'postbx', did you mean 'postbox'?"),
        ([{"Token": "env:HUSH"}], "Configuration.Notify[0].Notifier: no notifier named ''"),
        ([{**SENDS, "Tokn": 1}], "Configuration.Notify[0].Tokn"),
        ([{"Notifier": "postbox", "Token": HUSH}], "Configuration.Notify[0].Token"),
    ],
)
def test_mistakes_are_found_when_they_are_applied(kernel: Kernel, notify: Any, said: str) -> None:
    wrong = document()
    wrong["Connections"][0]["Configuration"] = {"Notify": notify}
    with pytest.raises(ConfigError) as caught:
        kernel.apply(wrong)
    assert said in str(caught.value)
    assert HUSH not in str(caught.value)


def test_a_plan_tells_nothing_and_what_is_applied_from_it_does(kernel: Kernel, postbox: Postbox, tmp_path: Path) -> None:
    postbox.account.ages["7"] = {"an": MARK}
    kernel.plan("Acme", path=tmp_path / "plan")
    assert postbox.kinds() == []
    kernel.sync("Acme", plan=tmp_path / "plan")
    assert postbox.kinds() == ["partial"]


# --- What fails ------------------------------------------------------------------------------------


def notes_of(kernel: Kernel, result: SyncResult) -> list[str]:
    (stored,) = kernel.store.load(IntegrationRunDetail, integration_run_id=result.run_id)
    (done,) = result.maps
    assert list(done.notes) == stored.details["Notes"]
    return list(done.notes)


def test_a_notifier_that_fails_harms_nobody_and_is_noted_without_its_secret(
    kernel: Kernel, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    kernel.apply(document(BROKEN, SENDS))
    postbox.account.ages["7"] = {"an": MARK}
    result = kernel.sync("Acme")
    assert (result.status, result.counts.created) == ("Completed", 29)
    assert postbox.kinds() == ["partial"], "the others are told"
    assert [note.rpartition(".")[2] for note in notes_of(kernel, result)] == ["Sender failed: OSError"]
    assert "Sender failed: OSError" in caplog.text
    assert HUSH not in caplog.text + str(result)


def test_a_notifier_that_cannot_be_opened_is_noted(kernel: Kernel, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUSH")
    postbox.account.ages["7"] = {"an": MARK}
    result = kernel.sync("Acme")
    assert "notifier postbox failed" in "".join(notes_of(kernel, result))


class Grumbler:
    """Fails at every event, and where it wraps the sending of notices."""

    @hookimpl
    def mj_run_started(self, context: SyncContext) -> None:
        raise ValueError(f"started {context.connection}")

    @hookimpl
    def mj_batch_done(self, counts: Counts) -> None:
        raise RuntimeError("batch")

    @hookimpl
    def mj_run_finished(self, result: SyncResult) -> None:
        raise KeyError("finished")

    @hookimpl(wrapper=True)
    def mj_notify(self) -> Generator[None, bool, bool]:
        yield
        raise ValueError("wrapped")


def test_what_listeners_raise_is_in_the_runs_notes_and_in_the_log(
    postbox: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HUSH", HUSH)
    caplog.set_level(logging.ERROR, "mjcore")
    plugins = {"postbox": postbox, "grumbler": Grumbler()}
    with Kernel(f"sqlite:///{tmp_path}/t.db", plugins=plugins) as kernel:
        kernel.apply(document(SENDS))
        postbox.account.ages = {str(i): i for i in range(2500)} | {"x": {"an": MARK}}
        result = kernel.sync("Acme")
        assert (result.status, result.counts.created) == ("Completed", 2500)
        started, batches, finished, notice = notes_of(kernel, result)
        assert started == "plugin 'grumbler' failed in mj_run_started: ValueError: started Acme"
        assert batches.startswith("plugin 'grumbler' failed in mj_batch_done: RuntimeError: batch (")
        assert batches.endswith(" times)")
        assert finished == "plugin 'grumbler' failed in mj_run_finished: KeyError: 'finished'"
        assert notice == "notifier mj_notify failed: ValueError"
        assert caplog.text.count("RuntimeError: batch") == 1, "not once per batch"
        undone = kernel.undo(result.run_id)
        (detail,) = kernel.run_details(undone.run_id)
        assert any("mj_run_finished" in str(note) for note in detail.details["Notes"])  # type: ignore[union-attr]
        assert kernel.stages.noted.taken(result.run_id) == kernel.stages.noted.taken(undone.run_id) == []
        assert len(kernel.stages.failures) <= 100
