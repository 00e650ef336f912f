"""Targets are judged as they are stated, and what is told of them is true."""

import pytest

from bench.__main__ import SEPARATE, USUAL
from bench.measure import Usage
from bench.parts import costs, load
from bench.publish import DOCUMENTS, Circumstances, documented
from bench.report import Check, Section
from bench.samples import Found, new, versus
from bench.stages import ORDER, OTHER, STAGES, stage_of


@pytest.mark.parametrize(
    ("value", "at_least", "holds"), [(1.2, False, True), (1.21, False, False), (1.2, True, True), (1.19, True, False)]
)
def test_a_target_is_the_most_or_the_least_that_a_figure_may_be(value: float, at_least: bool, holds: bool) -> None:
    check = Check("ratio", value, 1.2, cpu=0.9, at_least=at_least)
    assert check.holds is holds
    sign = "≥" if at_least else "≤"
    assert check.said(is_busy=False) == f"{'reached' if holds else 'MISSED'}: ratio: {value:.2f} ({sign} 1.2; CPU 0.90)"
    assert check.cells(is_busy=False) == ["ratio", f"{value:.2f}", "0.90", f"{sign} 1.2", "yes" if holds else "**no**"]


def test_a_verdict_from_a_busy_machine_says_so() -> None:
    assert "MISSED (busy machine)" in Check("ratio", 2.0, 1.2).said(is_busy=True)
    assert Check("ratio", 2.0, 1.2).cells(is_busy=True)[-1] == "**no** (busy machine)"
    busy, quiet = Circumstances("18.4", 1.1, cores=2), Circumstances("18.4", 1.0, cores=2)
    assert (busy.is_busy, quiet.is_busy) == (True, False)
    assert "**busy machine**, load average 1.1 before" in busy.line()
    assert "busy" not in quiet.line()


def taken(found: Found, name: tuple[str, ...], *walls: float, cpu: float = 1.0, rss: float = 60.0) -> None:
    for wall in walls:
        found[name].keep(Usage(wall, cpu, rss))


def test_wall_time_judges_round_by_round_and_cpu_time_stands_beside_it() -> None:
    found = new()
    taken(found, ("ours",), 2.4, 6.0, 2.4, cpu=3.0)
    taken(found, ("theirs",), 2.0, 5.0, 2.0, cpu=2.0)
    check = versus("ours ÷ theirs", found["ours",], found["theirs",], 1.2)
    assert (check.value, check.cpu, check.holds) == (1.2, 1.5, True)


def loaded(full: float) -> Found:
    found = new()
    for scenario in load.SCENARIOS:
        for subject, wall in (("hand-written", 1.0), ("floor", 0.5), ("dlt rows", 3.3), ("mjcore", full)):
            taken(found, ("postgresql", scenario, subject), wall)
            taken(found, ("sqlite", scenario, subject), wall)
    return found


def test_the_targets_of_a_load() -> None:
    def missed(kind: str, wall: float) -> list[str]:
        return [check.what.removeprefix(f"{kind}, ") for check in load._checks(loaded(wall), kind) if not check.holds]

    assert missed("sqlite", 1.2) == []
    assert missed("postgresql", 0.9) == []
    assert missed("postgresql", 1.0) == ["full load: wall ÷ hand-written"]
    by_hand = [f"{scenario}: wall ÷ hand-written" for scenario in ("full load", "no change", "1 % changed")]
    assert missed("sqlite", 1.25) == by_hand
    assert missed("sqlite", 1.66) == [by_hand[0], "full load: wall ÷ floor", "full load: wall ÷ dlt rows", *by_hand[1:]]


def test_peak_memory_is_judged_by_the_worst_round() -> None:
    found = loaded(1.0)
    for name in list(found):
        taken(found, name, found[name].wall[0], rss=151.0)
    assert [check.what for check in load._checks(found, "sqlite") if not check.holds] == ["sqlite, full load: peak MB"]


def test_a_cost_is_what_is_saved_by_leaving_it_out_as_a_share_of_a_plain_upsert() -> None:
    assert costs._share([10.0, 20.0, 9.0], [8.0, 16.0, 9.0], [5.0, 10.0, 5.0]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("frames", "stage"),
    [
        ("MainThread;<module> (mj_cli/main.py)", "start-up"),
        ("MainThread;RUN;_find_and_load (<frozen importlib._bootstrap>)", "start-up"),
        ("mj-prefetch;Pages._read (mjcore/window.py);Client.send (httpx/_client.py)", "fetch"),
        ("mj-prefetch;Pages._read (mjcore/window.py);Response.decode (mj_http/response.py)", "decode"),
        ("mj-prefetch;Pages._read (mjcore/window.py);Condition.wait (threading.py)", "waiting"),
        ("MainThread;RUN;Batches.decide (mjcore/batch.py);content_hashes (mjcore/compare.py)", "hash"),
        ("MainThread;RUN;Batches.decide (mjcore/batch.py);_Mapping.run (mjcore/mapping.py)", "map"),
        ("MainThread;RUN;Batches.decide (mjcore/batch.py);Decider.decide (mjcore/decision.py)", "match, decide"),
        ("MainThread;RUN;Batches._apply (mjcore/batch.py);SQLStore.commit (mj_storage_sql/store.py)", "commit"),
        ("MainThread;RUN;Batches._apply (mjcore/batch.py);SQLStore.links (mj_storage_sql/store.py)", "look up links"),
        ("MainThread;RUN;commit (mj_storage_sql/commit.py);_Commit.audit (mj_storage_sql/commit.py)", "audit"),
        ("MainThread;RUN;_Commit.audit (mj_storage_sql/commit.py);dumps (mj_storage_sql/text.py)", "encode"),
        ("MainThread;RUN;Recorder.end (mjcore/recording.py)", "other"),
    ],
)
def test_a_sample_belongs_to_the_innermost_stage(frames: str, stage: str) -> None:
    assert stage_of(frames.replace("RUN", "Run.execute (mjcore/sync.py)").split(";")) == stage


def test_a_part_that_was_measured_replaces_its_own_tables_alone() -> None:
    text = "Text\n<!-- load -->\nold\n<!-- end of load -->\n\n<!-- files -->\nkept\n<!-- end of files -->\n"
    sections = [("load", Section("New", ["", "s"], [["a", "1"]])), ("profile", Section("Unknown", [""], []))]
    table = "### New\n\n|  | s |\n| --- | --: |\n| a | 1 |"
    assert documented(text, sections, "Where.", is_busy=False) == text.replace("old", f"Where.\n\n{table}")


def test_every_part_has_its_place_in_one_document() -> None:
    texts = [path.read_text() for path in DOCUMENTS]
    for part in (*USUAL, *SEPARATE):
        begins = [text.count(f"<!-- {part} -->") for text in texts]
        ends = [text.count(f"<!-- end of {part} -->") for text in texts]
        assert sorted(begins) == [0, 1]
        assert begins == ends


def test_every_stage_is_explained_in_the_order_of_the_table() -> None:
    lines = DOCUMENTS[1].read_text().splitlines()
    explained = [line.split("|")[1].strip() for line in lines if line.startswith("| ") and line.count("|") == 3]
    assert explained == ["stage", *ORDER]
    assert {*STAGES, OTHER} == {*ORDER}
