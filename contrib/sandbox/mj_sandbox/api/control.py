"""Control of the simulation, which no real account has: /_sandbox/…."""

from collections.abc import Sequence

import msgspec

from mj_sandbox.api.objects import Given, Input, LinkEnd, add, unite
from mj_sandbox.call import Answer, Call
from mj_sandbox.moments import iso, milliseconds
from mj_sandbox.problems import invalid
from mj_sandbox.table import Table
from mj_sandbox.values import accept


class Selection(msgspec.Struct, rename="camel"):
    """Which records to change and how. Without `ids`, the first `count` live ones."""

    object: str = "contacts"
    ids: list[int] | None = None
    count: int = 1
    properties: Given = {}
    modified: str | int | None = None
    """One instant for all, in ms since 1970 or as ISO text; without it each has its own."""


class Merge(msgspec.Struct):
    """Which records to merge."""

    winner: int
    loser: int
    object: str = "contacts"


class Creation(msgspec.Struct):
    """Records to create."""

    records: list[Given]
    object: str = "contacts"


class Link(msgspec.Struct):
    """Two records to associate."""

    from_: LinkEnd = msgspec.field(name="from")
    to: LinkEnd
    object: str = "contacts"
    to_object: str = "companies"


class Credential(msgspec.Struct):
    """Which token is good from now on, and for how many requests; without, the same one and for ever."""

    token: str | None = None
    requests: int | None = None


class Renaming(msgspec.Struct):
    """Which property gets another name; without one, it is deleted."""

    name: str
    to: str | None = None
    object: str = "contacts"


class Step(msgspec.Struct):
    """How far to move a simulated clock."""

    milliseconds: int


def _select(call: Call, given: Selection) -> tuple[Table, Sequence[int]]:
    table = call.account.table(given.object)
    ids = table.page(0, given.count) if given.ids is None else given.ids
    if dead := [each for each in ids if not table.live(each)]:
        raise invalid(f"no live record of {given.object} has the id {dead[0]}")
    return table, ids


def edit(call: Call) -> Answer:
    """Change records. With nothing but a count: other job titles for contacts all over the account."""
    given = call.body(Selection)
    if given.ids is None and not given.properties and given.modified is None and given.object == "contacts":
        return _done(call, call.account.edit(given.count))
    table, ids = _select(call, given)
    values = accept(table, given.properties)
    instant = None if given.modified is None else milliseconds(str(given.modified))
    for each in ids:
        table.write(each, values, call.account.clock.tick() if instant is None else instant)
    return _done(call, ids)


def archive(call: Call) -> Answer:
    table, ids = _select(call, call.body(Selection))
    for each in ids:
        table.archive(each, call.account.clock.tick())
    return _done(call, ids)


def merge(call: Call) -> Answer:
    given = call.body(Merge)
    table = call.account.table(given.object)
    unite(call, table, table.resolve(given.winner), table.resolve(given.loser))
    return _done(call, [given.winner])


def create(call: Call) -> Answer:
    given = call.body(Creation)
    table = call.account.table(given.object)
    return _done(call, [add(call, table, Input(properties=each)) for each in given.records])


def associate(call: Call) -> Answer:
    given = call.body(Link)
    one, other = call.account.table(given.object), call.account.table(given.to_object)
    call.account.links.add(one.kind.name, int(given.from_.id), other.kind.name, int(given.to.id))
    return _done(call, [int(given.from_.id)])


def token(call: Call) -> Answer:
    given = call.body(Credential)
    call.account.tokens.replace(given.token, given.requests)
    return _done(call, [])


def rename(call: Call) -> Answer:
    """Rename or delete a property, whoever defined it; no record counts as modified."""
    given = call.body(Renaming)
    table = call.account.table(given.object)
    if given.name not in table.properties or given.to in table.properties:
        raise invalid(f"{given.object}: {given.name} has to exist, and the new name to be free")
    if given.to is None:
        table.drop_property(given.name)
    else:
        table.rename_property(given.name, given.to)
    return _done(call, [])


def clock(call: Call) -> Answer:
    call.account.clock.advance(call.body(Step).milliseconds)
    return _done(call, [])


def _done(call: Call, ids: Sequence[int]) -> Answer:
    """Answer when every write is past, so that a pull that starts now sees it."""
    call.account.clock.settle()
    return Answer({"ids": [str(each) for each in ids], "now": iso(call.account.clock.now())})
