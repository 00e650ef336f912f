"""Up to 100 records at a time: /crm/v3/objects/{type}/batch/…."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from attrs import define, field

from mj_sandbox.api.objects import Input, LinkEnd, add, change, full, identify
from mj_sandbox.call import Answer, Call
from mj_sandbox.moments import iso
from mj_sandbox.problems import Problem, invalid
from mj_sandbox.table import Table
from mj_sandbox.values import accept

MOST = 100


class Inputs(msgspec.Struct, rename="camel"):
    """The body of batch writes."""

    inputs: list[Input]


class Read(msgspec.Struct, rename="camel"):
    """The body of a batch read."""

    inputs: list[LinkEnd]
    properties: list[str] = []
    id_property: str | None = None


class Ends(msgspec.Struct):
    """The body of a batch archive."""

    inputs: list[LinkEnd]


@define
class Outcome:
    """Results and errors of one batch."""

    call: Call
    results: list[Any] = field(factory=list)
    errors: list[dict[str, Any]] = field(factory=list)
    started: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.started = self.call.account.clock.now()

    def answer(self, status: int) -> Answer:
        """Return the answer: 207 where some inputs failed."""
        content = {
            "status": "COMPLETE",
            "results": self.results,
            **({"numErrors": len(self.errors), "errors": self.errors} if self.errors else {}),
            "startedAt": iso(self.started),
            "completedAt": iso(self.call.account.clock.now()),
        }
        return Answer(content, 207 if self.errors else status)


def bounded(inputs: Sequence[Any]) -> None:
    if len(inputs) > MOST:
        raise invalid(f"The maximum number of inputs supported in a batch request for this API call is {MOST}")
    if not inputs:
        raise invalid("Invalid request to batch: inputs are missing")


def read(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Read)
    bounded(given.inputs)
    outcome, ids, lost = Outcome(call), list[int](), list[str]()
    for each in given.inputs:
        try:
            ids.append(identify(table, each.id, given.id_property))
        except Problem as problem:
            if problem.status != 404:
                raise
            lost.append(str(each.id))
    rows = table.rows(dict.fromkeys(ids), table.layout(given.properties))
    outcome.results = [msgspec.Raw(row.encode()) for row in rows]
    if lost:
        outcome.errors.append(_lost(table, lost))
    return outcome.answer(200)


def _lost(table: Table, ids: list[str]) -> dict[str, Any]:
    what = table.kind.singular.upper()
    message = f"Could not get some {what} objects, they may be deleted or not exist. Check that ids are valid."
    return Problem(404, "OBJECT_NOT_FOUND", message).in_batch({"ids": ids})


def create(call: Call, kind: str) -> Answer:
    """Create records. Without a trace id for each, one bad input refuses the whole batch."""
    table, given = call.account.table(kind), call.body(Inputs)
    bounded(given.inputs)
    traces = [each.object_write_trace_id for each in given.inputs]
    traced = None not in traces and len(set(traces)) == len(traces)
    if not traced:
        for each in given.inputs:
            accept(table, each.properties)
    return _apply(call, given.inputs, lambda each: shown(table, add(call, table, each), each), 201, partly=traced)


def update(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Inputs)
    bounded(given.inputs)

    def apply(each: Input) -> dict[str, Any]:
        record_id = identify(table, each.id or "", each.id_property)
        change(call, table, record_id, each.properties)
        return shown(table, record_id, each)

    return _apply(call, given.inputs, apply, 200, partly=True)


def upsert(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Inputs)
    bounded(given.inputs)
    return _apply(call, given.inputs, lambda each: _upsert(call, table, each), 200, partly=True)


def _upsert(call: Call, table: Table, each: Input) -> dict[str, Any]:
    try:
        record_id, new = identify(table, each.id or "", each.id_property), False
    except Problem as problem:
        if problem.status != 404 or not each.id_property or each.id_property == "hs_object_id":
            raise
        record_id, new = add(call, table, _identified(each)), True
    else:
        change(call, table, record_id, each.properties)
    return {**shown(table, record_id, each), "new": new}


def _identified(each: Input) -> Input:
    """Return the input of a new record, with the value that identifies it."""
    return msgspec.structs.replace(each, properties={str(each.id_property): each.id, **each.properties})


def archive(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Ends)
    bounded(given.inputs)
    for each in given.inputs:
        if str(each.id).isdigit() and table.live(int(each.id)):
            table.archive(int(each.id), call.account.clock.tick())
    return Answer(status=204)


def shown(table: Table, record_id: int, each: Input) -> dict[str, Any]:
    """Return the result for one input."""
    trace = {"objectWriteTraceId": each.object_write_trace_id} if each.object_write_trace_id else {}
    return {**table.record(record_id, full(table, record_id)), **trace}


def _apply(call: Call, inputs: Iterable[Input], apply: Callable[[Input], dict[str, Any]], status: int, *, partly: bool) -> Answer:
    """Apply each input. With `partly`, what fails is listed in a 207; else it refuses the batch."""
    outcome = Outcome(call)
    for each in inputs:
        try:
            outcome.results.append(apply(each))
        except Problem as problem:
            if not partly:
                raise
            outcome.errors.append(problem.in_batch(_context(each)))
    return outcome.answer(status)


def _context(each: Input) -> dict[str, list[str]]:
    """Return how an error names its input."""
    context = {}
    if each.id is not None:
        context["ids"] = [str(each.id)]
    if each.object_write_trace_id:
        context["objectWriteTraceId"] = [each.object_write_trace_id]
    return context
