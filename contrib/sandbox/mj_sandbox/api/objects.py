"""Records, one at a time and in lists: /crm/v3/objects/{type}."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mj_sandbox.call import Answer, Call
from mj_sandbox.problems import invalid, missing
from mj_sandbox.search import REACH, Search, check
from mj_sandbox.table import Table
from mj_sandbox.values import accept, check_required

ELSEWHERE = frozenset(
    ("quotes", "leads", "orders", "invoices", "notes", "tasks", "calls", "emails", "meetings", "communications")
)
"""Standard object types that no simulated account has records of: nothing is associated with any."""
Given = Mapping[str, str | int | float | bool | None]


class LinkSpec(msgspec.Struct, rename="camel"):
    """A kind of association, as writes name it."""

    association_type_id: int
    association_category: str = "HUBSPOT_DEFINED"


class LinkEnd(msgspec.Struct):
    """The other record of an association."""

    id: str | int


class NewLink(msgspec.Struct):
    """An association of a record that is being created."""

    to: LinkEnd
    types: list[LinkSpec] = []


class Input(msgspec.Struct, rename="camel"):
    """The body of a create or update, and one input of a batch."""

    properties: Given = {}
    id: str | int | None = None
    id_property: str | None = None
    associations: list[NewLink] = []
    object_write_trace_id: str | None = None


def list_page(call: Call, kind: str) -> Answer:
    table = call.account.table(kind)
    most = 50 if call.names("propertiesWithHistory") else 100
    limit, after = call.limit(most=most), call.after()
    layout = table.layout(call.names("properties"))
    page = table.archived_page if call.flag("archived") else table.page
    ids = page(after, limit + 1)
    rows = table.rows(ids[:limit], layout)
    if others := call.names("associations"):
        rows = [with_links(call, table, *pair, others) for pair in zip(ids, rows, strict=False)]
    return Answer(_page(rows, _paging(call, str(ids[limit])) if len(ids) > limit else ""))


def _page(rows: Sequence[str], rest: str) -> bytes:
    return f'{{"results":[{",".join(rows)}]{rest}}}'.encode()


def _paging(call: Call, after: str) -> str:
    paging = {"next": {"after": after, "link": call.next_link(after)}}
    return f',"paging":{msgspec.json.encode(paging).decode()}'


def with_links(call: Call, table: Table, record_id: int, row: str, others: Sequence[str]) -> str:
    """Return a record's JSON with its associations to other types."""
    found: dict[str, Any] = {}
    for text in others:
        if text in ELSEWHERE:
            continue
        other = call.account.table(text).kind.name
        names = {each.type_id: each.name for each in call.account.links.types(table.kind.name, other)}
        links = call.account.links.of(table.kind.name, record_id, other)
        results = [{"id": str(each), "type": names[kind]} for each, kinds in links.items() for kind in sorted(kinds)]
        if results:
            found[other] = {"results": results}
    return f'{row[:-1]},"associations":{msgspec.json.encode(found).decode()}}}' if found else row


def identify(table: Table, text: str | int, id_property: str | None) -> int:
    """Return the id of the live record meant. Raises Problem 404 or 400."""
    if id_property and id_property != "hs_object_id":
        prop = table.properties.get(id_property)
        if prop is None or not prop.unique:
            raise invalid(f"{id_property} is not a unique property of {table.kind.name}")
        found = table.find(id_property, str(text))
        if found is None:
            raise missing()
        return found
    if not str(text).isdigit():
        raise missing("Object not found.  objectId are usually numeric.")
    return table.resolve(int(text))


def get(call: Call, kind: str, text: str) -> Answer:
    table = call.account.table(kind)
    layout = table.layout(call.names("properties"))
    if call.flag("archived"):
        change = table.changes.get(int(text)) if text.isdigit() else None
        if change is None or change.archived is None or change.purged:
            raise missing()
        return Answer(table.record(int(text), layout))
    record_id = identify(table, text, call.text("idProperty") or None)
    row = table.rows([record_id], layout)[0]
    return Answer(with_links(call, table, record_id, row, call.names("associations")).encode())


