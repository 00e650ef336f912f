"""Rules of windows: what changed is delivered, what was deleted is told, nothing is lost while the source moves."""

from collections.abc import Iterator

import pytest
from attrs import define, field
from hypothesis import strategies as st

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.strategies import Move, histories, moves
from mj_testing.suites.provider.stage import Accounts, Stage, Window, by_id
from mjcore.capabilities import Source
from mjcore.records import ExternalRecord, Watermark

Drawn = tuple[list[str], list[Move], list[Move], int]


@define
class Mirror:
    """What a target holds that is kept by windows, as the kernel keeps it."""

    stage: Stage
    source: Source
    kept: dict[str, ExternalRecord] = field(factory=dict)
    watermark: Watermark | None = None

    def read(self, limit: int, between: Iterator[Move]) -> None:
        """Read the next window; a move is made behind each page while there are some."""
        since = self.watermark
        if since is not None and since.type == "Timestamp":
            since = Watermark("Timestamp", (since.instant - self.stage.kind.overlap).isoformat())
        request = self.stage.request(self.source, limit, since)
        window = self.stage.drain(self.source, request, lambda _: self._move(between))
        for record in window.records:
            self._apply(record)
        if window.request.since is None:
            self.kept = {record.external_id: self.kept[record.external_id] for record in window.records}
        self.watermark = window.watermark

    def _move(self, between: Iterator[Move]) -> None:
        for move in between:
            self.stage.make(move)
            return

    def _apply(self, record: ExternalRecord) -> None:
        old = self.kept.get(record.external_id)
        if old and old.modified_at and record.modified_at and old.modified_at > record.modified_at:
            return  # an older delivery
        self.kept[record.external_id] = record

    def texts(self) -> dict[str, object]:
        """Return the texts of the rows that there are."""
        return dict(by_id(self.stage, list(self.kept.values())))


