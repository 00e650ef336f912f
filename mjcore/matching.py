"""From candidates to one row: links first, then the strategy, `DuplicateHandling` and `FallbackStrategy`."""

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import define, frozen

from mjcore.compare import key_text
from mjcore.models import EntityMap
from mjcore.records import Fields, MappedRecord, RecordError, RowKey

MATCH_KEYS = ("Strategy", "FallbackStrategy", "DuplicateHandling")
"""What of a `MatchStrategy` is the kernel's; the rest configures the match type."""


@frozen
class MatchRules:
    """The kernel's part of a `MatchStrategy`; without a strategy only links decide."""

    strategy: str | None = None
    fallback_strategy: Literal["CreateNew", "Skip", "Fail"] = "CreateNew"
    duplicate_handling: Literal["Fail", "UseFirst", "Review"] = "Fail"


@frozen
class Matched:
    """What became of an unlinked record."""

    outcome: Literal["row", "create", "skip", "review", "error"]
    key: RowKey = ()
    error: RecordError | None = None


CREATE, SKIP = Matched("create"), Matched("skip")


@define
class Resolver:
    """Resolves the candidates of one batch; rows that this batch has given away count as linked."""

    entity_map: EntityMap
    rules: MatchRules
    linked: Mapping[RowKey, Sequence[tuple[str, str]]]
    taken: set[RowKey]

    def resolve_all(self, records: Sequence[MappedRecord], candidates: Sequence[Sequence[RowKey]]) -> dict[str, Matched]:
        """Return what becomes of each record, by external id."""
        new = {"CreateNew": CREATE, "Skip": SKIP}.get(self.rules.fallback_strategy)
        return {
            record.source.external_id: new if new and not keys else self.resolve(record, keys)
            for record, keys in zip(records, candidates, strict=True)
        }

    def resolve(self, record: MappedRecord, candidates: Sequence[RowKey]) -> Matched:
        if not candidates:
            return self._fallback(record)
        external_id = record.source.external_id
        free = [key for key in candidates if not self._is_taken(key, external_id)]
        if len(candidates) == 1 and free:
            return self._take(free[0])
        if self.rules.duplicate_handling == "UseFirst" and free:
            return self._take(min(free))
        if self.rules.duplicate_handling == "Review":
            return Matched("review", min(candidates))
        rows = "; ".join(key_text(key) for key in sorted(candidates)[:3])
        fault = (
            f"row {rows} is linked to another record already" if len(candidates) == 1 else f"{len(candidates)} rows match: {rows}"
        )
        return self._error(record, "ambiguous_match", fault)

    def _is_taken(self, key: RowKey, external_id: str) -> bool:
        links = self.linked.get(key, ())
        return key in self.taken or any(m == self.entity_map.id and other != external_id for m, other in links)

    def _take(self, key: RowKey) -> Matched:
        self.taken.add(key)
        return Matched("row", key)

    def _fallback(self, record: MappedRecord) -> Matched:
        if self.rules.fallback_strategy == "Fail":
            return self._error(record, "no_match", "no row matches, and FallbackStrategy is Fail")
        return CREATE if self.rules.fallback_strategy == "CreateNew" else SKIP

    def _error(self, record: MappedRecord, code: str, message: str) -> Matched:
        source = record.source
        return Matched("error", error=RecordError(source.external_id, "match", code, message, source.fields))


def match_values(fields: Sequence[str], values: Fields) -> tuple[object, ...] | None:
    """Return what a create with these values would occupy of the match keys; None when a part is blank."""
    taken = tuple(map(values.get, fields))
    for value in taken:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
    return taken or None
