"""What a later run reads, and what it notices."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from mj_provider_files import FileObject, pages, readers
from mj_provider_files.chunk import Place
from mj_provider_files.identity import instant, instants
from mj_provider_files.readers import open_reader

from mjcore.errors import CheckpointExpired, WatermarkExpired
from mjcore.records import ABSENT, FetchRequest, Page, Watermark
from mjcore.window import Pages

OLD = 1_700_000_000
"""Seconds; long enough ago that a file's time can be trusted."""


def write(path: Path, text: str, seconds: int = OLD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (seconds, seconds))


@pytest.fixture
def people(folder: Any) -> Path:
    """Return a file with two records."""
    path: Path = folder.path / "people.csv"
    write(path, "id,name\n1,Ada\n2,Bob\n")
    return path


def test_an_unchanged_file_is_not_even_read(folder: Any, people: Path) -> None:
    first = folder.drain("people", ["name"])
    write(people, "id,name\n1,Eve\n2,Bob\n")  # same size, same time: seen only by who reads it
    again = folder.drain("people", ["name"], first.watermark)
    assert (again.records, again.errors) == ([], [])
    assert again.watermark == first.watermark


def test_a_touched_file_is_known_by_its_content(folder: Any, people: Path) -> None:
    first = folder.drain("people", ["name"])
    os.utime(people, (OLD + 99, OLD + 99))
    again = folder.drain("people", ["name"], first.watermark)
    assert again.records == []
    assert folder.drain("people", ["name"], again.watermark).watermark == again.watermark


def test_a_changed_file_is_read_in_full_since_records_may_be_gone(folder: Any, people: Path) -> None:
    first = folder.drain("people", ["name"])
    write(people, "id,name\n2,Bob\n", OLD + 1)
    with pytest.raises(WatermarkExpired, match=r"people\.csv has changed"):
        folder.drain("people", ["name"], first.watermark)
    assert folder.drain("people", ["name"]).ids == ["2"]


def test_a_file_that_changes_again_in_the_same_moment_is_noticed(folder: Any, people: Path) -> None:
    now = int(time.time())
    os.utime(people, (now, now))
    first = folder.drain("people", ["name"])
    assert folder.drain("people", ["name"], first.watermark).records == []
    write(people, "id,name\n1,Eve\n2,Bob\n", now)
    with pytest.raises(WatermarkExpired):
        folder.drain("people", ["name"], first.watermark)


def test_of_several_files_new_ones_alone_are_read(folder: Any) -> None:
    write(folder.path / "drop/1.csv", "id\n1\n")
    first = folder.drain("drop/*.csv", ["id"])
    write(folder.path / "drop/2.csv", "id\n2\n")
    second = folder.drain("drop/*.csv", ["id"], first.watermark)
    assert (first.ids, second.ids) == (["1"], ["2"])
    assert folder.drain("drop/*.csv", ["id"], second.watermark).ids == []
    (folder.path / "drop/1.csv").unlink()
    with pytest.raises(WatermarkExpired, match=r"drop/1\.csv is gone"):
        folder.drain("drop/*.csv", ["id"], second.watermark)


def at(minute: int) -> str:
    return (datetime.fromtimestamp(OLD, UTC) + timedelta(minutes=minute)).isoformat()


def test_with_a_modified_field_only_newer_rows_are_read(folder: Any) -> None:
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "ModifiedField": "at"}}}
    path = folder.path / "people.csv"
    write(path, f"id,at\n1,{at(-60)}\n2,{at(-20)}\n3,\n")
    first = folder.drain("people", ["id"])
    assert [record.modified_at for record in first.records] == [*map(datetime.fromisoformat, (at(-60), at(-20))), None]
    write(path, f"id,at\n1,{at(-60)}\n2,{at(-20)}\n3,\n4,{at(-24)}\n5,{at(-26)}\n6,{at(30)}\n", OLD + 3600)
    second = folder.drain("people", ["id"], first.watermark)
    assert second.ids == ["2", "3", "4", "6"]  # five minutes of overlap; a row without a time is always read
    assert folder.drain("people", ["id"], second.watermark).ids == []


def test_a_time_in_the_future_hides_nothing(folder: Any) -> None:
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "ModifiedField": "at"}}}
    path = folder.path / "people.csv"
    write(path, f"id,at\n1,{at(10**6)}\n")
    first = folder.drain("people", ["id"])
    write(path, f"id,at\n1,{at(10**6)}\n2,{at(10)}\n", OLD + 3600)
    assert folder.drain("people", ["id"], first.watermark).ids == ["1", "2"]


