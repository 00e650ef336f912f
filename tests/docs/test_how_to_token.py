"""docs/how-to/token-expired.md: nothing is missing and nothing is there twice, whenever the token ends."""

from typing import Any

PAGE = "token-expired.md"


def test_the_page(reader: Any) -> None:
    reader.read(PAGE, "", "What you see")
    before = reader.rows()
    source = reader.source()
    assert 0 < len(before) < len(source)
    assert before.items() <= source.items()
    reader.control("edit", {"count": 30})  # while nobody could read
    reader.read(PAGE, "What to type")
    assert reader.rows() == reader.source()
    assert reader.query("SELECT count(*) FROM contacts") == [(3000,)]
    made = "SELECT external_id FROM mj_record_change WHERE kind = 'create' GROUP BY external_id HAVING count(*) > 1"
    assert reader.query(made) == []
