"""Maps linked records anew from what the links keep of them: no call of the source, and only what differs is written."""

from attrs import frozen

from mjcore.batch import Batches
from mjcore.chunks import chunks
from mjcore.compare import from_json
from mjcore.errors import ConfigError
from mjcore.records import ExternalRecord, Link, Page

BATCH = 1000


@frozen
class Remapping:
    """Applies today's mapping to every live link of one entity map; they count as deliveries do."""

    batches: Batches

    def run(self) -> None:
        """Raises `ConfigError` when the mapping reads a field that no earlier version read: only the source can tell it."""
        batches = self.batches
        read = {name for plan in batches.decider.versions.before() for name in plan.source_fields}
        new = [name for name in batches.plan.source_fields if read and name not in read]
        if new:
            name = batches.context.entity_map.external_object_name
            raise ConfigError(
                f"{name}: the mapping reads {', '.join(new)} anew, which the source has to be asked for: sync --full"
            )
        for links in chunks(batches.store.live_links(batches.context), BATCH):
            batches.apply(batches.prepare([Page([_record(link) for link in links], None)]), batches.position)


def _record(link: Link) -> ExternalRecord:
    fields = {name: from_json(value) for name, value in link.source_values.items()}
    return ExternalRecord(link.external_id, fields, link.source_modified_at)
