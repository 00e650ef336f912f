"""docs/how-to/rows-edited-by-sql.md: edits are seen, and become what each policy says."""

from collections.abc import Callable
from typing import Any

import pytest

PAGE = "rows-edited-by-sql.md"
SYNC = 'mj sync "Acme HubSpot"'
BOTH = pytest.mark.parametrize("readers", ["sqlite", "postgresql"], indirect=True)
POLICIES = {  # policy: whether the edit stays where the source changes the field, and where it changes another one
    "SourceWins": (False, False),
    "DestWins": (True, True),
    "MostRecent": (False, False),
    "Manual": (True, True),
}


def edited(rows: dict[str, tuple[Any, ...]]) -> set[str]:
    return {id_ for id_, row in rows.items() if row[2] == "Assistant"}


@BOTH
def test_the_page(readers: Callable[[], Any]) -> None:
    reader = readers()
    reader.do_sh(SYNC)
    reader.read(PAGE, "", "See it")
    assert len(edited(reader.rows())) == 500
    other = readers.copy(reader)  # type: ignore[attr-defined]
    other.read(PAGE, "Bring back the source's values")
    assert other.rows() == other.source()
    other.do_sh("mj undo $(mj runs --json --limit 1 | grep -o '01[0-9a-f-]*' | head -1)")
    assert other.rows() == reader.rows(), "the edits are back"
    reader.read(PAGE, "Decide one by one")
    assert len(edited(reader.rows())) == 499
    title = {id_: row[2] for id_, row in reader.rows().items()}
    assert title["99999999951"] == "Head of Support"


def with_policy(text: str, policy: str) -> str:
    text = text.replace("ConflictResolution: SourceWins", f"ConflictResolution: {policy}")
    if policy == "MostRecent":
        text = text.replace("      - {Name: IsDeleted", "      - {Name: ChangedAt, Type: datetime}\n      - {Name: IsDeleted")
        text = text.replace("    SoftDeleteField", "    UpdatedAtField: ChangedAt\n    SoftDeleteField")
    return text


CASES = [*((policy, "sqlite") for policy in POLICIES), ("MostRecent", "postgresql"), ("Manual", "postgresql")]


@pytest.mark.parametrize(("policy", "readers"), CASES, indirect=["readers"])
def test_what_each_policy_does(readers: Callable[..., Any], policy: str) -> None:
    reader = readers(700, lambda text: with_policy(text, policy))
    reader.do_sh(SYNC)
    reader.read(PAGE, "")
    ids = sorted(edited(reader.rows()))
    same, other, newer, rest = ids[:10], ids[10:20], ids[20:30], ids[30:]
    if policy == "MostRecent":
        keys = ", ".join(f"'{id_}'" for id_ in newer)
        links = f"SELECT record_key FROM mj_record_link WHERE external_id IN ({keys})"
        reader.query(f"UPDATE contacts SET \"ChangedAt\" = '2099-01-01 00:00:00' WHERE id IN ({links})")
    reader.control("edit", {"ids": [*map(int, same + newer)], "properties": {"jobtitle": "Head of Support"}})
    reader.control("edit", {"ids": [*map(int, other)], "properties": {"city": "Bern"}})
    reader.do_sh(SYNC)
    rows, source = reader.rows(), reader.source()
    stays_there, stays_elsewhere = POLICIES[policy]
    stays = {*rest, *(same if stays_there else []), *(other if stays_elsewhere else [])}
    stays |= set(newer) if stays_there or policy == "MostRecent" else set()
    assert edited(rows) == stays
    assert rows == {id_: (*row[:2], "Assistant" if id_ in stays else row[2], row[3]) for id_, row in source.items()}


def test_the_edits_are_kept(readers: Callable[[int], Any]) -> None:
    reader = readers(700)
    reader.do_sh(SYNC)
    reader.read(PAGE, "")
    ids = edited(reader.rows())
    reader.control("edit", {"ids": [*map(int, sorted(ids)[:50])], "properties": {"jobtitle": "Head of Support"}})
    reader.read(PAGE, "Keep the edits")
    assert edited(reader.rows()) == ids
