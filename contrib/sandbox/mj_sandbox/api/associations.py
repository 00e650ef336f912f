"""Associations: /crm/v3/associations (types and batches), /crm/v4 (labels, batches, one record)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mj_sandbox.api.batch import Outcome, bounded
from mj_sandbox.api.objects import LinkEnd, LinkSpec
from mj_sandbox.call import Answer, Call
from mj_sandbox.problems import Problem, invalid, missing
from mj_sandbox.table import Table


class Pair(msgspec.Struct):
    """One association to make or to end."""

    from_: LinkEnd = msgspec.field(name="from")
    to: LinkEnd | list[LinkEnd]
    types: list[LinkSpec] = []
    type: str | None = None

    def others(self) -> list[int]:
        ends = self.to if isinstance(self.to, list) else [self.to]
        return [number(each.id) for each in ends]


class Pairs(msgspec.Struct):
    """The body of association batches."""

    inputs: list[Pair]


class Ends(msgspec.Struct):
    """The body of a batch read of associations."""

    inputs: list[LinkEnd]


def number(text: str | int) -> int:
    if not str(text).isdigit():
        raise invalid(f"Invalid object id {text!r}")
    return int(text)


def types(call: Call, one: str, other: str) -> Answer:
    return Answer({"results": [{"id": str(each.type_id), "name": each.name} for each in _types(call, one, other)]})


def labels(call: Call, one: str, other: str) -> Answer:
    return Answer({"results": [each.spec() for each in _types(call, one, other)]})


def _types(call: Call, one: str, other: str) -> Any:
    return call.account.links.types(call.account.table(one).kind.name, call.account.table(other).kind.name)


def of_record(call: Call, one: str, text: str, other: str) -> Answer:
    """List a record's associations, 500 at a time."""
    table, target = call.account.table(one), call.account.table(other)
    record_id, limit, after = table.resolve(number(text)), call.limit(500, 500), call.after()
    found = list(_labelled(call, table, record_id, target).items())
    page = [each for each in found if each[0] >= after][: limit + 1]
    content: dict[str, Any] = {
        "results": [{"toObjectId": str(other_id), "associationTypes": kinds} for other_id, kinds in page[:limit]]
    }
    if len(page) > limit:
        following = str(page[limit][0])
        content["paging"] = {"next": {"after": following, "link": call.next_link(following)}}
    return Answer(content)


def _labelled(call: Call, table: Table, record_id: int, target: Table) -> Mapping[int, list[dict[str, Any]]]:
    known = {each.type_id: each.spec() for each in call.account.links.types(table.kind.name, target.kind.name)}
    found = call.account.links.of(table.kind.name, record_id, target.kind.name)
    return {other: [known[kind] for kind in sorted(kinds)] for other, kinds in found.items()}


def batch_read(call: Call, one: str, other: str) -> Answer:
    """Read the associations of many records; those without any are left out and named in `errors`."""
    table, target, given = call.account.table(one), call.account.table(other), call.body(Ends)
    if len(given.inputs) > 1000:
        raise invalid("The maximum number of inputs supported in a batch request for this API call is 1000")
    outcome = Outcome(call)
    for each in given.inputs:
        record_id = number(each.id)
        found = _labelled(call, table, record_id, target) if table.live(record_id) else {}
        if not found:
            message = f"No {target.kind.singular} is associated with {table.kind.singular} {record_id}."
            outcome.errors.append(Problem(404, "OBJECT_NOT_FOUND", message).in_batch({"fromObjectId": [str(record_id)]}))
            continue
        outcome.results.append({"from": {"id": str(record_id)}, "to": _ends(call, table, target, found)})
    return outcome.answer(200)