class WindowRules(Accounts):
    """What `since` and `until` have to keep."""

    @property
    def has_signals(self) -> bool:
        """Whether the source tells of deletes, as its object says."""
        with self.stage() as stage:
            stage.fill(["a"])
            objects = {found.name: found for found in stage.open().objects()}
        return stage.object_name in objects and objects[stage.object_name].deletes == "signal"

    def windows(self, *, deletes: bool = True) -> st.SearchStrategy[Drawn]:
        """Return records to begin with, moves inside the window, moves behind it, and a size of pages."""
        texts = type(self).account.texts()
        return st.tuples(self.texts(1), moves(texts, deletes=deletes), moves(texts, deletes=deletes), self.page_limits())

    def window(self, stage: Stage, drawn: Drawn) -> tuple[Window, set[str], set[str]]:
        """Return a window, the ids that were touched in it, and those that were touched behind it."""
        texts, inside, behind, limit = drawn
        stage.fill(texts)
        stage.account.wait()
        source = stage.open()
        since = source.high_watermark(stage.object_name)
        if since is None:
            pytest.skip(f"{stage.object_name!r} has no watermark: it is always read in full")
        stage.drain(source, stage.request(source, 100, until=since))
        stage.account.wait()
        touched = stage.make(*inside)
        stage.account.wait()
        until = source.high_watermark(stage.object_name)
        stage.account.wait()
        later = stage.make(*behind)
        return stage.drain(source, stage.request(source, limit, since, until=until)), touched, later

    @rule(
        "what changed inside a window is delivered by it",
        remedy="read what was *modified* since, the bound included, created records too; filter by nothing else",
    )
    def test_a_window_delivers_what_changed(self) -> None:
        self.proof.holds(self.windows(), self._delivers_changes, most=self.examples)

    def _delivers_changes(self, drawn: Drawn) -> None:
        with self.stage() as stage:
            window, touched, later = self.window(stage, drawn)
            found = by_id(stage, window.records)
            for id_ in sorted((touched - later) & stage.model.keys()):
                if found.get(id_) != stage.model[id_]:
                    broken(example=drawn, seen=f"record {id_}: {found.get(id_)!r} instead of {stage.model[id_]!r}")

    @rule(
        "a window delivers nothing from before its start, and nothing live from its end on",
        remedy="filter by `since` (inclusive) and `until` (exclusive) at the source: a run would read everything each time, "
        "and what moved behind the end comes with the next window",
    )
    def test_a_window_is_honoured(self) -> None:
        self.proof.holds(self.windows(), self._honours_the_window, most=self.examples)

    def _honours_the_window(self, drawn: Drawn) -> None:
        with self.stage() as stage:
            window, _, _ = self.window(stage, drawn)
            for record in window.records:
                since, until, at = window.request.since, window.request.until, record.modified_at
                if at and since and since.type == "Timestamp" and at < since.instant:
                    broken(example=drawn, seen=f"record {record.external_id} of {at}, and the window starts at {since.value}")
                if at and until and until.type == "Timestamp" and at >= until.instant and not record.is_deleted:
                    broken(example=drawn, seen=f"record {record.external_id} of {at}, and the window ends at {until.value}")

    @rule(
        "a deleted record is told as deleted, or is not delivered at all: never as a live one",
        remedy="set is_deleted on what the source archived or removed, or leave it out and let objects say deletes='sweep'",
    )
    def test_deleted_records_are_never_delivered_as_live(self) -> None:
        self.proof.holds(self.windows(), self._leaves_out_deleted, most=max(1, self.examples // 2))

    def _leaves_out_deleted(self, drawn: Drawn) -> None:
        with self.stage() as stage:
            source = stage.open()
            window, _, _ = self.window(stage, drawn)
            full = stage.drain(source, stage.request(source, drawn[-1]))
            for what, read in (("window", window), ("full read", full)):
                if wrong := sorted(by_id(stage, read.records).keys() & stage.gone):
                    broken(example=drawn, seen=f"the {what} delivers {wrong}, which are deleted")

    @rule(
        "where the object says deletes='signal', a window tells of every delete in it",
        remedy="deliver deleted records of the window with is_deleted=True, or let objects say deletes='sweep'",
    )
    def test_deletes_are_signalled(self) -> None:
        if not self.has_signals:
            pytest.skip("its object declares deletes='sweep': full reads find what is gone")
        self.proof.holds(self.windows(), self._signals_deletes, most=max(1, self.examples // 2))

    def _signals_deletes(self, drawn: Drawn) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            before = set(stage.model)
            window, touched, later = self.window(stage, ([], *drawn[1:]))
            told = {record.external_id for record in window.records if record.is_deleted}
            if missing := sorted((before & touched & stage.gone) - later - told):
                broken(example=drawn, seen=f"the window does not tell of {missing}")

    @rule(
        "a mirror that is kept by windows equals the account, however the account moves while it is read",
        remedy="freeze the window (`until`), page inside it by an order that edits do not change, and deliver what left it "
        "with the next one",
    )
    def test_a_mirror_equals_the_account(self) -> None:
        texts = type(self).account.texts()
        drawn = st.tuples(self.texts(0, 5), histories(texts), moves(texts), self.page_limits())
        self.proof.holds(drawn, self._mirrors, most=self.examples)

    def _mirrors(self, drawn: tuple[list[str], list[list[Move]], list[Move], int]) -> None:
        texts, history, between, limit = drawn
        with self.stage() as stage:
            stage.fill(texts)
            mirror, during = Mirror(stage, stage.open()), iter(between)
            for made in history:
                stage.make(*made)
                stage.account.wait()
                mirror.read(limit, during)
            stage.account.wait()
            mirror.read(limit, iter(()))
            kept = mirror.texts()
            signals = next((o.deletes for o in mirror.source.objects() if o.name == stage.object_name), "sweep") == "signal"
            if not signals:
                kept = {id_: text for id_, text in kept.items() if id_ not in stage.gone}
            if kept != stage.model:
                broken(example=drawn, seen=f"the mirror has {kept}, the account {stage.model}")
