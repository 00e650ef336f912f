"""docs/how-to/mapping-bug.md: both ways out of a wrong mapping lead to rows as they should be."""

import os
from typing import Any

import pytest

PAGE = "mapping-bug.md"
RIGHT, WRONG = 'Separator: " "', 'Separator: ", "'
SIZES = [
    3000,
    pytest.param(200_000, marks=pytest.mark.skipif(os.environ.get("MJ_SLOW") != "1", reason="takes minutes: MJ_SLOW=1")),
]


def mistaken(readers: Any, contacts: int) -> Any:
    """Return a reader after the run that wrote the mistake."""
    reader = readers(contacts)
    reader.do_sh('mj sync "Acme HubSpot"')
    path = reader.folder / "acme.yaml"
    path.write_text(path.read_text().replace(RIGHT, WRONG))
    reader.do_sh('mj apply acme.yaml; mj sync "Acme HubSpot" --remap')
    assert reader.rows() == reader.source(separator=", ")
    return reader


@pytest.mark.parametrize("contacts", SIZES)
def test_the_map_is_mended(readers: Any, contacts: int) -> None:
    reader = mistaken(readers, contacts)
    before = reader.account.stats()
    reader.read(PAGE, "Mend the map, and map anew")
    assert reader.account.stats() == before, "the source is not asked"
    assert reader.rows() == reader.source()


@pytest.mark.parametrize("contacts", SIZES)
def test_the_run_is_undone(readers: Any, contacts: int) -> None:
    reader = mistaken(readers, contacts)
    reader.control("edit", {"count": 5, "properties": {"city": "Bern"}})
    reader.read(PAGE, "Or take it back first")
    assert {row[1] for row in reader.rows().values()} == {row[1] for row in reader.source().values()}
    reader.do_sh("mj sync --all")
    assert {row[1] for row in reader.rows().values()} == {row[1] for row in reader.source().values()}, "it is left out"
    reader.read(PAGE, "The pause after an undo")
    assert reader.rows() == reader.source()
    reader.do_sh('mj verify "Acme HubSpot"')
