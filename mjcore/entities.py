"""The entities of a document: tables to create, to extend, or to take as they are."""

from collections.abc import Iterable, Sequence

from attrs import define, evolve

from mjcore.checks import TEXTS, check_field, check_special_fields, is_same_family
from mjcore.document import EntityEntry
from mjcore.errors import Problem, StoreError, did_you_mean
from mjcore.ids import new_id
from mjcore.models import Entity, EntityField
from mjcore.snapshot import by_identity
from mjcore.store import Store

RESERVED = "mj_"
"""The engine's own tables begin so."""


@define
class EntityResolver:
    """Resolves entries against stored entities and existing tables; faults go to `problems`."""

    store: Store
    stored: Sequence[Entity]
    problems: list[Problem]

    def resolve(self, entries: Iterable[EntityEntry], names: Iterable[str]) -> dict[str, Entity | None]:
        """Return every known entity by name; None where the entry is malformed. `names`: those that the document mentions."""
        entries = list({entry.name: entry for entry in reversed(list(entries))}.values())[::-1]  # the first of a name
        known: dict[str, Entity | None] = {e.name: e for e in self.stored} | dict.fromkeys(names)
        for entry in entries:
            same = by_identity(self.stored, entry.id, entry.name)
            if same and same.name != entry.name:
                known.pop(same.name, None)
            known[entry.name] = self.entity(entry, same)
        for entry in entries:
            for i, column in enumerate(entry.fields or ()):
                if column.name:
                    self.problems += [p.under(f"{entry.path}.Fields[{i}]") for p in check_field(column, known)]
        self.one_entity_per_table(entries, known)
        return known

    def one_entity_per_table(self, entries: Sequence[EntityEntry], known: dict[str, Entity | None]) -> None:
        given = {entry.name for entry in entries}
        owners = {e.table: name for name, e in known.items() if e and name not in given}
        for entry in entries:
            entity = known[entry.name]
            owner = owners.setdefault(entity.table, entry.name) if entity else entry.name
            if owner != entry.name:
                self.fault(entry, "Table", f"it is the table of {owner!r} already; use that entity")

    def fault(self, entry: EntityEntry, key: str, message: str) -> None:
        self.problems.append(Problem(f"{entry.path}.{key}", message))

    def entity(self, entry: EntityEntry, same: Entity | None) -> Entity | None:
        table = entry.table or (same.table if same else entry.name)
        if table.casefold().startswith(RESERVED):
            self.fault(entry, "Table", f"names that begin with {RESERVED} are the engine's own; choose another")
            return None
        self.duplicate_fields(entry)
        is_ours = same is not None and same.origin == "Created" and same.table == table
        blank = Entity(
            entry.name,
            table,
            entry.primary_key or (same.primary_key if same and is_ours else ("id",)),
            entry.soft_delete_field,
            entry.updated_at_field,
            id=same.id if same else entry.id or new_id(),
        )
        existing = None if is_ours else self.reflected(blank)
        if existing is not None:
            entity = self.adopted(entry, existing)
        elif same is not None and is_ours:
            entity = self.created(entry, blank, same)
        elif entry.fields is not None:
            entity = self.created(entry, blank, None)
        else:
            self.fault(
                entry, "Table", f"the database has no table {table!r}; correct the name, or list Fields to have it created"
            )
            return None
        self.problems += [p.under(entry.path) for p in check_special_fields(entity)]
        return self.store.as_stored(entity)

    def duplicate_fields(self, entry: EntityEntry) -> None:
        seen: dict[str, int] = {}
        for i, column in enumerate(entry.fields or ()):
            first = seen.setdefault(column.name.casefold(), i)
            if first != i and column.name:
                self.fault(entry, f"Fields[{i}].Name", f"{column.name!r} is there twice; Fields[{first}] is the other one")

    def reflected(self, blank: Entity) -> Entity | None:
        try:
            return self.store.reflect(blank)
        except StoreError:
            return None

    # --- tables that are there already -----------------------------------------------------------------

    def adopted(self, entry: EntityEntry, existing: Entity) -> Entity:
        """What the file says of a column adds to what the database says; columns that it names anew are added."""
        columns = {f.name: f for f in existing.fields}
        for i, column in enumerate(entry.fields or ()):
            if column.name in columns:
                columns[column.name] = self.overlaid(entry, i, column, columns[column.name])
            elif column.name:
                self.new_column(entry, i, column)
                columns[column.name] = column
        key = entry.primary_key or existing.primary_key
        for i, name in enumerate(key):
            if name not in columns:
                near = did_you_mean(name, columns)
                self.fault(entry, f"PrimaryKey[{i}]", f"table {existing.table!r} has no column {name!r}{near}")
        if not key:
            self.fault(entry, "PrimaryKey", f"table {existing.table!r} has no primary key; name the columns that identify a row")
        origin = existing.key_origin if key == existing.primary_key else "mapped"
        if key == ("id",) and entry.fields is not None and origin == "mapped" and columns["id"].type in TEXTS:
            origin = "uuid"  # as `apply` makes tables itself: it may have been broken off after it made this one
        return evolve(
            existing,
            name=entry.name,
            primary_key=key,
            key_origin=entry.key_origin or origin,
            soft_delete_field=entry.soft_delete_field,
            updated_at_field=entry.updated_at_field,
            fields=tuple(columns.values()),
            origin="Adopted",
        )

    def overlaid(self, entry: EntityEntry, index: int, declared: EntityField, column: EntityField) -> EntityField:
        if not is_same_family(evolve(declared, exact=False), column):
            fault = f"column {column.name!r} holds {column.type}, not {declared.type}; leave Type out, or name another column"
            self.fault(entry, f"Fields[{index}].Type", fault)
        return evolve(
            column,
            type=declared.type,
            entity=declared.entity,
            exact=declared.exact,
            max_length=declared.max_length or column.max_length,
            is_required=declared.is_required or column.is_required,
            is_unique=declared.is_unique or column.is_unique,
        )

    def new_column(self, entry: EntityEntry, index: int, column: EntityField) -> None:
        if column.is_required:
            fault = "a required column cannot be added to a table that is there already; add it without, fill it, then require it"
            self.fault(entry, f"Fields[{index}].IsRequired", fault)

    # --- tables of our own -----------------------------------------------------------------------------

    def created(self, entry: EntityEntry, blank: Entity, same: Entity | None) -> Entity:
        declared = tuple(f for f in entry.fields or () if f.name) if entry.fields is not None or not same else same.fields
        names = {f.name for f in declared}
        kept = [name for name in dict.fromkeys((entry.soft_delete_field, entry.updated_at_field)) if name and name not in names]
        fields = (*declared, *(EntityField(name, "datetime") for name in kept))
        if same:
            self.extended(entry, same)
        is_listed = bool(entry.primary_key) and names.issuperset(entry.primary_key)
        origin = entry.key_origin or (same.key_origin if same else "mapped" if is_listed else "uuid")
        if len(blank.primary_key) > 1 or origin == "mapped":
            for i, name in enumerate(blank.primary_key):
                if name not in names:
                    self.fault(entry, f"PrimaryKey[{i}]", f"{name!r} is no field of {entry.name}; add it to Fields")
        return evolve(blank, fields=fields, key_origin=origin)

    def extended(self, entry: EntityEntry, same: Entity) -> None:
        """Columns may come; what is there keeps its kind."""
        if entry.primary_key and entry.primary_key != same.primary_key:
            was = ", ".join(same.primary_key)
            self.fault(entry, "PrimaryKey", f"the key of a table that is there cannot change; it is [{was}]")
        for i, column in enumerate(entry.fields or ()):
            before = same.field(column.name)
            if before is None and column.name:
                self.new_column(entry, i, column)
            elif before is not None and not is_same_family(column, before):
                fault = f"{column.name!r} is stored as {before.type} and cannot become {column.type}; add a field of another name"
                self.fault(entry, f"Fields[{i}].Type", fault)