def test_times_are_compared_as_instants(folder: Any) -> None:
    folder.configuration = {"Zone": "Europe/Berlin", "Objects": {"people": {"Path": "people.csv", "ModifiedField": "at"}}}
    write(folder.path / "people.csv", "id,at\n1,2026-07-01T12:00:00+02:00\n2,2026-07-01 12:00\n3,2026-07-01\n4,yesterday\n")
    drained = folder.drain("people", ["id"])
    assert [record.modified_at for record in drained.records] == [
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        datetime(2026, 6, 30, 22, tzinfo=UTC),
    ]
    (error,) = drained.errors
    assert (error.external_id, error.code) == ("4", "invalid_time")
    assert error.message.startswith("people.csv line 5: at: ")


READABLE = ["2026-01-31", "2026-01-31T10:00:00Z", " 2026-01-31T11:00:00+01:00", "2026-03-29 02:30", "20260131", "", " "]
TIMES: list[Any] = [*READABLE, *READABLE, None, ABSENT, datetime(2026, 1, 31, 10, tzinfo=UTC), date(2026, 1, 31)]
NO_TIMES: list[Any] = ["soon", "0001-01-01T00:00:00+10:00", 1, True, []]


@given(
    st.lists(st.sampled_from(TIMES) | st.sampled_from(TIMES + NO_TIMES), max_size=5), st.sampled_from(["UTC", "Europe/Berlin"])
)
def test_a_column_of_times_says_what_its_values_say_one_by_one(values: list[Any], name: str) -> None:
    zone = ZoneInfo(name)
    try:
        expected = [instant(value, zone) for value in values]
    except ValueError:
        assert instants(values, zone) is None
    else:
        assert instants(values, zone) == expected


def test_a_window_that_is_asked_for_is_bound_by_time(folder: Any, people: Path) -> None:
    folder.configuration = {"Objects": {"people": {"Path": "people.csv"}, "dated": {"Path": "dated.csv", "ModifiedField": "at"}}}
    write(folder.path / "dated.csv", f"id,at\n1,{at(0)}\n2,{at(5)}\n3,{at(10)}\n")
    since, until = Watermark("Timestamp", at(5)), Watermark("Timestamp", at(10))
    source = folder.open()
    assert [r.external_id for r in source.fetch(FetchRequest("dated", (), since, until, None, 9)).records] == ["2"]
    assert source.fetch(FetchRequest("people", (), since, until, None, 9)).records == []  # by the file's own time
    written, later = Watermark("Timestamp", at(0)), Watermark("Timestamp", at(1))
    assert len(source.fetch(FetchRequest("people", (), written, later, None, 9)).records) == 2  # inclusive
    assert source.fetch(FetchRequest("people", (), Watermark("Timestamp", at(-1)), written, None, 9)).records == []  # exclusive
    before = Watermark("Timestamp", at(-5))
    page = source.fetch(FetchRequest("people", (), before, source.high_watermark("people"), None, 9))
    assert [record.external_id for record in page.records] == ["1", "2"]
    assert page.watermark is not None


def test_changed_settings_read_everything_again(folder: Any, people: Path) -> None:
    folder.configuration = {"Objects": {"people": {"Path": "people.csv"}}}
    first = folder.drain("people", ["name"])
    folder.configuration["Objects"]["people"]["NullTexts"] = ["Bob"]
    with pytest.raises(WatermarkExpired, match="settings of the object have changed"):
        folder.drain("people", ["name"], first.watermark)


@pytest.mark.parametrize("reopen", [False, True])
def test_a_file_that_changes_between_two_pages_ends_the_window(folder: Any, people: Path, reopen: bool) -> None:
    source = folder.open()
    request = FetchRequest("people", ("name",), None, source.high_watermark("people"), None, 1)
    request = evolve(request, checkpoint=source.fetch(request).next)
    source = folder.open() if reopen else source
    write(people, "id,name\n1,Ada\n2,Bob\n3,Cy\n", OLD)
    with pytest.raises(CheckpointExpired, match=r"people\.csv: the file has changed since the run began"):
        source.fetch(request)
    people.unlink()
    with pytest.raises(CheckpointExpired, match="the file is gone"):
        source.fetch(request)


