"""What commands print: it fits 80 columns, loses nothing, and obeys no control character."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from mj_cli.failing import exit_code_of
from mj_cli.output import plain, shown, without_password
from mj_cli.previewing import preview_tables
from mj_cli.results import COUNTS, as_json, summary, told
from mj_cli.watching import watching
from rich.console import Console, RenderableType

from mjcore.models import TransformStep
from mjcore.preview import FieldTrace, Preview, RecordTrace, StepTrace
from mjcore.progress import Progress
from mjcore.records import ABSENT, Counts, RecordError
from mjcore.results import MapResult, SyncResult

BEGAN = datetime(2026, 1, 31, 8, tzinfo=UTC)
MANY = Counts(12_345_678, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 1_234_567, 111_111, 1_000_000)
PIPELINES = {
    "Revenue": (),
    "Gone": (),
    "Email": (TransformStep("text", {"Operation": "lower"}), TransformStep("lookup", {"Map": {}, "DefaultValue": "x"})),
}
ERROR = RecordError("77", "transform", "bad-value", "Phone: 'x[/]' is no phone number")


def result(*maps: MapResult, **facts: object) -> SyncResult:
    counts = sum((m.counts for m in maps), Counts())
    known = {"started_at": BEGAN, "completed_at": BEGAN + timedelta(seconds=3.2), "maps": maps, **facts}
    return SyncResult("0190-run", "Acme [HubSpot]", **{"status": "Completed", "counts": counts, **known})  # type: ignore[arg-type]


def done(counts: Counts, status: str = "Completed", errors: tuple[RecordError, ...] = ()) -> MapResult:
    return MapResult("contacts", "Contacts", status, counts, "a", "b", errors)  # type: ignore[arg-type]


def drawn(*parts: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    console.print(*parts, sep="\n")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_json_of_a_sync_has_the_promised_keys() -> None:
    shape = as_json(result(done(MANY, "Partial", (ERROR,))))
    assert list(shape) == [
        *("RunID", "Connection", "Status", "Direction", "StartedAt", "CompletedAt"),
        *(f"TotalRecords{name}" for name in COUNTS),
        *("ErrorMessage", "EntityMaps"),
    ]
    (entity_map,) = shape["EntityMaps"]
    assert list(entity_map) == [
        *("ExternalObjectName", "Entity", "Status", *(f"Records{name}" for name in COUNTS)),
        *("WatermarkBefore", "WatermarkAfter", "ErrorMessage", "Errors", "Notes"),
    ]
    assert shape["StartedAt"] == "2026-01-31T08:00:00+00:00"
    assert entity_map["Errors"] == [
        {"ExternalID": "77", "Stage": "transform", "Code": "bad-value", "Message": "Phone: 'x[/]' is no phone number"}
    ]


def test_the_summary_shows_every_count_within_80_columns() -> None:
    text = drawn(*summary(result(done(MANY, "Partial", (ERROR,)), done(Counts(2, 2)))))
    assert max(map(len, text.splitlines())) <= 80
    for number in ("12,345,678", "4,000,000", "111,111", "2,000,000", "12,345,680"):
        assert number in text
    assert "77: transform: Phone: 'x[/]' is no phone number" in text
    assert "999,999 more records failed" in text


def test_counts_that_are_zero_everywhere_take_no_room() -> None:
    text = drawn(*summary(result(done(Counts(10, 10)))))
    assert "Created" in text
    assert "Conflicted" not in text
    assert "Status" not in text


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4]), min_size=1, max_size=5))
def test_of_several_runs_the_worst_counts(codes: list[int]) -> None:
    runs = {
        0: result(done(Counts(1, 1))),
        1: result(status="Failed"),
        2: result(status="Failed", refusal="configuration"),
        3: result(done(Counts(1, errored=1), "Partial")),
        4: result(status="Failed", refusal="held"),
    }
    assert exit_code_of([runs[code] for code in codes]) == next(code for code in (1, 2, 4, 3, 0) if code in codes)


def test_a_cancelled_run_is_not_fine() -> None:
    assert exit_code_of([result(status="Cancelled")]) == 1
    assert exit_code_of([result(done(Counts(1, 1), "Cancelled"))]) == 1
    assert exit_code_of([result(status="Failed", refusal="lost")]) == 1


def test_a_preview_shows_each_steps_value_within_80_columns() -> None:
    steps = (StepTrace("text", "ada@example.org"), StepTrace("lookup", None, "'ada@example.org' is not in the map; add it", 1))
    fields = (
        FieldTrace("email", "Email", " Ada@Example.ORG ", steps, ABSENT, "not in the map"),
        FieldTrace("a_very_long_source_field_name_of_some_account", "Revenue", "12.50", (), Decimal("12.50")),
        FieldTrace("gone", "Gone", ABSENT, (), ABSENT),
    )
    text = drawn(*preview_tables(Preview("contacts", "Contacts", (RecordTrace("77", fields, "", "not in the map"),)), PIPELINES))
    assert max(map(len, text.splitlines())) <= 80
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[1:4] == [
        'email → Email " Ada@Example.ORG "',
        'text lower "ada@example.org"',
        "lookup null 'ada@example.org' is not in the map;",
    ]
    assert "Email not in the map" in lines
    assert "Revenue 12.50" in lines
    assert "gone → Gone (not sent)" in lines


def test_values_are_shown_as_what_they_are() -> None:
    assert [shown(v) for v in ("5", 5, None, True, ABSENT, Decimal("1.50"), ["a"], BEGAN)] == [
        *('"5"', "5", "null", "true", "(not sent)", "1.50", '["a"]', "2026-01-31 08:00:00+00:00")
    ]
    assert len(shown("x" * 500)) == 60


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    assert all(c.isprintable() or c == "\n" for c in plain(text))
    assert all(c.isprintable() for c in plain(shown(text)).replace("\n", ""))


def test_a_password_is_not_shown() -> None:
    assert without_password("postgresql://mj:p@ss/w@db:5432/crm") == "postgresql://mj:***@db:5432/crm"
    assert without_password("sqlite:///a@b.db") == "sqlite:///a@b.db"


def test_counts_in_words_leave_out_zeros() -> None:
    assert told(Counts(5000, updated=10, unchanged=4990)) == "10 updated, 4,990 unchanged"
    assert told(Counts()) == "none"


def progress(done: int, total: int | None = 1000, waiting: str = "") -> Progress:
    return Progress("run", "Acme", "contacts", "Contacts", Counts(done, done), total, 2.0, waiting)


def test_away_from_a_terminal_progress_is_a_line_now_and_then() -> None:
    console = Console(file=io.StringIO(), width=240)
    with watching(console, several=False) as listener:
        for number in range(0, 1001, 10):
            listener(progress(number))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines == ["Acme: contacts → Contacts: 0 of 1000, 0/s", "Acme: contacts → Contacts: 1000 of 1000, 500/s"]


def test_on_a_terminal_progress_is_a_bar_with_rate_and_reason_to_wait() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, highlight=False)
    with watching(console, several=True) as listener:
        listener(progress(500))
        listener._bars.refresh()  # type: ignore[attr-defined]
        listener(progress(500, waiting="waiting 10.0 s: rate limit of ten seconds"))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "Acme: contacts → Contacts" in text
    assert "500/1,000 250/s" in text
    assert "500/1,000 waiting 10.0 s" in text
    assert "contacts: waiting 10.0 s: rate limit of ten seconds\n" in text
