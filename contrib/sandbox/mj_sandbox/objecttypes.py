"""Object types of a simulated account: what names and ids they have, and what their records hold."""

from collections.abc import Mapping

from attrs import field, frozen

from mj_sandbox.blocks import Column
from mj_sandbox.columns import created, modified, object_id
from mj_sandbox.properties import Property, moment, numeric


@frozen
class ObjectType:
    """One object type. Its properties are complete: id and times are added on making."""

    name: str
    """Plural, as in paths: `contacts`."""
    singular: str
    type_id: str
    first_id: int
    """Ids count up from here and soon gain a digit, so whoever sorts them as text is found out."""
    per_contacts: int
    """One record for so many contacts."""
    properties: tuple[Property, ...] = field(repr=False)
    shown: tuple[str, ...]
    """Properties of an answer to a request that names none."""
    searched: tuple[str, ...]
    """Properties that the `query` of a search looks into."""
    group: str
    created: str = "createdate"
    modified: str = "hs_lastmodifieddate"
    required: tuple[str, ...] = ()
    custom: bool = False

    def columns(self) -> Mapping[str, Column]:
        return {each.name: each.column for each in self.properties if each.column}

    def aliases(self, portal: int) -> tuple[str, ...]:
        """Return every text that may stand for this type in a path."""
        if self.custom:
            return self.name, self.type_id, f"p_{self.name}", f"p{portal}_{self.name}"
        return self.name, self.singular, self.type_id


def with_system(
    properties: tuple[Property, ...], made: str = "createdate", changed: str = "hs_lastmodifieddate"
) -> tuple[Property, ...]:
    """Return properties and the three that HubSpot itself keeps for every record."""
    return (
        *properties,
        moment(made, "Create Date", created, read_only=True),
        moment(changed, "Last Modified Date", modified, read_only=True),
        numeric("hs_object_id", "Record ID", object_id, read_only=True, unique=False),
    )