def create(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Input)
    record_id = add(call, table, given)
    return Answer(table.record(record_id, full(table, record_id)), 201)


def add(call: Call, table: Table, given: Input) -> int:
    """Create a record and its associations, or neither. Raises Problem."""
    values = accept(table, given.properties)
    check_required(table, values)
    links = [(_other(call, table, each), each) for each in given.associations]
    record_id = table.create(values, call.account.clock.tick())
    for other, each in links:
        kinds = [kind.association_type_id for kind in each.types]
        call.account.links.add(table.kind.name, record_id, other, int(each.to.id), kinds)
    return record_id


def _other(call: Call, table: Table, link: NewLink) -> str:
    """Return the object type a new association leads to, known by its type id."""
    wanted = {each.association_type_id for each in link.types}
    for name, other in call.account.tables.items():
        if wanted & {each.type_id for each in call.account.links.types(table.kind.name, name)}:
            if not str(link.to.id).isdigit() or not other.live(int(link.to.id)):
                raise invalid(f"{other.kind.singular} {link.to.id} does not exist")
            return name
    raise invalid(f"No association type of id {sorted(wanted)} exists from {table.kind.name}")


def full(table: Table, record_id: int) -> Any:
    """Return the layout of every property that has a value, as answers to writes show them."""
    return table.layout([name for name in table.properties if table.value(record_id, name) is not None])


def update(call: Call, kind: str, text: str) -> Answer:
    table, given = call.account.table(kind), call.body(Input)
    record_id = identify(table, text, call.text("idProperty") or None)
    change(call, table, record_id, given.properties)
    return Answer(table.record(record_id, full(table, record_id)))


def change(call: Call, table: Table, record_id: int, given: Given) -> None:
    """Write properties of a live record. Raises Problem."""
    table.write(record_id, accept(table, given, record_id), call.account.clock.tick())


def archive(call: Call, kind: str, text: str) -> Answer:
    """Archive a record; one that is not there is archived already."""
    table = call.account.table(kind)
    if text.isdigit() and table.live(int(text)):
        table.archive(int(text), call.account.clock.tick())
    return Answer(status=204)


def search(call: Call, kind: str) -> Answer:
    table, wanted = call.account.table(kind), call.body(Search)
    offset, limit = check(wanted, table)
    found = call.account.searches[table.kind.name].run(wanted)
    end = min(offset + limit, REACH)
    rows = table.rows(found[offset:end], table.layout(wanted.properties or ()))
    paging = f',"paging":{{"next":{{"after":"{end}"}}}}' if end < len(found) and limit else ""
    return Answer(f'{{"total":{len(found)},"results":[{",".join(rows)}]{paging}}}'.encode())


class Merge(msgspec.Struct, rename="camel"):
    """The body of a merge."""

    primary_object_id: str | int
    object_id_to_merge: str | int


def merge(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Merge)
    winner = identify(table, given.primary_object_id, None)
    loser = identify(table, given.object_id_to_merge, None)
    if winner == loser:
        raise invalid(f"{kind} {winner} cannot be merged with itself")
    unite(call, table, winner, loser)
    return Answer(table.record(winner, full(table, winner)))


def unite(call: Call, table: Table, winner: int, loser: int) -> None:
    """Merge two live records."""
    call.account.links.follow_merge(table.kind.name, winner, loser)
    table.merge(winner, loser, call.account.clock.tick())


class Gdpr(msgspec.Struct, rename="camel"):
    """The body of a deletion for good."""

    object_id: str | int
    id_property: str | None = None


def gdpr_delete(call: Call, kind: str) -> Answer:
    table, given = call.account.table(kind), call.body(Gdpr)
    table.purge(identify(table, given.object_id, given.id_property))
    return Answer(status=204)
