"""Every value that fits a column is read back the same: fit, commit, read; for every type, on both databases."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mj_storage_sql.values import codec_of, encoded

from mjcore.compare import same
from mjcore.errors import RowRefused, TransformError
from mjcore.fitting import fitter
from mjcore.ids import new_id
from mjcore.models import Entity, EntityField
from mjcore.records import RowChange

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "007",
        "1e5",
        "NULL",
        "\r\n\t",
        "\\N",
        "\\.",
        '"',
        "true",
        "1.0",
        "{}",
        "é",
        "e\u0301",
        "\U0010ffff",
        "%s",
        "\x7f\x01",
    ]
)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, 2**53 + 1, -(2**63), 2**63 - 1])
DECIMALS = st.decimals(-(10**40), 10**40, places=25) | st.decimals(-1000, 1000, places=2) | WHOLE | st.integers(-(10**60), 10**60)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([5e-324, 1.7976931348623157e308, 0.1, -0.0])
MONEY = st.decimals("-9999999999.99", "9999999999.99", places=2)
INSTANTS = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)]
)
DAYS = st.dates() | st.sampled_from([date.min, date.max])
PLAIN = st.booleans() | st.integers(-(2**70), 2**70) | DOUBLES | st.decimals(-(10**30), 10**30, places=20) | TEXTS
JSON = st.recursive(
    PLAIN, lambda v: st.lists(v | st.none(), max_size=4) | st.dictionaries(TEXTS, v | st.none(), max_size=4), max_leaves=8
)

COLUMNS: dict[str, tuple[EntityField, st.SearchStrategy[Any]]] = {
    "text": (EntityField("V"), TEXTS),
    "short text": (EntityField("V", "email", max_length=12), TEXTS),
    "multi_enum": (EntityField("V", "multi_enum"), st.lists(TEXTS)),
    "unknown": (EntityField("V", "unknown"), TEXTS),
    "reference": (EntityField("V", "reference", entity="All"), TEXTS),
    "exact": (EntityField("V", "number", exact=True), DECIMALS | DOUBLES),
    "money": (EntityField("V", "currency", precision=12, scale=2), MONEY),
    "integer": (EntityField("V", "number", number="integer"), WHOLE),
    "small": (EntityField("V", "number", number="integer", precision=16), st.integers(-(2**15), 2**15 - 1)),
    "double": (EntityField("V", "percent", number="double"), DOUBLES),
    "boolean": (EntityField("V", "boolean"), st.booleans()),
    "date": (EntityField("V", "date"), DAYS),
    "datetime": (EntityField("V", "datetime"), INSTANTS),
    "datetime without a zone": (EntityField("V", "datetime", has_zone=False), INSTANTS),
    "milliseconds": (
        EntityField("V", "datetime", fraction_digits=3),
        INSTANTS.map(lambda v: v.replace(microsecond=v.microsecond // 1000 * 1000)),
    ),
    "seconds": (EntityField("V", "datetime", fraction_digits=0), INSTANTS.map(lambda v: v.replace(microsecond=0))),
    "json": (EntityField("V", "json"), JSON),
}
TYPES = {"boolean": bool, "date": date, "datetime": datetime}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, databases: Any) -> Iterator[Any]:
    """A database that the examples of a property share."""
    database = databases.ready(request.param)
    database.open()
    yield database
    databases.give_back(database)


@pytest.fixture(scope="module")
def scenes(place: Any) -> dict[str, Any]:
    return {}


@pytest.fixture
def columns(place: Any, scenes: dict[str, Any], stage: Callable[..., Any]) -> Callable[[str], Any]:
    """Return the function that gives a scene whose entity has this one column `V`."""

    def of(name: str) -> Any:
        if name not in scenes:
            column = COLUMNS[name][0] if name in COLUMNS else EntityField("V", "number")
            scenes[name] = stage(place.stores[0], Entity(name, name, fields=(column,)))
        return scenes[name]

    return of


def fitted(column: EntityField, value: Any) -> Any:
    try:
        return fitter(column)(value)
    except TransformError:
        assume(False)


def assert_kept(scene: Any, column: EntityField, values: list[Any]) -> None:
    """Create rows, read them, give each the value of the next one, and read again; find them by value."""
    keys = sorted((new_id(),) for _ in values)
    entity, store = scene.entity, scene.store
    scene.commit(changes=[RowChange("create", k, {}, {"id": k[0], "V": v}, k[0]) for k, v in zip(keys, values, strict=True)])
    turned = [*values[1:], *values[:1]]
    pairs = zip(keys, values, turned, strict=True)
    moves = [RowChange("update", k, {"V": old}, {"V": new}, k[0]) for k, old, new in pairs if not same(column, old, new)]
    for expected, changes in ((values, moves), (turned, [])):
        rows = store.read(entity, keys, ("V",))
        for key, value in zip(keys, expected, strict=True):
            back = rows[key]["V"]
            assert same(column, value, back), (value, back)
            assert back is None or isinstance(back, TYPES.get(column.type, object)), back
        if changes:
            scene.commit(changes=changes)
    if column.type != "json":
        found = store.rows(entity).find(("V",), [(v,) for v in values])
        for key, value in zip(keys, turned, strict=True):
            assert (key in found.get((value,), ())) == (value is not None)
    for key in keys:
        created, *updated = store.changes(external_id=key[0])
        assert same(column, created.new["V"], values[keys.index(key)])
        assert all(same(column, change.new["V"], turned[keys.index(key)]) for change in updated)


@pytest.mark.parametrize("name", COLUMNS)
def test_what_fits_a_created_column_is_read_back_the_same(columns: Callable[[str], Any], name: str) -> None:
    scene, (column, values) = columns(name), COLUMNS[name]

    @settings(max_examples=12, deadline=None)
    @given(st.lists(values | st.none(), min_size=1, max_size=8))
    def holds(raw: list[Any]) -> None:
        assert_kept(scene, column, [None if v is None else fitted(column, v) for v in raw])

    holds()


@pytest.mark.parametrize("name", ["reflected", "declared"])
def test_a_plain_number_is_kept_exactly_or_refused(columns: Callable[[str], Any], name: str) -> None:
    """As the table tells of itself, fitting refuses what it would round; as the file declares it, at least the store does."""
    scene = columns(name)
    reflected = scene.store.reflect(scene.entity).field("V")
    column = reflected if name == "reflected" else scene.entity.field("V")
    assert column is not None

    @settings(max_examples=40, deadline=None)
    @given(DECIMALS | DOUBLES | MONEY)
    def holds(raw: Any) -> None:
        value = fitted(column, raw)
        try:
            assert_kept(scene, column, [value])
        except RowRefused:
            assert name == "declared"
            with pytest.raises(TransformError):
                fitter(evolve(column, number="numeric"))(value)

    holds()


def test_null_is_not_empty(columns: Callable[[str], Any]) -> None:
    scene = columns("text")
    assert_kept(scene, scene.entity.fields[0], ["", None, " ", None, "null"])


@pytest.mark.parametrize("text", ["a\0b", "\0", "half \ud83d", "\udc00"])
def test_json_that_a_database_cannot_hold_is_refused_or_kept(columns: Callable[[str], Any], text: str) -> None:
    scene = columns("json")
    for value in ([text], {text: 1}):
        with suppress(RowRefused):
            assert_kept(scene, scene.entity.fields[0], [value])


# --- Rows of other writers ---------------------------------------------------------------------------

FOREIGN: list[tuple[set[str], str, str, Any]] = [
    ({"sqlite", "postgresql"}, "DATE", "'2024-01-31'", date(2024, 1, 31)),
    ({"sqlite", "postgresql"}, "TIMESTAMP", "'2024-01-31 10:00:00'", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    ({"sqlite"}, "TIMESTAMP", "'2024-01-31T10:00:00.5Z'", datetime(2024, 1, 31, 10, 0, 0, 500000, UTC)),
    ({"sqlite"}, "DATETIME", "'2024-01-31 12:00:00+02:00'", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    ({"postgresql"}, "TIMESTAMPTZ", "'2024-01-31 12:00:00+02:00'", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    ({"sqlite", "postgresql"}, "BOOLEAN", "true", True),
    ({"sqlite"}, "BOOLEAN", "0", False),
    ({"sqlite", "postgresql"}, "NUMERIC(12,2)", "'1.50'", Decimal("1.5")),
    ({"sqlite", "postgresql"}, "NUMERIC", "2.0", 2),
    ({"sqlite", "postgresql"}, "DOUBLE PRECISION", "0.1", Decimal("0.1")),
    ({"postgresql"}, "REAL", "0.1", Decimal("0.1")),
    ({"sqlite", "postgresql"}, "JSON", """'{"b" : [1, 2.50],  "a":null}'""", {"a": None, "b": [1, Decimal("2.50")]}),
    ({"postgresql"}, "JSONB", """'{"b" : [1, 2.50],  "a":null}'""", {"a": None, "b": [1, Decimal("2.50")]}),
    ({"sqlite", "postgresql"}, "VARCHAR(10)", "'007 '", "007 "),
    ({"postgresql"}, "UUID", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
]
EACH = [(place, ddl, sql, value) for places, ddl, sql, value in FOREIGN for place in sorted(places)]


@pytest.mark.parametrize(("database", "ddl", "sql", "value"), EACH, indirect=["database"])
def test_what_others_wrote_is_read_and_not_taken_for_moved(
    database: Any, stage: Callable[..., Any], ddl: str, sql: str, value: Any
) -> None:
    database.execute(f"CREATE TABLE t (id TEXT PRIMARY KEY, v {ddl})", f"INSERT INTO t VALUES ('1', {sql}), ('2', {sql})")
    store = database.open()
    entity = store.reflect(Entity("T", "t"))
    scene, column = stage(store, evolve(entity, key_origin="mapped"), ensure=False), entity.field("v")
    row = scene.read(("1",))
    assert same(column, row["v"], value), row
    if "JSON" not in ddl:
        assert list(store.rows(entity).find(("v",), [(value,)])[(value,)]) == [("1",), ("2",)]
    delete = RowChange("delete", ("2",), scene.read(("2",)), {}, "y")
    scene.commit(changes=[delete, RowChange("update", ("1",), {"v": row["v"]}, {"v": None}, "x")])
    assert database.execute("SELECT * FROM t") == [("1", None)]


ZONED = INSTANTS | st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - the zone is drawn


@given(data=st.data(), dialect=st.sampled_from(["sqlite", "postgresql"]), name=st.sampled_from(["json", "datetime", "seconds"]))
def test_many_values_are_encoded_as_each_by_itself(data: st.DataObject, dialect: Any, name: str) -> None:
    column, values = COLUMNS[name]
    codec = codec_of(column, dialect)
    some = data.draw(st.lists((ZONED if column.type == "datetime" else values) | st.none(), max_size=6))
    one_by_one = [value if value is None or codec.encode is None else codec.encode(value) for value in some]
    assert list(encoded(codec, some)) == one_by_one
