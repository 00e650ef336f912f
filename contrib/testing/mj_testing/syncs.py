"""One entity map, synced for real: records in, rows out."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from mj_testing.kernels import Kernels
from mj_testing.memory import OBJECT, Memory
from mj_testing.recorder import Recorder
from mjcore.history import FailedRecord
from mjcore.kernel import Kernel
from mjcore.models import SyncContext
from mjcore.records import ExternalRecord, Fields
from mjcore.results import SyncResult

CONNECTION, ENTITY = "Memory", "Things"
Records = Sequence[ExternalRecord | Mapping[str, Any]]


@frozen
class Outcome:
    """What a run did: its result, the rows that there are now, the failed records, the hook calls."""

    result: SyncResult
    rows: Sequence[Fields]
    """In the order of their keys, which are not among the fields."""
    failed: Sequence[FailedRecord]
    recorder: Recorder
    kernel: Kernel
    _memory: Memory
    _fields: tuple[str, ...]

    def again(self, records: Records) -> "Outcome":
        """Run once more, the source having these records now."""
        self._memory.records = _records(records)
        self.recorder.calls.clear()
        return run(self.kernel, self._memory, self.recorder, self._fields)


@define
class Syncs:
    """Makes a kernel for each call."""

    kernels: Kernels
    made: list[Kernel] = field(factory=list)

    def __call__(
        self,
        records: Records,
        field_maps: Sequence[Mapping[str, Any]],
        *,
        plugins: Sequence[object] = (),
        fields: Sequence[Mapping[str, Any]] | None = None,
        **entity_map: Any,
    ) -> Outcome:
        """Sync records through field maps as a metadata file has them, and return what came of it.

        A record is an `ExternalRecord`, or its fields with its id under `id`. `fields` are those of the entity (default: each
        destination as a string); other keys are the entity map's, such as `MatchStrategy={"Strategy": "KeyFields"}`.
        """
        memory, recorder = Memory(_records(records)), Recorder()
        kernel = self.kernels(memory, recorder, *plugins)
        columns = fields or [{"Name": each["DestinationFieldName"], "Type": "string"} for each in field_maps]
        entity = {"Name": ENTITY, "Table": "things", "Fields": columns}
        mapped = {"ExternalObjectName": OBJECT, "Entity": ENTITY, "FieldMaps": list(field_maps), **entity_map}
        connection = {"Name": CONNECTION, "Company": "Acme", "Provider": "Memory", "EntityMaps": [mapped]}
        kernel.apply({"Companies": [{"Name": "Acme"}], "Entities": [entity], "Connections": [connection]})
        return run(kernel, memory, recorder, tuple(each["Name"] for each in columns))


def run(kernel: Kernel, memory: Memory, recorder: Recorder, fields: tuple[str, ...]) -> Outcome:
    result = kernel.sync(CONNECTION)
    (metadata,) = kernel.connections(CONNECTION)
    (entity_map,) = metadata.entity_maps
    context = SyncContext(result.run_id, CONNECTION, "Acme", entity_map, "Pull", "Manual", kernel.now(), metadata.connection.id)
    found = sorted(kernel.store.rows(entity_map.entity).scan(fields), key=lambda row: tuple(map(str, row[0])))
    rows = [dict(zip(fields, values, strict=True)) for _, values in found]
    return Outcome(result, rows, list(kernel.store.failed(context)), recorder, kernel, memory, fields)


def _records(given: Records) -> list[ExternalRecord]:
    return [each if isinstance(each, ExternalRecord) else ExternalRecord(str(each["id"]), each) for each in given]
