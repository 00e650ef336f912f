"""A source in memory: a list of records, read in full each time."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, field, frozen

from mjcore.capabilities import Connection, ProviderType, Source
from mjcore.hookspecs import hookimpl
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject

OBJECT = "things"


@frozen
class Nothing:
    """Neither settings nor secrets."""


@define(eq=False)
class Memory:
    """A plugin: the provider `Memory`, with one object, `things`. Its source is the plugin itself."""

    records: Sequence[ExternalRecord] = field(default=())

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Nothing, Nothing]]:
        return [ProviderType("Memory", Nothing, Nothing, self.open, discovers="sample")]

    def open(self, _: Connection[Nothing, Nothing]) -> Source:
        return self

    def test(self) -> Mapping[str, str]:
        return {"records": str(len(self.records))}

    def objects(self) -> Iterable[ExternalObject]:
        return [ExternalObject(OBJECT, "Things")]

    def fields(self, _: str) -> Iterable[ExternalField]:
        return [ExternalField(name, name) for name in dict.fromkeys(name for record in self.records for name in record.fields)]

    def high_watermark(self, _: str) -> Watermark | None:
        return None

    def fetch(self, request: FetchRequest) -> Page:
        start = int(str((request.checkpoint or {}).get("at", 0)))
        end = start + request.limit
        return Page(self.records[start:end], {"at": end} if end < len(self.records) else None, len(self.records))

    def close(self) -> None:
        """Nothing is open."""
