"""What becomes of mapped records: which row, which fields; create, update, conflict or error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from attrs import define, field, frozen

from mjcore.capabilities import Matcher, Store
from mjcore.compare import from_json
from mjcore.history import UNDONE
from mjcore.ids import new_id, new_ids
from mjcore.mapping import MappingPlan
from mjcore.matching import Matched, MatchRules, Resolver, match_values
from mjcore.merge import merge
from mjcore.models import Entity, SyncContext
from mjcore.precedence import Precedence
from mjcore.records import Conflict, ExternalRecord, Fields, Link, MappedRecord, RecordError, RowChange, RowKey, Value
from mjcore.references import References
from mjcore.stages import Stages
from mjcore.uniqueness import NEW, Uniques
from mjcore.versions import Versions


@define
class Outcome:
    """What a batch decided; `deferred` records must be matched again once the others are written."""

    changes: list[RowChange] = field(factory=list)
    links: list[Link] = field(factory=list)
    conflicts: list[Conflict] = field(factory=list)
    errors: list[RecordError] = field(factory=list)
    deferred: list[ExternalRecord] = field(factory=list)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0


@frozen
class Decider:
    """Decides the batches of one entity map."""

    context: SyncContext
    plan: MappingPlan
    matcher: Matcher | None
    rules: MatchRules
    stages: Stages
    store: Store
    now: Callable[[], datetime]
    references: References
    versions: Versions
    precedence: Precedence

    def decide(self, records: Sequence[MappedRecord], links: Mapping[str, Link], hashes: Mapping[str, bytes]) -> Outcome:
        """`links` and `hashes` are by external id; the records have passed the hash and age checks."""
        linked = [links[r.source.external_id] for r in records if r.source.external_id in links]
        keys = {link.external_id: link.key for link in linked}
        matches = self._match([r for r in records if r.source.external_id not in keys])
        keys |= {external_id: match.key for external_id, match in matches.items() if match.key}
        rows = self._rows(list(keys.values()))
        uniques = Uniques.of(
            self.context.entity, [c.name for c in self.plan.columns], records, self.store.rows(self.context.entity)
        )
        taken = self.precedence.taken(list(rows))
        batch = _Batch(self, links, hashes, matches, rows, self.bases(linked), uniques, taken)
        for record in records:
            batch.decide(record)
        return batch.outcome

    def _match(self, records: Sequence[MappedRecord]) -> dict[str, Matched]:
        entity = self.context.entity
        candidates: Sequence[Sequence[RowKey]] = [()] * len(records)
        if self.matcher is not None and records:
            candidates = self.stages.match(self.context, self.matcher, records, self.store.rows(entity))
        found = {key for keys in candidates if keys for key in keys}
        linked = self.store.linked(entity, sorted(found)) if found else {}
        resolver = Resolver(self.context.entity_map, self.rules, linked, set())
        return resolver.resolve_all(records, candidates)

    def _rows(self, keys: Sequence[RowKey]) -> Mapping[RowKey, Fields]:
        entity = self.context.entity
        names = [*(column.name for column in self.plan.columns), *entity.primary_key]
        names += [name for name in (entity.soft_delete_field, entity.updated_at_field) if name]
        return self.store.read(entity, sorted(set(keys)), tuple(dict.fromkeys(names))) if keys else {}

    def bases(self, links: Sequence[Link]) -> Mapping[str, Fields]:
        """Return the last seen source values of records, as they were mapped then: what a local edit differs from.

        Where an undo was the last to write a field, what it put back is the base: it is nobody's edit.
        """
        if self.context.entity_map.conflict_resolution == "SourceWins":
            return {}
        by_version: dict[int, list[ExternalRecord]] = {}
        for link in links:
            last = ExternalRecord(link.external_id, {k: from_json(v) for k, v in link.source_values.items()})
            by_version.setdefault(link.map_version, []).append(last)
        bases: dict[str, Fields] = {}
        for version, some in by_version.items():
            plan = self.plan if version == self.plan.entity_map.version else self.versions.plan(version) or self.plan
            mapped, _ = self.references.resolve(plan(some).records)
            bases |= {record.source.external_id: record.values for record in mapped}
        put_back = self._put_back([link.key for link in links if not link.content_hash])
        for link in links:
            if undone := put_back.get(link.key):
                bases[link.external_id] = {**bases.get(link.external_id, {}), **undone}
        return bases

    def _put_back(self, keys: Sequence[RowKey]) -> Mapping[RowKey, Fields]:
        """Return, per row, the fields that the engine wrote last by undoing something."""
        last: dict[RowKey, dict[str, tuple[str, Value]]] = {}
        for change in self.store.changes(entity=self.context.entity.name, keys=keys, newest_first=True) if keys else ():
            fields = last.setdefault(change.key, {})
            for name, value in change.new.items():
                fields.setdefault(name, (change.rule, value))
        return {key: {n: value for n, (rule, value) in fields.items() if rule == UNDONE} for key, fields in last.items()}


@define
class _Batch:
    """One batch while it is decided. `occupied` are the match keys that its creates take."""

    of: Decider
    links: Mapping[str, Link]
    hashes: Mapping[str, bytes]
    matches: Mapping[str, Matched]
    rows: Mapping[RowKey, Fields]
    bases: Mapping[str, Fields]
    uniques: Uniques
    taken: Mapping[RowKey, frozenset[str]]
    """Fields that belong to other maps."""
    outcome: Outcome = field(factory=Outcome)
    occupied: dict[tuple[object, ...], tuple[str, RowKey]] = field(factory=dict)
    entity: Entity = field(init=False)
    required: Sequence[str] = field(init=False)
    """Columns that may not be null, and fields that the mapping declares as required."""
    match_fields: tuple[str, ...] = field(init=False)
    ids: Iterator[str] = field(init=False)
    """For rows that are made here, as many as there are records."""

    def __attrs_post_init__(self) -> None:
        self.entity = self.of.context.entity
        columns = [f.name for f in self.entity.fields if f.is_required]
        self.required = [*columns, *(c.name for c in self.of.plan.columns if c.is_required and c.name not in columns)]
        self.match_fields = self.of.matcher.fields if self.of.matcher else ()
        is_made = self.entity.key_origin == "uuid" and self.matches
        self.ids = iter(new_ids(len(self.matches)) if is_made else ())

    def decide(self, record: MappedRecord) -> None:
        external_id = record.source.external_id
        if link := self.links.get(external_id):
            self._linked(record, link)
            return
        match = self.matches[external_id]
        if match.outcome == "row":
            self._update(record, match.key, self.of.rules.strategy or "", revive=True)
        elif match.outcome == "create":
            self._create(record, ())
        elif match.outcome == "review":
            self._queue(record, match.key)
        elif match.error:
            self.outcome.errors.append(match.error)
        else:
            self.outcome.skipped += 1

    def _linked(self, record: MappedRecord, link: Link) -> None:
        """A row that was deleted here, while its record lives on, is a local edit: the policy decides."""
        row = self.rows.get(link.key)
        is_gone = row is None or (self._is_soft_deleted(row) and not link.is_tombstone)
        policy = self.of.context.entity_map.conflict_resolution
        if is_gone and not link.is_tombstone and policy == "Manual":
            self._queue(record, link.key)
            self._link(record, link.key)
        elif is_gone and not link.is_tombstone and policy != "SourceWins":
            self.outcome.skipped += 1
            self._link(record, link.key)
        elif row is None:
            self._create(record, link.key)
        else:
            self._update(record, link.key, "link", revive=True)

    # --- writing ------------------------------------------------------------------------------------

    def _create(self, record: MappedRecord, key: RowKey) -> None:
        taken = None if key else match_values(self.match_fields, record.values)
        if taken is not None and taken in self.occupied:
            self._doubled(record, self.occupied[taken])
            return
        new = dict(record.values)
        key = key or self._new_key(new)
        new.update(zip(self.entity.primary_key, key, strict=False))
        self._stamp(new)
        missing = self.required and [n for n in self.required if new.get(n) is None and (key or n not in self.entity.primary_key)]
        if missing:
            self._fail(record, "required", f"{', '.join(missing)}: a value is required for a new row")
            return
        if self.uniques.constraints and (clash := self.uniques.clash(NEW, new)):
            self._fail(record, "unique", clash, "persist")
            return
        unique_on: tuple[str, ...] = ()
        if taken is not None:
            self.occupied[taken] = (record.source.external_id, key)
            unique_on = self.match_fields
        self.outcome.created += 1
        self.outcome.changes.append(RowChange("create", key, {}, new, record.source.external_id, "none", unique_on))
        self._link(record, key, created_row=True)

    def _doubled(self, record: MappedRecord, first: tuple[str, RowKey]) -> None:
        """Match a record with the row that another one of this batch creates; it can be named only once it has its key."""
        external_id, key = first
        if not key:
            self.outcome.deferred.append(record.source)
            return
        entity_map = self.of.context.entity_map
        matched = Resolver(entity_map, self.of.rules, {key: [(entity_map.id, external_id)]}, set()).resolve(record, [key])
        if matched.error:
            self.outcome.errors.append(matched.error)
        else:
            self._queue(record, key)

    def _new_key(self, values: Mapping[str, Value]) -> RowKey:
        """Return the mapped key, a new one, or `()` where the database makes it."""
        key = tuple(map(values.get, self.entity.primary_key))
        if None not in key:
            return key
        return (next(self.ids, None) or new_id(),) if self.entity.key_origin == "uuid" else ()

    def _update(self, record: MappedRecord, key: RowKey, rule: str, *, revive: bool) -> None:
        row, source = self.rows[key], record.source
        missing = [name for name in self.required if name not in record.values and name in row and row[name] is None]
        if missing:
            self._fail(record, "required", f"{', '.join(missing)}: a value is required, neither source nor row has one")
            return
        base = self.bases.get(source.external_id)
        policy = self.of.context.entity_map.conflict_resolution
        mine = {name: v for name, v in record.values.items() if name not in self.taken.get(key, ())}
        merged = merge(self.entity, policy, mine, row, base, source.modified_at)
        new = merged.changes
        if revive and self._is_soft_deleted(row) and self.entity.soft_delete_field:
            new[self.entity.soft_delete_field] = self._alive()
        if clash := self.uniques.clash(key, new):
            self._fail(record, "unique", clash, "persist")
            return
        if new:
            self._stamp(new)
            old = {name: row.get(name) for name in new}
            self.outcome.changes.append(RowChange("update", key, old, new, source.external_id, rule))
        if merged.collisions:
            collided = merged.collisions
            here = {name: row.get(name) for name in collided}
            was = {name: base[name] for name in collided if base and name in base}
            self.outcome.conflicts.append(self._conflict(record, key, was, collided, here))
        elif new:
            self.outcome.updated += 1
        else:
            self.outcome.unchanged += 1
        self._link(record, tuple(new.get(name, part) for name, part in zip(self.entity.primary_key, key, strict=True)))

    def _queue(self, record: MappedRecord, key: RowKey) -> None:
        base = self.bases.get(record.source.external_id, {})
        current = self.rows.get(key, {})
        self.outcome.conflicts.append(self._conflict(record, key, base, record.values, current))

    def _conflict(self, record: MappedRecord, key: RowKey, base: Fields, source: Fields, current: Fields) -> Conflict:
        return Conflict(record.source.external_id, key, base, source, current, self.of.context.entity_map.id)

    def _fail(self, record: MappedRecord, code: str, message: str, stage: Literal["transform", "persist"] = "transform") -> None:
        self.outcome.errors.append(RecordError(record.source.external_id, stage, code, message, record.source.fields))

    def _link(self, record: MappedRecord, key: RowKey, *, created_row: bool = False) -> None:
        source = record.source
        old = self.links.get(source.external_id)
        values = self.of.plan.source_values(source)
        self.outcome.links.append(
            Link(
                source.external_id,
                key,
                self.hashes[source.external_id],
                {**old.source_values, **values} if old else values,
                source.modified_at,
                created_row or (old is not None and old.created_row),
                map_version=self.of.context.entity_map.version,
            )
        )

    # --- the entity's own fields ---------------------------------------------------------------------

    def _stamp(self, new: dict[str, Value]) -> None:
        if self.entity.updated_at_field and self.entity.updated_at_field not in new:
            new[self.entity.updated_at_field] = self.of.now()

    def _is_soft_deleted(self, row: Fields) -> bool:
        name = self.entity.soft_delete_field
        return name is not None and row.get(name) not in (None, False)

    def _alive(self) -> Value:
        column = self.entity.field(self.entity.soft_delete_field or "")
        return False if column and column.type == "boolean" else None