def _ends(call: Call, table: Table, target: Table, found: Mapping[int, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    if call.version != "v3":
        return [{"toObjectId": str(other), "associationTypes": kinds} for other, kinds in found.items()]
    names = {each.type_id: each.name for each in call.account.links.types(table.kind.name, target.kind.name)}
    return [{"id": str(other), "type": names[kind["typeId"]]} for other, kinds in found.items() for kind in kinds]


def batch_create(call: Call, one: str, other: str) -> Answer:
    table, target, given = call.account.table(one), call.account.table(other), call.body(Pairs)
    bounded(given.inputs)
    outcome = Outcome(call)
    for each in given.inputs:
        for other_id in each.others():
            try:
                outcome.results += _associate(call, table, target, each, other_id)
            except Problem as problem:
                outcome.errors.append(problem.in_batch({"fromObjectId": [str(each.from_.id)], "toObjectId": [str(other_id)]}))
    return outcome.answer(201)


def _associate(call: Call, table: Table, target: Table, pair: Pair, other_id: int) -> list[dict[str, Any]]:
    record_id, known = number(pair.from_.id), call.account.links.types(table.kind.name, target.kind.name)
    kinds = [each.association_type_id for each in pair.types]
    kinds += [each.type_id for each in known if pair.type and pair.type in (each.name, str(each.type_id))]
    if pair.type and not kinds:
        raise invalid(f"No association type {pair.type!r} exists from {table.kind.name} to {target.kind.name}")
    connect(call, table, record_id, target, other_id, kinds)
    if call.version == "v3":
        return [{"from": {"id": str(record_id)}, "to": {"id": str(other_id)}, "type": pair.type or known[0].name}]
    return [
        {
            **_pair(table, record_id, target, other_id),
            "labels": [each.label for each in known if each.label and each.type_id in kinds],
        }
    ]


def _pair(table: Table, record_id: int, target: Table, other_id: int) -> dict[str, Any]:
    return {
        "fromObjectTypeId": table.kind.type_id,
        "fromObjectId": str(record_id),
        "toObjectTypeId": target.kind.type_id,
        "toObjectId": str(other_id),
    }


def connect(call: Call, table: Table, record_id: int, target: Table, other_id: int, kinds: list[int]) -> None:
    """Associate two live records. Raises Problem."""
    for each, each_id in ((table, record_id), (target, other_id)):
        if not each.live(each_id):
            raise missing(f"{each.kind.singular} {each_id} does not exist")
    call.account.links.add(table.kind.name, record_id, target.kind.name, other_id, kinds)


def batch_archive(call: Call, one: str, other: str) -> Answer:
    table, target, given = call.account.table(one), call.account.table(other), call.body(Pairs)
    bounded(given.inputs)
    for each in given.inputs:
        for other_id in each.others():
            call.account.links.cut(table.kind.name, number(each.from_.id), target.kind.name, other_id)
    return Answer(status=204)


def put(call: Call, one: str, text: str, other: str, other_text: str) -> Answer:
    """Associate two records by kinds in the body."""
    table, target, specs = call.account.table(one), call.account.table(other), call.body(list[LinkSpec])
    record_id, other_id = number(text), number(other_text)
    connect(call, table, record_id, target, other_id, [each.association_type_id for each in specs])
    return Answer({**_pair(table, record_id, target, other_id), "labels": []}, 201)


def put_default(call: Call, one: str, text: str, other: str, other_text: str) -> Answer:
    """Associate two records by the default kind."""
    table, target = call.account.table(one), call.account.table(other)
    outcome = Outcome(call)
    connect(call, table, number(text), target, number(other_text), [])
    outcome.results = _default(call, table, number(text), target, number(other_text))
    return outcome.answer(200)


def batch_default(call: Call, one: str, other: str) -> Answer:
    """Associate many pairs by the default kind."""
    table, target, given = call.account.table(one), call.account.table(other), call.body(Pairs)
    bounded(given.inputs)
    outcome = Outcome(call)
    for each in given.inputs:
        for other_id in each.others():
            connect(call, table, number(each.from_.id), target, other_id, [])
            outcome.results += _default(call, table, number(each.from_.id), target, other_id)
    return outcome.answer(200)


def _default(call: Call, table: Table, record_id: int, target: Table, other_id: int) -> list[dict[str, Any]]:
    sides = (table, record_id, target, other_id), (target, other_id, table, record_id)
    return [
        {
            "from": {"id": str(a)},
            "to": {"id": str(b)},
            "associationSpec": {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": call.account.links.types(one.kind.name, other.kind.name)[0].type_id,
            },
        }
        for one, a, other, b in sides
    ]


def delete(call: Call, one: str, text: str, other: str, other_text: str) -> Answer:
    table, target = call.account.table(one), call.account.table(other)
    call.account.links.cut(table.kind.name, number(text), target.kind.name, number(other_text))
    return Answer(status=204)
