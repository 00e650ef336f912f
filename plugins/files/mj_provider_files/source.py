"""The source: objects, fields, watermarks and pages of a folder."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from attrs import evolve

from mj_provider_files import Files
from mj_provider_files.catalog import Catalog, Dataset
from mj_provider_files.discovery import column_names, describe, key_columns, newest_time
from mj_provider_files.pages import PageReader
from mj_provider_files.readers import OpenReaders
from mj_provider_files.state import Digests, current_state, drained
from mj_provider_files.window import parts
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject


class FilesSource:
    """One folder. What `fetch` returns depends on its request and the files alone."""

    def __init__(self, folder: Path, config: Files) -> None:
        self.catalog = Catalog(folder, config)
        self.zone = ZoneInfo(config.zone)
        self.readers, self.digests = OpenReaders(), Digests()
        self._datasets: dict[str, Dataset] = {}
        self._keys: dict[str, tuple[str, ...]] = {}

    def test(self) -> Mapping[str, str]:
        found = self.catalog.datasets()
        formats = Counter(file.format for d in found.values() for file in d.files())
        return {
            "folder": str(self.catalog.folder.resolve()),
            "objects": str(len(found)),
            "files": str(formats.total()),
            "formats": ", ".join(f"{name} {count}" for name, count in sorted(formats.items())),
        }

    def objects(self) -> Iterable[ExternalObject]:
        for name, found in sorted(self.catalog.datasets().items()):
            yield ExternalObject(name, name, description=found.settings.path)

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        return describe(self._dataset(object_name))

    def high_watermark(self, object_name: str) -> Watermark | None:
        """Return times and sizes of the object's files: no file is read in full for it."""
        found = self._dataset(object_name)
        self._key(found)
        return current_state(found).watermark()

    def fetch(self, request: FetchRequest) -> Page:
        found = self._dataset(request.object_name)
        to_read = parts(found, request.since, request.until, self.digests)
        page = PageReader(found, self._key(found), self.zone, self.readers, request).read(to_read)
        if page.next is not None:
            return page
        return evolve(page, watermark=drained(found, request.since, request.until, self.digests, partial(newest_time, found)))

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        """Return the records with these ids, in order, those that are there; reads all files of the object once."""
        wanted, found = set(ids), dict[str, ExternalRecord]()
        request = FetchRequest(object_name, fields, None, None, None, 10_000)
        while True:
            page = self.fetch(request)
            found |= {record.external_id: record for record in page.records if record.external_id in wanted}
            if page.next is None:
                return [found[i] for i in ids if i in found]
            request = evolve(request, checkpoint=page.next)

    def close(self) -> None:
        self.readers.close()

    def _dataset(self, name: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = self.catalog.dataset(name)
        return self._datasets[name]

    def _key(self, found: Dataset) -> tuple[str, ...]:
        """Return the key columns; `NotSupported` when they, or the modified field, cannot be found."""
        if found.name in self._keys:
            return self._keys[found.name]
        columns = column_names(found)
        key = key_columns(found, columns)
        if columns:  # else nothing that could be read so far
            self._keys[found.name] = key
        return key
