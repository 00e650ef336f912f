"""A folder of real files, and sources that are open to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mj_provider_files import Files, NoAuth, open_files
from mj_provider_files.source import FilesSource

from mjcore.capabilities import Connection
from mjcore.wire import structure

Opener = Callable[..., FilesSource]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Return a function that opens the folder of the test; its arguments are the `Configuration` as a file has it."""
    sources: list[FilesSource] = []

    def open_source(**configuration: Any) -> FilesSource:
        config = structure(Files, {"Folder": str(tmp_path), **configuration})
        connection = Connection(
            "files", config, NoAuth(), lambda: None, lambda *_: None, lambda: False, lambda: datetime.now(UTC)
        )
        source = open_files(connection)
        assert isinstance(source, FilesSource)
        sources.append(source)
        return source

    yield open_source
    for source in sources:
        source.close()
