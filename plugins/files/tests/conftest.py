"""Sources that are open to a folder, and what they deliver."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from mj_provider_files import Files, NoAuth, open_files
from mj_provider_files.source import FilesSource

from mjcore.capabilities import Connection
from mjcore.records import Checkpoint, ExternalRecord, FetchRequest, Page, RecordError, Watermark
from mjcore.wire import structure


@define
class Folder:
    """A folder as an account. `configuration` is the connection's, as a file has it."""

    path: Path
    configuration: dict[str, Any] = field(factory=dict)
    sources: list[FilesSource] = field(factory=list)

    def open(self) -> FilesSource:
        config = structure(Files, {"Folder": str(self.path), **self.configuration})
        connection = Connection(
            "files", config, NoAuth(), lambda: None, lambda *_: None, lambda: False, lambda: datetime.now(UTC)
        )
        source = open_files(connection)
        assert isinstance(source, FilesSource)
        self.sources.append(source)
        return source

    def close(self) -> None:
        while self.sources:
            self.sources.pop().close()

    def drain(
        self,
        name: str,
        fields: Sequence[str] | None = None,
        since: Watermark | None = None,
        *,
        limits: Sequence[int] = (1000,),
        reopen: bool = False,
    ) -> "Drained":
        """Read a window to its end, its pages with these limits in turn. `reopen`: each page as if by another process."""
        source = self.open()
        names = tuple(found.name for found in source.fields(name)) if fields is None else tuple(fields)
        request = FetchRequest(name, names, since, source.high_watermark(name), None, 1)
        pages: list[Page] = []
        for limit in cycle(limits):
            pages.append(source.fetch(evolve(request, limit=limit)))
            if (behind := pages[-1].next) is None:
                break
            assert behind != request.checkpoint
            assert len(json.dumps(behind)) < 4096
            request = evolve(request, checkpoint=json.loads(json.dumps(behind)))
            if reopen:
                self.close()
                source = self.open()
        self.close()
        return Drained(pages)


@define
class Drained:
    """The pages of a window."""

    pages: list[Page]

    @property
    def records(self) -> list[ExternalRecord]:
        return [record for page in self.pages for record in page.records]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [dict(record.fields) for record in self.records]

    @property
    def ids(self) -> list[str]:
        return [record.external_id for record in self.records]

    @property
    def errors(self) -> list[RecordError]:
        return [error for page in self.pages for error in page.errors]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        return [page.next for page in self.pages if page.next is not None]

    @property
    def watermark(self) -> Watermark:
        found = self.pages[-1].watermark
        assert found is not None
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """Return an empty folder."""
    found = Folder(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="session")
def folder_at() -> Callable[..., Folder]:
    """Return the class, for tests that make a folder for each example."""
    return Folder
