"""What a good engineer writes in an afternoon: httpx, SQLAlchemy Core, an upsert a batch, a watermark. No history, no ledger."""

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bench.peers.common import Given, changed, listed, map_row
from bench.shape import BATCH, COLUMNS, LIST, SEARCH

# httpx loads its own command line, and rich, where click is installed, as it is here: this program asked for neither
sys.modules["click"] = None  # type: ignore[assignment]
import httpx  # noqa: E402

TYPES: dict[str, Any] = {"company_number": sa.BigInteger, "created_on": sa.Date}
metadata = sa.MetaData()
contact = sa.Table(
    "contact", metadata, *[sa.Column(name, TYPES.get(name, sa.Text), primary_key=name == "external_id") for name in COLUMNS]
)
state = sa.Table("state", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("watermark", sa.Text))


def pages(client: httpx.Client, since: str | None) -> Iterator[list[Any]]:
    after, last = None, "0"
    while True:
        if since is None:
            response = client.get(LIST, params=listed(after))
        else:
            response = client.post(SEARCH, json=changed(since, last))
        response.raise_for_status()
        page = msgspec.json.decode(response.content)
        yield page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            return
        last = page["results"][-1]["id"]


def batches(client: httpx.Client, since: str | None) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for page in pages(client, since):
        batch += page
        if len(batch) >= BATCH:
            yield batch
            batch = []
    yield batch


def upsert(table: sa.Table, engine: sa.Engine) -> Any:
    insert = (sqlite if engine.dialect.name == "sqlite" else postgresql).insert(table)
    key, *others = table.columns.keys()
    return insert.on_conflict_do_update(index_elements=[key], set_={name: insert.excluded[name] for name in others})


def main(given: Given) -> None:
    engine = sa.create_engine(given.store.replace("postgresql://", "postgresql+psycopg://"))
    metadata.create_all(engine)
    with engine.connect() as database:
        watermark = database.scalar(sa.select(state.c.watermark))
    headers = {"Authorization": f"Bearer {given.token}"}
    with httpx.Client(base_url=given.address, headers=headers, timeout=30) as client:
        since = None if given.phase == "full" else watermark
        for batch in batches(client, since):
            rows = [dict(zip(COLUMNS, map_row(record), strict=True)) for record in batch]
            if not rows:
                continue
            watermark = max([watermark or "", *[str(row["modified"]) for row in rows]])
            with engine.begin() as database:
                database.execute(upsert(contact, engine), rows)
                database.execute(upsert(state, engine), {"name": "contact", "watermark": watermark})
    engine.dispose()


if __name__ == "__main__":
    main(Given())
