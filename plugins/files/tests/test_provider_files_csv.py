"""CSV and TSV as people export them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mjcore.records import FetchRequest


def test_a_file_is_an_object_and_its_id_column_the_external_id(tmp_path: Path, opened: Callable[..., Any]) -> None:
    (tmp_path / "contacts.csv").write_text("id,email,revenue\n1,ada@example.org,12.50\n2,bob@example.org,\n")
    source = opened()
    assert [found.name for found in source.objects()] == ["contacts"]
    page = source.fetch(FetchRequest("contacts", ("email", "revenue"), None, source.high_watermark("contacts"), None, 100))
    assert [(r.external_id, r.fields) for r in page.records] == [
        ("1", {"email": "ada@example.org", "revenue": "12.50"}),
        ("2", {"email": "bob@example.org", "revenue": None}),
    ]
    assert page.next is None
    assert not page.errors
