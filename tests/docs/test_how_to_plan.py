"""docs/how-to/plan-file.md: a plan does exactly what it told, and its file is as the page describes it, key by key."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = "plan-file.md"
TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / PAGE).read_text(encoding="utf-8")
PLAN = 'mj plan "Acme HubSpot" -o acme.plan'


def described(name: str) -> set[str]:
    """Return the keys that the page lists in a table."""
    table = re.search(rf"^\| `?{name}`? \| \|\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert table, name
    return {key for row in table[1].splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])}


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        (name,) = ["header"] if "mjcore_plan" in told else told
        yield name, told if name == "header" else told[name]


def test_exactly_that(reader: Any) -> None:
    reader.do_sh('mj sync "Acme HubSpot"')
    ids = list(map(int, reader.rows()))
    reader.control("edit", {"ids": [99999999951, *ids[10:12]], "properties": {"city": "Bern"}})
    reader.control("archive", {"ids": [ids[20]]})
    reader.control("create", {"records": [{"email": "new@example.org"}]})
    before = reader.rows()
    reader.read(PAGE, "Plan", "Look")
    assert reader.rows() == before
    plan = reader.folder / "acme.plan"
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    mirror = reader.source()
    reader.control("edit", {"ids": [ids[30]], "properties": {"city": "Later"}})
    reader.read(PAGE, "Do it", "When it is refused")
    assert reader.rows() == mirror, "what came after the plan is not in it"

    reader.control("edit", {"ids": [99999999951], "properties": {"jobtitle": "Head of Support"}})
    reader.do_sh(PLAN)
    key = "SELECT record_key FROM mj_record_link WHERE external_id = '99999999951'"
    reader.query(f"UPDATE contacts SET \"JobTitle\" = 'By hand' WHERE id = ({key})")
    reader.do_exit("3")
    reader.do_sh('mj sync "Acme HubSpot" --plan acme.plan')
    assert reader.query(f'SELECT "JobTitle" FROM contacts WHERE id = ({key})') == [("By hand",)]
    assert reader.query("SELECT external_id, code FROM mj_failed_record") == [("99999999951", "plan_stale")]
    reader.read(PAGE, "Rows that moved since")
    assert reader.rows() == reader.source()


def test_the_file_is_as_described(readers: Any) -> None:
    reader = readers(
        700, lambda text: text.replace("SourceWins", "Manual").replace("Type: string}", "Type: string, MaxLength: 60}")
    )
    reader.do_sh('mj sync "Acme HubSpot"')
    ids = list(map(int, reader.rows()))
    reader.query("UPDATE contacts SET \"City\" = 'Local'")
    reader.control("edit", {"ids": ids[:2], "properties": {"city": "Bern"}})
    reader.control("edit", {"ids": ids[2:4], "properties": {"city": "B" * 61}})
    reader.control("create", {"records": [{"email": "new@example.org"}]})
    reader.do_exit("3")
    reader.do_sh(PLAN)
    found = {name: set(told) for name, told in lines(reader.folder / "acme.plan")}
    assert found.keys() == {"header", "batch", "changes", "links", "failed", "conflicts", "end"}
    assert {name: described(name) for name in found} == found
    (first, *_, last) = lines(reader.folder / "acme.plan")
    (entity_map,) = first[1]["maps"]
    row = next(row for row in TEXT.splitlines() if row.startswith("| `maps` | every"))
    assert entity_map.keys() == set(re.findall(r"`(\w+)`", row.split("|")[2]))
    assert last[1]["lines"] == len((reader.folder / "acme.plan").read_text().splitlines()) - 1
    batch = next(told for name, told in lines(reader.folder / "acme.plan") if name == "batch")
    for part in ("counts", "position"):
        row = next(row for row in TEXT.splitlines() if row.startswith(f"| `{part}` | "))
        assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == set(batch[part]), part
