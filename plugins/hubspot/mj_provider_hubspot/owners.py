"""Owners: users of the account. No CRM object, so they have a list of their own and are read in full each time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mj_provider_hubspot.api import Api
from mj_provider_hubspot.records import moment
from mjcore.errors import CheckpointExpired, NotSupported
from mjcore.records import ExternalRecord, FetchRequest, Page
from mjcore.schema import ExternalField, ExternalObject

NAME = "owners"
OBJECT = ExternalObject(NAME, "Owners", deletes="sweep", description="Users that records can be assigned to")
FIELDS = (
    ExternalField("id", "Owner ID", "string", is_read_only=True, is_unique=True),
    ExternalField("email", "E-mail", "email", is_read_only=True),
    ExternalField("firstName", "First name", "string", is_read_only=True),
    ExternalField("lastName", "Last name", "string", is_read_only=True),
    ExternalField("type", "Type", "enum", is_read_only=True, options=(("PERSON", "Person"), ("QUEUE", "Queue"))),
    ExternalField("userId", "User ID", "number", is_read_only=True),
    ExternalField("teams", "Teams", "json", is_read_only=True),
    ExternalField("createdAt", "Created", "datetime", is_read_only=True),
    ExternalField("updatedAt", "Updated", "datetime", is_read_only=True),
    ExternalField("archived", "Archived", "boolean", is_read_only=True),
)


def page(api: Api, request: FetchRequest) -> Page:
    """Return one page of owners."""
    checkpoint = request.checkpoint or {}
    after = str(checkpoint["after"]) if "after" in checkpoint else None
    try:
        found = api.owners(after)
    except NotSupported as error:
        if after is None:
            raise
        raise CheckpointExpired(str(error)) from None
    records = [_record(owner, request.fields) for owner in found.results]
    following = found.paging.next.after if found.paging and found.paging.next else None
    return Page(records, {"after": following} if following else None)


def read(api: Api, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
    """Return owners by id; those that are gone are left out."""
    return list(_read(api, ids, fields))


def _read(api: Api, ids: Sequence[str], fields: tuple[str, ...]) -> Iterator[ExternalRecord]:
    for owner_id in ids:
        try:
            owner = api.owner(owner_id)
        except NotSupported:
            continue
        yield _record(owner, fields)


def _record(owner: Mapping[str, Any], fields: tuple[str, ...]) -> ExternalRecord:
    values = {name: owner[name] for name in fields if name in owner}
    return ExternalRecord(str(owner["id"]), values, moment(owner.get("updatedAt")))
