"""Rules of tables and values: whatever they are called, whatever fits, it comes back the same."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from mj_testing.proof import VOID, broken, raised
from mj_testing.rules import rule
from mj_testing.scenes import Scene, begin
from mj_testing.strategies import entities, field_maps, values_of
from mj_testing.strategies.schemas import AWKWARD_NAMES, TYPES
from mj_testing.suites.store.stage import Databases
from mjcore.compare import same
from mjcore.errors import RowRefused, TransformError
from mjcore.fitting import fitter
from mjcore.models import Entity, EntityField, EntityMap, FieldMap
from mjcore.records import RowChange, Value


class ValueRules(Databases):
    """What `read`, `find`, `ensure`, `load` and `save` have to keep."""

    @rule(
        "what fits a column is read back equal, when it was created, and when it was changed",
        remedy="store values without loss, or let `as_stored` and `reflect` say what the column holds, so that fitting refuses "
        "the rest",
    )
    def test_values_are_kept(self) -> None:
        for kind in TYPES:
            scene = begin(self.store, Entity(f"Values {kind}", f"values_{kind}", fields=(EntityField("V", kind),)))
            drawn = st.lists(values_of(kind) | st.none(), min_size=1, max_size=4)
            most = max(1, self.examples // 5)
            self.proof.holds(drawn, lambda values, scene=scene: self._keeps(scene, values), most=most)  # type: ignore[misc]

    def _keeps(self, scene: Scene, raw: list[Value]) -> object:
        column = scene.entity.field("V")
        fitted = [value for value in (_fit(column, each) for each in raw) if value is not _UNFIT]
        changes = sorted((scene.create(f"r{i}", {"V": value}) for i, value in enumerate(fitted)), key=lambda c: c.key)
        try:
            scene.commit(changes=changes)
        except RowRefused:
            return VOID  # told, and nothing is written
        turned = {change.key: fitted[number - 1] for number, change in enumerate(changes)}
        for wanted in ({change.key: change.new["V"] for change in changes}, turned):
            rows = self.store.read(scene.entity, [change.key for change in changes], ("V",))
            for key, value in wanted.items():
                if key not in rows or not same(column, rows[key]["V"], value):
                    broken(type=column and column.type, example=value, seen=rows.get(key, {}).get("V", "no row"))
            moves = [RowChange("update", k, {"V": rows[k]["V"]}, {"V": v}, "r") for k, v in sorted(turned.items())]
            scene.commit(changes=[move for move in moves if not same(column, move.old["V"], move.new["V"])])
        return None if fitted else VOID

    @rule(
        "a row is found by any value that it holds, and null finds nothing",
        remedy="compare in `find` by the column's type, for all keys in one statement, and give the keys of rows sorted",
    )
    def test_rows_are_found_by_value(self) -> None:
        for kind in TYPES:
            if kind != "json":
                scene = begin(self.store, Entity(f"Found {kind}", f"found_{kind}", fields=(EntityField("V", kind),)))
                drawn = st.lists(values_of(kind) | st.none(), min_size=1, max_size=4)
                most = max(1, self.examples // 10)
                self.proof.holds(drawn, lambda values, scene=scene: self._finds(scene, values), most=most)  # type: ignore[misc]

    def _finds(self, scene: Scene, raw: list[Value]) -> object:
        column = scene.entity.field("V")
        fitted = [value for value in (_fit(column, each) for each in raw) if value is not _UNFIT]
        changes = sorted((scene.create(f"r{i}", {"V": value}) for i, value in enumerate(fitted)), key=lambda c: c.key)
        try:
            scene.commit(changes=changes)
        except RowRefused:
            return VOID
        found = self.store.rows(scene.entity).find(("V",), [(value,) for value in fitted])
        for change in changes:
            value = change.new["V"]
            if (change.key in found.get((value,), ())) != (value is not None):
                broken(
                    type=column and column.type,
                    example=value,
                    seen=f"find gives {found.get((value,), ())}; the row is {change.key}",
                )
        for keys in found.values():
            if list(keys) != sorted(keys):
                broken(type=column and column.type, example=fitted, seen=f"keys that are not sorted: {keys}")
        return None if fitted else VOID

    @rule(
        "tables and fields may be called as they like",
        remedy="quote every identifier, and double the quotes inside it; bind every value",
    )
    def test_names_are_quoted(self) -> None:
        for name in AWKWARD_NAMES:
            entity = Entity("Things", "things", fields=(EntityField(name),))
            self.proof.once(lambda entity=entity: self._quotes(entity))  # type: ignore[misc]
        self.proof.holds(entities("string"), self._quotes, most=max(1, self.examples // 4))

    def _quotes(self, entity: Entity) -> None:
        columns = entity.fields
        try:
            scene = begin(self.store, evolve(entity, table=columns[0].name[:20].replace(".", "-")))
            values = {column.name: f"'; -- {number}" for number, column in enumerate(columns)}
            (key,) = scene.add({"it's": values}).values()
            found = scene.read(key)
            name = columns[0].name
            by_value = self.store.rows(scene.entity).find((name,), [(values[name],)])
            scanned = dict(self.store.rows(scene.entity).scan((name,)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the rule
            broken(cause=error, example=[column.name for column in columns], seen=f"raised {raised(error)}")
        if found != values or key not in by_value.get((values[name],), ()) or scanned != {key: (values[name],)}:
            broken(example=[column.name for column in columns], seen=f"{found}, found by value: {by_value}, scanned: {scanned}")

    @rule(
        "what is saved is loaded equal, by another store too",
        remedy="keep every attribute of the models, nested ones as JSON, and order them as they were",
    )
    def test_metadata_is_kept(self) -> None:
        configs: Mapping[str, list[dict[str, Any]]] = {
            "text": [{"Operation": "trim"}],
            "lookup": [{"Map": {"a": None, "ä": "'"}}],
        }
        other = self.made.open()
        maps = field_maps(configs)
        self.proof.holds(maps, lambda drawn: self._loads_equal(other, drawn), most=max(1, self.examples // 5))

    def _loads_equal(self, other: Any, maps: tuple[FieldMap, ...]) -> None:
        scene = begin(self.store)
        numbered = tuple(evolve(each, id=f"{scene.run.id}-{number}", priority=number) for number, each in enumerate(maps))
        saved = evolve(scene.context.entity_map, field_maps=numbered, match_strategy={"Strategy": "KeyFields"})
        self.store.save([saved])
        (found,) = other.load(EntityMap, id=saved.id)
        if found.field_maps != saved.field_maps or found.match_strategy != saved.match_strategy:
            broken(example=saved.field_maps, seen=found.field_maps)

    @rule(
        "migrating again changes nothing, and another store finds what the first one wrote",
        remedy="let `migrate` do only what is not there yet, and keep nothing that matters in the store itself",
    )
    def test_another_store_finds_everything(self) -> None:
        self.proof.once(self._finds_everything)

    def _finds_everything(self) -> None:
        scene = begin(self.store)
        (key,) = scene.add({"a": {"Email": "a@x", "Name": "A"}}).values()
        before = self.made.dump()
        other = self.made.open()
        other.migrate()
        if self.made.dump() != before:
            broken(seen="migrating again changed the database")
        if dict(other.read(scene.entity, [key], ("Name",))) != {key: {"Name": "A"}} or not other.links(scene.context, ["a"]):
            broken(seen="another store on the same database does not find the row, or its link")


_UNFIT = object()


def _fit(column: EntityField | None, value: Value) -> Value:
    """Return a value as the column takes it, or _UNFIT."""
    try:
        return value if value is None or column is None else fitter(column)(value)
    except TransformError:
        return _UNFIT
