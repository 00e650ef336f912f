"""docs/how-to/property-renamed.md: no value is emptied by mistake, none is missed."""

from typing import Any

PAGE = "property-renamed.md"
SYNC = 'mj sync "Acme HubSpot"'


def test_renamed(readers: Any) -> None:
    reader = readers()
    reader.do_sh(SYNC)
    before = reader.rows()
    reader.read(PAGE, "", "What you see")
    assert reader.rows() == before
    reader.do_exit("2")
    reader.do_sh('mj verify "Acme HubSpot"')  # nothing is equal to what is not there
    other = readers.copy(reader)
    reader.read(PAGE, "It was renamed")
    assert reader.rows() == reader.source("role")
    assert reader.rows()["99999999960"][2] == "Head of Support"
    reader.read(PAGE, "When `--full` is needed")
    countries = {id_: record["country"] for id_, record in reader.records("country").items()}
    assert {id_: row[3] for id_, row in reader.rows().items()} == countries

    reader.control("property", {"name": "role"})
    reader.control("create", {"records": [{"email": "new@example.org", "city": "Bern"}]})
    other.read(PAGE, "It was deleted")
    after = other.rows()
    (new,) = after.keys() - before.keys()
    assert after.pop(new) == ("new@example.org", None, None, "Bern")
    assert after == before
