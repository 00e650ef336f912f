"""dlt: the same pages and the same mapping, merged by key, with its own incremental cursor.

`full` and `changes` are one program: dlt's state says where it stands. Loaders: `rows` hands over dicts, as its tutorial does;
`arrow` hands over tables, its fastest way.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
import pyarrow as pa  # type: ignore[import-untyped]

from bench.peers.common import Given, bare_pages, map_row
from bench.shape import BATCH, COLUMNS

TYPES = {"company_number": pa.int64(), "created_on": pa.date32()}
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in COLUMNS])


def batches(given: Given, since: str | None) -> Iterator[Any]:
    batch: list[Any] = []
    for page in bare_pages(given, since):
        batch += map(map_row, page)
        if len(batch) >= 10 * BATCH:  # larger than ours: dlt does better with it
            yield batch
            batch = []
    if batch:
        yield batch


def _with_host(url: str) -> str:
    """Move the folder of the server's socket to where dlt looks for the host."""
    before, _, folder = url.partition("?host=")
    return before.replace("@/", f"@{quote(folder, safe='')}/")


FORMATS = {True: {"arrow": "parquet"}, False: {"arrow": "csv"}}
"""Of load files, by whether it is SQLite and by loader; dlt's default for all others."""


def pipeline(store: str, folder: Path) -> Any:
    """Return a pipeline into the database, its state below `folder`."""
    is_sqlite = store.startswith("sqlite")
    to = dlt.destinations.sqlalchemy(store) if is_sqlite else dlt.destinations.postgres(_with_host(store))
    return dlt.pipeline("bench", pipelines_dir=str(folder), destination=to, dataset_name="main" if is_sqlite else "bench")


def main(given: Given, loader: str) -> None:
    folder = Path(os.environ["BENCH_STATE"])

    since = dlt.sources.incremental("modified", row_order=None)

    @dlt.resource(name="contact", primary_key="external_id", write_disposition="merge")  # type: ignore[untyped-decorator]
    def contacts(modified: Any = since) -> Iterator[Any]:
        for batch in batches(given, modified.last_value):
            if loader == "arrow":
                columns = list(zip(*batch, strict=True))
                arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA, strict=True)]
                yield pa.Table.from_arrays(arrays, schema=SCHEMA)
            else:
                yield [dict(zip(COLUMNS, row, strict=True)) for row in batch]

    loaded = pipeline(given.store, folder).run(contacts(), loader_file_format=FORMATS[bool(given.sqlite)].get(loader))
    loaded.raise_on_failed_jobs()


if __name__ == "__main__":
    main(Given(), os.environ["BENCH_LOADER"])
