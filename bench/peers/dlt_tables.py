"""dlt on other shapes of data: the files of a folder, each merged by key into a table of its name."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa  # type: ignore[import-untyped]

from bench.peers.dlt_merge import FORMATS, pipeline
from bench.peers.tables import Table, tables
from bench.shape import BATCH

TYPES = {"n": pa.int64(), "d": pa.date32()}


def batches(table: Table, loader: str) -> Iterator[Any]:
    schema = pa.schema([(name, TYPES.get(name[0], pa.string())) for name in table.names])
    for rows in table.typed(10 * BATCH):  # larger than ours: dlt does better with it
        yield pa.Table.from_pylist(rows, schema=schema) if loader == "arrow" else rows


def main(store: str, folder: str, loader: str) -> None:
    resources = [
        dlt.resource(batches(table, loader), name=table.name, primary_key="id", write_disposition="merge")
        for table in tables(folder)
    ]
    is_sqlite = store.startswith("sqlite")
    given = FORMATS[is_sqlite].get(loader)
    pipeline(store, Path(os.environ["BENCH_STATE"])).run(resources, loader_file_format=given).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:4])
