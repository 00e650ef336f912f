import csv
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mj_provider_files
from mj_testing.suites import Account, ProviderSuite

SETTLED = 1_700_000_000
"""Seconds since 1970: files that are old enough for their times to be trusted."""


class Table(Account):
    """A CSV file; each write replaces it, a minute of the file system later."""

    object_name = "people"
    field = "name"

    def __init__(self) -> None:
        self.folder = TemporaryDirectory()
        self.rows: dict[str, str] = {}
        self.made = self.written = 0
        self.write()

    def configuration(self, url: str | None) -> Mapping[str, Any]:
        return {"Folder": self.folder.name}

    def write(self) -> None:
        path = Path(self.folder.name) / "people.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("id", "name"), *self.rows.items()])
        self.written += 1
        os.utime(path, (SETTLED + 60 * self.written,) * 2)

    def create(self, text: str) -> str:
        self.made += 1
        self.rows[f"{self.made}"] = text
        self.write()
        return f"{self.made}"

    def change(self, id_: str, text: str) -> None:
        self.rows[id_] = text
        self.write()

    def delete(self, id_: str) -> None:
        del self.rows[id_]
        self.write()

    def change_together(self, texts: Mapping[str, str]) -> None:
        self.rows |= texts
        self.write()

    def close(self) -> None:
        self.folder.cleanup()


class TestFiles(ProviderSuite):
    plugin = mj_provider_files
    account = Table
    lacks = {"http": "it reads a folder", "secrets": "a folder needs none"}