def test_a_file_that_changes_while_a_page_is_read_ends_the_window(
    folder: Any, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened_late(*arguments: Any) -> Any:
        reader = open_reader(*arguments)
        write(people, "id,name\n1,Ada\n2,Bob\n3,Cy\n", OLD)  # somebody else writes meanwhile
        return reader

    source = folder.open()
    request = FetchRequest("people", ("name",), None, source.high_watermark("people"), None, 9)
    monkeypatch.setattr(pages, "open_reader", opened_late)
    with pytest.raises(CheckpointExpired, match="has changed since the run began"):
        source.fetch(request)


def test_one_place_may_be_read_for_several_requests(folder: Any, people: Path) -> None:
    source = folder.open()
    request = FetchRequest("people", ("name",), None, source.high_watermark("people"), None, 1)
    names, ids = request, evolve(request, fields=("id",))
    names, ids = (evolve(asked, checkpoint=source.fetch(asked).next) for asked in (names, ids))
    for asked, fields in ((ids, {"id": "2"}), (names, {"name": "Bob"}), (names, {"name": "Bob"}), (ids, {"id": "2"})):
        assert [record.fields for record in source.fetch(asked).records] == [fields]


def test_few_files_are_kept_open(folder: Any, people: Path) -> None:
    kept, file = readers.OpenReaders(), folder.open().catalog.dataset("people").files()[0]
    spots = [("people", file.name, file.stamp(), ("id",), Place(at, at)) for at in range(readers.KEPT + 1)]
    for spot in spots:
        kept.put(spot, open_reader(file, FileObject("people.csv"), ZoneInfo("UTC"), ["id"]))
    taken = [kept.take(spot) for spot in spots]
    assert [reader is not None for reader in taken] == [False] + [True] * readers.KEPT
    for reader in filter(None, taken):
        reader.close()


def test_settings_that_change_inside_a_window_restart_it(folder: Any, people: Path) -> None:
    source = folder.open()
    request = FetchRequest("people", ("name",), None, source.high_watermark("people"), None, 1)
    request = evolve(request, checkpoint=source.fetch(request).next)
    folder.configuration = {"Objects": {"people": {"Path": "people.csv", "Delimiter": ";"}}}
    with pytest.raises(CheckpointExpired, match="settings"):
        folder.open().fetch(request)


@pytest.mark.parametrize("checkpoint", [{}, {"page": 2}, {"file": "x.csv", "stamp": [1, 2], "at": 0, "number": 0}])
def test_a_foreign_checkpoint_or_watermark_is_refused(folder: Any, people: Path, checkpoint: dict[str, Any]) -> None:
    source = folder.open()
    with pytest.raises(CheckpointExpired):
        source.fetch(FetchRequest("people", (), None, source.high_watermark("people"), checkpoint, 1))
    with pytest.raises(WatermarkExpired):
        folder.drain("people", [], Watermark("Cursor", json.dumps(checkpoint)))


def test_a_page_does_not_read_what_is_before_it(folder: Any) -> None:
    path = folder.path / "people.csv"
    rows = [f"{i},name {i}" for i in range(200_000)]
    write(path, "\n".join(["id,name", *rows, ""]))
    source = folder.open()
    request = FetchRequest("people", ("name",), None, None, None, 150_000)
    checkpoints = []
    while (page := source.fetch(request)).next is not None:
        checkpoints.append(page.next)
        request = evolve(request, checkpoint=page.next, limit=40_000)
    middle = checkpoints[2]
    content = bytearray(path.read_bytes())
    head = len(content) // 8
    content[head : middle["at"]] = b'"' * (middle["at"] - head)  # would break every row behind it
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))
    page = folder.open().fetch(evolve(request, checkpoint=middle, limit=10))
    assert [record.external_id for record in page.records] == [str(i) for i in range(middle["number"] - 1, middle["number"] + 9)]


def test_the_kernel_reads_a_window_of_several_files(folder: Any) -> None:
    for number in range(5):
        write(folder.path / f"drop/{number}.jsonl", "\n".join(json.dumps({"id": number * 100 + i}) for i in range(number * 7)))
    source = folder.open()
    request = FetchRequest("drop/*.jsonl", ("id",), None, source.high_watermark("drop/*.jsonl"), None, 3)
    found: list[Page] = [page for arrived in Pages(source.fetch, request, 10, 2) for page in arrived]
    assert [r.external_id for page in found for r in page.records] == [str(n * 100 + i) for n in range(5) for i in range(n * 7)]
    assert all(len(page.records) <= 3 for page in found)


def test_files_are_read_in_one_order_whatever_the_window(folder: Any) -> None:
    names = ["a/b.csv", "a-b.csv", "a.csv", "B.csv", "a/c/d.csv", "ä.csv"]
    for number, name in enumerate(names):
        write(folder.path / name, f"id\n{number}\n{number}0\n")
    expected = [part for name in sorted(names) for part in (str(names.index(name)), f"{names.index(name)}0")]
    assert folder.drain("**/*.csv", limits=[1], reopen=True).ids == expected
    source, ids = folder.open(), []
    request: FetchRequest | None = FetchRequest("**/*.csv", (), None, Watermark("Timestamp", at(1)), None, 1)
    while request is not None:
        page = source.fetch(request)
        ids += [record.external_id for record in page.records]
        request = evolve(request, checkpoint=page.next) if page.next else None
    assert ids == expected


def test_single_records_are_read_by_id(folder: Any, people: Path) -> None:
    read = folder.open().read("people", ["2", "9", "1"], ("name",))
    assert [(record.external_id, record.fields) for record in read] == [("2", {"name": "Bob"}), ("1", {"name": "Ada"})]
