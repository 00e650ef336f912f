"""One connection opened as a run opens it, so that its stages can be measured one by one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from attrs import define, evolve, field
from mj_sandbox.account import Account
from mj_sandbox.http import Request
from mj_sandbox.options import TOKEN, Options
from mj_sandbox.service import Service
from ruamel.yaml import YAML

from bench.account import BEGAN
from bench.setting import contacts_map
from bench.shape import BATCH, LIST, PAGE, PROPERTIES
from mjcore import Kernel
from mjcore.batch import Batches, Delivery
from mjcore.cancel import never
from mjcore.models import RunRequest
from mjcore.progress import ignore
from mjcore.recording import Recorder
from mjcore.records import BatchWrite, ExternalRecord, Lease
from mjcore.running import new_run

Timed = Callable[..., Any]
"""`benchmark.pedantic` with the rounds set."""
UNUSED: Any = None
"""In place of a source: records are handed over."""
LEASE = timedelta(minutes=10)


def contacts() -> list[ExternalRecord]:
    """Return a batch of the simulated account's contacts."""
    service = Service(Account(Options(contacts=BATCH, clock=BEGAN)))
    found: list[ExternalRecord] = []
    after = ""
    for _ in range(BATCH // PAGE):
        query = f"limit={PAGE}&properties={','.join(PROPERTIES)}{after}"
        headers = {"authorization": f"Bearer {TOKEN}", "host": "127.0.0.1"}
        page = msgspec.json.decode(service.answer(Request("GET", LIST, query, headers, b"")).body)
        found += [ExternalRecord(r["id"], r["properties"], datetime.fromisoformat(r["updatedAt"])) for r in page["results"]]
        after = f"&after={page['paging']['next']['after']}" if "paging" in page else ""
    return found


@define
class Opened:
    """The batches of one entity map, in a database where a run of it has begun."""

    batches: Batches
    lease: Lease
    records: Sequence[ExternalRecord]
    _last: int = field(default=10**9)

    def fresh(self) -> list[ExternalRecord]:
        """Return the records under ids that have not been there yet."""
        first = self._last
        self._last += len(self.records)
        return [
            evolve(record, external_id=str(number), fields={**record.fields, "hs_object_id": str(number)})
            for number, record in enumerate(self.records, first)
        ]

    def changed(self) -> list[ExternalRecord]:
        """Return the records with a job title that they have not had yet."""
        self._last += 1
        return [evolve(record, fields={**record.fields, "jobtitle": f"Title {self._last}"}) for record in self.records]

    def decided(self, records: Sequence[ExternalRecord]) -> BatchWrite:
        """Return what is to be written for records."""
        write, _ = self.batches.decide(Delivery(records), self.batches.position)
        return write

    def commit(self, write: BatchWrite) -> None:
        self.batches.store.commit(self.batches.context, write, self.lease)


@contextmanager
def opened(store: str) -> Iterator[Opened]:
    """Open the contacts' work in an empty database, its records already there once."""
    with ExitStack() as stack:
        kernel = stack.enter_context(Kernel(store))
        kernel.apply(YAML(typ="safe").load(contacts_map("http://127.0.0.1:9")))
        (metadata,) = kernel.connections("Bench")
        request = RunRequest("Bench")
        lease = kernel.store.acquire(metadata.connection, "bench", LEASE, lambda _: False)
        recorder = Recorder(kernel.store, metadata.connection, lease, lambda: datetime.now(UTC))
        run = new_run(kernel, metadata, request, ignore, never)
        (entity_map,) = run.selected_maps()
        begun = recorder.begin(request)
        recorder.detail(begun, entity_map, run.stands(entity_map))
        pull = run._pull(begun, entity_map, UNUSED, lease)
        stack.callback(pull.close)
        found = Opened(pull.batches, lease, contacts())
        found.commit(found.decided(found.records))
        yield found
