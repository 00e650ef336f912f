"""Whatever was archived is reported, however the windows and the walks through the archive fall."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from mj_http import HttpClient
from mj_provider_hubspot.api import Api
from mj_provider_hubspot.config import Config
from mj_provider_hubspot.paths import Paths
from mj_provider_hubspot.windows import Windows

from mjcore.records import FetchRequest, Page, Watermark

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)


@frozen
class Archive:
    """A transport to an account whose one record was archived at a known time."""

    archived_at: datetime

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        gone = {"id": "7", "archivedAt": self.archived_at.isoformat()}
        return 200, {}, msgspec.json.encode({"results": [] if url.endswith("/search") else [gone]})

    def close(self) -> None:
        """Nothing is open."""


def walk(windows: Windows, since: datetime, until: datetime) -> Page | None:
    """Read one window; return the page of archived records, if the window walked them."""
    start, end = (Watermark("Timestamp", moment.isoformat()) for moment in (since, until))
    page = windows.page(FetchRequest("contacts", (), start, end, None, 100))
    return windows.page(FetchRequest("contacts", (), start, end, page.next, 100)) if page.next else None


def reader(archived_at: datetime, interval: int) -> Windows:
    http = HttpClient("http://crm.test", lambda: None, transport=Archive(archived_at))
    return Windows(Api(http, Paths("v3"), {}), Config(archived_interval=interval))


@given(
    gaps=st.lists(st.integers(1, 3 * 3600), min_size=1, max_size=20),
    interval=st.integers(0, 120),
    archived=st.integers(0, 3600),
    window=st.integers(0, 19),
)
def test_no_archived_record_is_missed(gaps: list[int], interval: int, archived: int, window: int) -> None:
    ends = [START]
    for gap in gaps:
        ends.append(ends[-1] + timedelta(seconds=gap))
    ends.append(ends[-1] + timedelta(minutes=interval, seconds=1))  # by then a walk is due at the latest
    moment = ends[min(window, len(gaps) - 1)] + timedelta(seconds=archived)  # after the first window's end
    windows = reader(moment, interval)
    seen = [
        until
        for start, until in pairwise(ends)
        if until >= moment and (page := walk(windows, start - OVERLAP, until)) and page.records
    ]
    assert seen or moment > ends[-1]


@given(interval=st.integers(1, 120), seconds=st.integers(1, 59))
def test_walks_are_no_more_frequent_than_the_interval_asks_for(interval: int, seconds: int) -> None:
    windows = reader(START, interval)
    step = timedelta(seconds=seconds)
    walks = sum(walk(windows, START + i * step, START + (i + 1) * step) is not None for i in range(50))
    assert walks <= 50 * seconds / (interval * 60) + 1


def test_without_an_interval_every_window_walks() -> None:
    page = walk(reader(START, 0), START - OVERLAP, START + timedelta(seconds=1))
    assert page is not None
    assert [(record.external_id, record.is_deleted) for record in page.records] == [("7", True)]


def test_a_full_window_leaves_the_archive_to_the_sweep() -> None:
    page = reader(START, 0).page(FetchRequest("contacts", (), None, Watermark("Timestamp", START.isoformat()), None, 100))
    assert page.next is None
