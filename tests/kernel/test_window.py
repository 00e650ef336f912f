"""Windows: frozen, resumed, and never walked in circles."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import current_thread
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mjcore.errors import ProviderError, Unavailable
from mjcore.records import ExternalRecord, FetchRequest, Page, Position, Watermark
from mjcore.window import Pages, open_window

NOW = Watermark("Timestamp", "2026-01-02T00:00:00+00:00")
BEFORE = Watermark("Timestamp", "2026-01-01T00:00:00+00:00")


def window(stored: Position, **options: Any) -> Position:
    known: dict[str, Any] = {
        "run_id": "run",
        "map_version": 1,
        "until": NOW,
        "overlap": timedelta(minutes=5),
        "full": False,
        "initial_since": None,
    }
    return open_window(stored, **{**known, **options})


def test_a_first_window_reads_everything_up_to_now() -> None:
    assert window(Position()) == Position(None, "run", 1, None, NOW, None, is_full=True)


def test_a_window_starts_at_the_watermark_less_the_overlap_compared_as_instants() -> None:
    since = window(Position(BEFORE)).since
    assert since is not None
    assert since.instant == datetime(2025, 12, 31, 23, 55, tzinfo=UTC)


def test_a_first_load_may_be_limited() -> None:
    limited = window(Position(), initial_since=datetime(2025, 6, 1, tzinfo=UTC))
    assert limited.since == Watermark("Timestamp", "2025-06-01T00:00:00+00:00")
    assert not limited.is_full


def test_a_broken_off_window_is_continued_with_its_own_end() -> None:
    stored = Position(BEFORE, "crashed", 1, BEFORE, Watermark("Timestamp", "2026-01-01T12:00:00+00:00"), {"page": 3})
    assert window(stored) == evolve(stored, run_id="run")


def test_a_changed_mapping_restarts_the_window() -> None:
    stored = Position(BEFORE, "crashed", 1, BEFORE, NOW, {"page": 3})
    assert window(stored, map_version=2).checkpoint is None


def test_a_full_read_does_not_continue_a_partial_one() -> None:
    stored = Position(BEFORE, "crashed", 1, BEFORE, NOW, {"page": 3})
    again = window(stored, full=True)
    assert (again.since, again.checkpoint, again.is_full) == (None, None, True)


def test_an_object_without_a_clock_is_read_in_full_each_time() -> None:
    assert window(Position(BEFORE), until=None).since is None


# --- Pages -------------------------------------------------------------------------------------------


def book(pages: Sequence[int], jump: dict[int, int] | None = None) -> Pages:
    """A source with pages of so many records; `jump` sends a page to another than the next."""

    def fetch(request: FetchRequest) -> Page:
        assert current_thread().name == "mj-prefetch"
        number = int(str((request.checkpoint or {"page": 0})["page"]))
        following = (jump or {}).get(number, number + 1)
        records = [ExternalRecord(f"{number}-{i}", {}) for i in range(pages[number])]
        return Page(records, {"page": following} if following < len(pages) else None)

    return Pages(fetch, FetchRequest("things", (), None, None, None, 10), batch_size=20, pages_ahead=3)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_every_record_of_every_page_arrives_once_and_in_order(sizes: list[int]) -> None:
    batches = list(book(sizes))
    arrived = [record.external_id for pages in batches for page in pages for record in page.records]
    assert arrived == [f"{number}-{i}" for number, size in enumerate(sizes) for i in range(size)]
    assert all(sum(len(page.records) for page in pages[:-1]) < 20 for pages in batches)


@given(st.data())
def test_a_source_that_goes_in_circles_is_found_whatever_the_length(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 40))
    start = data.draw(st.integers(0, length - 1))
    seen = 0
    with pytest.raises(ProviderError, match="repeats itself"):
        for pages in book([1] * length, {length - 1: start}):
            seen += len(pages)
            assert seen < 200


def test_what_came_before_a_failure_is_delivered_first() -> None:
    pages = book([1, 1, 1])
    fetch = pages.fetch

    def failing(request: FetchRequest) -> Page:
        if request.checkpoint == {"page": 2}:
            raise Unavailable("gone")
        return fetch(request)

    pages.fetch = failing
    arrived: list[str] = []
    with pytest.raises(Unavailable):
        for some in pages:
            arrived += [record.external_id for page in some for record in page.records]
    assert arrived == ["0-0", "1-0"]


def test_the_reader_ends_when_its_pages_are_no_longer_wanted() -> None:
    pages = book([1] * 100)
    next(iter(pages))
    pages.close()
    assert pages.is_closed
