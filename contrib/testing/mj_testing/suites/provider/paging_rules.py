"""Rules of pages and checkpoints."""

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import strategies as st

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.suites.provider.stage import Accounts, by_id

LARGEST_CHECKPOINT = 4096
"""Bytes of JSON."""


class PagingRules(Accounts):
    """What reading page by page has to keep."""

    def reads(self, least: int = 0) -> st.SearchStrategy[tuple[list[str], int]]:
        """Return records to begin with, and a size of pages."""
        return st.tuples(self.texts(least), self.page_limits())

    @rule(
        "a full read delivers every record once, as it is",
        remedy="page by an order that does not change (an id), never by an offset; deliver values as the source has them",
    )
    def test_a_full_read_delivers_every_record_once(self) -> None:
        self.proof.holds(self.reads(), self._delivers_once, most=self.examples)

    def _delivers_once(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            records = stage.drain(source, stage.request(source, drawn[1])).records
            ids = [record.external_id for record in records]
            if len(set(ids)) < len(ids):
                broken(example=drawn[0], limit=drawn[1], seen=f"delivered twice: {sorted({i for i in ids if ids.count(i) > 1})}")
            if (found := by_id(stage, records)) != stage.model:
                broken(example=drawn[0], limit=drawn[1], seen=f"{found} instead of {stage.model}")

    @rule(
        "a page is a function of its request alone",
        remedy="keep where you are in the checkpoint, not in the source: the next page may be asked for by another process",
    )
    def test_a_page_is_a_function_of_its_request(self) -> None:
        self.proof.holds(self.reads(1), self._is_a_function, most=max(1, self.examples // 2))

    def _is_a_function(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            first = stage.request(source, drawn[1])
            asked, request = [], first
            for page in stage.pages(source, first):
                asked.append((request, page))
                request = evolve(request, checkpoint=page.next)
            for request, page in reversed(asked):
                if (again := source.fetch(request)) != page:
                    broken(example=drawn[0], checkpoint=request.checkpoint, seen=f"first {page}, asked again {again}")

    @rule(
        "every page's checkpoint resumes, in another process, to the rest of the records",
        remedy="put all that the next page needs into `Page.next`, as plain JSON, and read it from there alone",
    )
    def test_every_checkpoint_resumes(self) -> None:
        self.proof.holds(self.reads(2), self._resumes, most=max(1, self.examples // 2))

    def _resumes(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            request = stage.request(source, drawn[1])
            whole = list(stage.pages(source, request))
            for number, page in enumerate(whole[:-1]):
                checkpoint: Any = json.loads(json.dumps(page.next))
                rest = list(stage.pages(stage.open(), evolve(request, checkpoint=checkpoint)))
                found = by_id(stage, [record for each in (*whole[: number + 1], *rest) for record in each.records])
                if found != stage.model:
                    broken(example=drawn[0], limit=drawn[1], checkpoint=checkpoint, seen=f"{found} instead of {stage.model}")

    @rule(
        f"a checkpoint is plain JSON of at most {LARGEST_CHECKPOINT} bytes",
        remedy="keep a position in it (an id, a cursor), never records or lists of ids",
    )
    def test_checkpoints_are_small_and_plain(self) -> None:
        self.proof.holds(self.reads(2), self._is_small, most=max(1, self.examples // 10))

    def _is_small(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            for page in stage.pages(source, stage.request(source, drawn[1])):
                try:
                    text = json.dumps(page.next)
                except (TypeError, ValueError) as error:
                    broken(cause=error, example=drawn[0], seen=f"{page.next!r} is no JSON: {error}")
                if json.loads(text) != page.next or len(text) > LARGEST_CHECKPOINT:
                    broken(example=drawn[0], seen=f"{len(text)} bytes: {text}")

    @rule(
        "only the fields that are asked for are delivered; none asked: ids alone, and the same ones",
        remedy="deliver `request.fields` and nothing else: what nobody maps costs time and memory, and () asks for ids",
    )
    def test_only_what_is_asked_for_is_delivered(self) -> None:
        self.proof.holds(self.reads(1), self._delivers_what_is_asked, most=max(1, self.examples // 4))

    def _delivers_what_is_asked(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            for names in ((stage.account.field,), ()):
                records = stage.drain(source, stage.request(source, drawn[1], fields=names)).records
                for record in records:
                    if more := record.fields.keys() - set(names):
                        broken(example=drawn[0], asked=names, seen=f"record {record.external_id} has {sorted(more)} too")
                if {record.external_id for record in records} != stage.model.keys():
                    broken(example=drawn[0], asked=names, seen=f"ids {[r.external_id for r in records]}, not {list(stage.model)}")

    @rule(
        "where the first page of a full read states a total, it is the number of records",
        remedy="state what the source counts of the whole window, or no total at all",
    )
    def test_a_total_is_right(self) -> None:
        self.proof.holds(self.reads(), self._counts, most=max(1, self.examples // 4))

    def _counts(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            total = next(stage.pages(source, stage.request(source, drawn[1]))).total
        if total not in (None, len(drawn[0])):
            broken(example=drawn[0], limit=drawn[1], seen=f"a total of {total}, and {len(drawn[0])} records")

    @rule(
        "records that changed at one and the same instant are all delivered, also across pages",
        remedy="page inside the window by id, not by time: `changed after the last one` loses those of the same instant",
        needs="ties",
    )
    def test_ties_across_pages_lose_nothing(self) -> None:
        drawn = st.tuples(self.texts(2, 9), self.page_limits())
        self.proof.holds(drawn, self._keeps_ties, most=max(1, self.examples // 2))

    def _keeps_ties(self, drawn: tuple[list[str], int]) -> None:
        with self.stage() as stage:
            stage.fill(drawn[0])
            source = stage.open()
            stage.account.wait()
            since = source.high_watermark(stage.object_name)
            if since is None:
                pytest.skip(f"{stage.object_name!r} has no watermark: it is always read in full")
            stage.account.wait()
            stage.model |= {id_: text[::-1] for id_, text in stage.model.items()}
            stage.account.change_together(stage.model)
            stage.account.wait()
            found = by_id(stage, stage.drain(source, stage.request(source, drawn[1], since)).records)
            if found != stage.model:
                missing = {id_: text for id_, text in stage.model.items() if found.get(id_) != text}
                broken(example=drawn[0], limit=drawn[1], seen=f"{len(missing)} of {len(stage.model)} are missing: {missing}")
