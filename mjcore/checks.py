"""What is wrong with an entity map, a connection or an entity, before any of it is stored or run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from attrs import evolve

from mjcore.capabilities import Matcher, ProviderType
from mjcore.errors import ConfigError, Problem, UnknownName, did_you_mean
from mjcore.mapping import active_field_maps, compile_mapping
from mjcore.matching import MATCH_KEYS, MatchRules
from mjcore.models import Entity, EntityField, EntityMap, SyncDirection
from mjcore.opening import NOTIFIER, NOTIFY, RATE_LIMIT
from mjcore.wire import structure

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

TEXTS = frozenset({"string", "email", "phone", "url", "enum", "multi_enum", "file", "unknown"})
NUMBERS = frozenset({"number", "currency", "percent"})
WAYS: Mapping[SyncDirection, frozenset[str]] = {
    "Pull": frozenset({"Pull"}),
    "Push": frozenset({"Push"}),
    "Bidirectional": frozenset({"Pull", "Push"}),
}


# --- Connections -----------------------------------------------------------------------------------


def check_settings(
    kernel: "Kernel", provider: ProviderType[Any, Any], configuration: Mapping[str, Any], auth: Mapping[str, Any]
) -> tuple[list[Problem], list[Problem]]:
    """Return the faults and the warnings of a connection's two configurations."""
    settings = dict(configuration)
    limit, notifiers = settings.pop(RATE_LIMIT, 0), settings.pop(NOTIFY, ())
    problems, warnings = list(_notifier_problems(kernel, notifiers)), []
    if type(limit) is not int or limit < 0:
        problems.append(Problem(f"Configuration.{RATE_LIMIT}", "a whole number of requests expected; 0 is no limit"))
    problems += _structure(provider.config, settings, "Configuration")
    problems += _structure(provider.auth, auth, "AuthConfiguration", _known_scheme(kernel))
    if not problems:
        warnings = _structure(provider.auth, auth, "AuthConfiguration", _resolve(kernel))
    return problems, warnings


def _notifier_problems(kernel: "Kernel", notifiers: Any) -> Iterator[Problem]:
    """Yield what is wrong with the notifiers that a connection names."""
    if not isinstance(notifiers, list | tuple) or not all(isinstance(entry, Mapping) for entry in notifiers):
        yield Problem(f"Configuration.{NOTIFY}", f"a list of mappings expected, such as [{{{NOTIFIER}: log}}]")
        return
    for index, entry in enumerate(notifiers):
        path, settings = f"Configuration.{NOTIFY}[{index}]", {key: entry[key] for key in entry if key != NOTIFIER}
        try:
            kind = kernel.notifier_types[str(entry.get(NOTIFIER, ""))]
        except UnknownName as error:
            yield Problem(f"{path}.{NOTIFIER}", str(error))
        else:
            yield from _structure(kind.config, settings, path, _known_scheme(kernel))


def check_direction(provider: ProviderType[Any, Any], direction: SyncDirection) -> Iterator[Problem]:
    missing = WAYS[direction] - provider.directions
    if missing:
        can = " and ".join(sorted(provider.directions))
        yield Problem("SyncDirection", f"{provider.name} cannot {' or '.join(sorted(missing))}, only {can}")


def _structure(
    kind: type[Any], value: Mapping[str, Any], path: str, resolve: Callable[[str], str] | None = None
) -> list[Problem]:
    try:
        structure(kind, value, resolve)
    except ConfigError as error:
        return [problem.under(path) for problem in error.problems]
    return []


def _known_scheme(kernel: "Kernel") -> Callable[[str], str]:
    def check(reference: str) -> str:
        if reference.partition(":")[0] not in kernel.secret_types:
            # the scheme is not named: it may be the beginning of a secret
            raise ConfigError(
                f"a reference to a secret expected, of a scheme that is installed: {', '.join(kernel.secret_types)}"
            )
        return reference

    return check


def _resolve(kernel: "Kernel") -> Callable[[str], str]:
    def resolve(reference: str) -> str:
        scheme, _, rest = reference.partition(":")
        try:
            return kernel.secret_types[scheme].resolve(rest)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - a vault that is away now may be there at the run
            raise ConfigError(f"the secret cannot be read now: {type(error).__name__}") from None

    return resolve


# --- Entities --------------------------------------------------------------------------------------


def check_field(column: EntityField, entities: Mapping[str, Entity | None]) -> Iterator[Problem]:
    """Yield what is wrong with one declared field; `entities`: every known name."""
    if column.type == "reference":
        if column.entity is None:
            yield Problem("Entity", "missing: a reference names the entity that it points to")
        elif column.entity not in entities:
            yield Problem("Entity", f"no entity {column.entity!r}{did_you_mean(column.entity, entities)}")
        elif (target := entities[column.entity]) and len(target.primary_key) > 1:
            yield Problem("Entity", f"{column.entity} has a key of several columns, which one field cannot hold")
    elif column.entity is not None:
        yield Problem("Entity", f"only a field of type reference points to an entity, this one is of type {column.type}")
    if column.max_length is not None and (column.type not in TEXTS | {"reference"} or column.max_length < 1):
        yield Problem("MaxLength", "a length from 1 on, of a field that holds text, expected")
    if column.exact and column.type not in NUMBERS:
        yield Problem("Exact", f"only a number can be exact, this field is of type {column.type}")
    if column.precision is not None and column.precision < 1:
        yield Problem("Precision", "a number of digits from 1 on expected")
    if column.scale is not None and not 0 <= column.scale <= (column.precision or column.scale):
        yield Problem("Scale", "a number of decimal places, not above Precision, expected")
    if not 0 <= column.fraction_digits <= 6:
        yield Problem("FractionDigits", "0 to 6 digits of a second expected")


def check_special_fields(entity: Entity) -> Iterator[Problem]:
    names = [f.name for f in entity.fields]
    wanted = (
        ("SoftDeleteField", entity.soft_delete_field, ("boolean", "datetime", "date")),
        ("UpdatedAtField", entity.updated_at_field, ("datetime",)),
    )
    for key, name, types in wanted:
        column = entity.field(name) if name else None
        if name and column is None:
            yield Problem(key, f"table {entity.table!r} has no column {name!r}{did_you_mean(name, names)}")
        elif column and column.type not in types:
            yield Problem(key, f"{name!r} is of type {column.type}; {' or '.join(types)} expected")


def is_same_family(a: EntityField, b: EntityField) -> bool:
    """Tell whether one column can hold the values of both fields."""
    return _family(a) == _family(b) or "reference" in {a.type, b.type} <= {"reference", *TEXTS, *NUMBERS}


def _family(column: EntityField) -> str:
    if column.type in TEXTS:
        return "text"
    if column.type in NUMBERS:
        return "exact number" if column.exact else "number"
    return column.type


# --- Entity maps -----------------------------------------------------------------------------------


def check_map(kernel: "Kernel", entity_map: EntityMap, *, is_whole: bool) -> list[Problem]:
    """Return what is wrong with an entity map. `is_whole`: nothing of it was left out as unreadable."""
    problems = [*_pipelines(kernel, entity_map), *_destinations(entity_map), *_owners(entity_map), *_policies(entity_map)]
    try:
        rules, _ = matching(kernel, entity_map)
    except ConfigError as error:
        problems += [problem.under("MatchStrategy") for problem in error.problems]
    else:
        if is_whole and rules.fallback_strategy == "CreateNew" and "Pull" in WAYS[entity_map.sync_direction]:
            problems += _unfilled(entity_map)
    if is_whole and not any(m.status == "Active" for m in entity_map.field_maps):
        problems.append(Problem("FieldMaps", "none that is active: nothing would be written"))
    return problems


def _pipelines(kernel: "Kernel", entity_map: EntityMap) -> Iterator[Problem]:
    """Inactive field maps are checked too: they may be switched on one by one."""
    placeholders = [m if not m.destination_field_name else evolve(m, status="Active") for m in entity_map.field_maps]
    every = evolve(entity_map, field_maps=tuple(placeholders))
    found: dict[Problem, None] = {}
    for direction in ("Pull", "Push"):
        try:
            compile_mapping(every, kernel.transform_types, direction).close()
        except ConfigError as error:
            found |= dict.fromkeys(error.problems)
    yield from found
    for i, field_map in enumerate(entity_map.field_maps):
        if field_map.direction == "Both":
            yield from (p for p in _way_back(kernel, f"FieldMaps[{i}]", field_map.transform_pipeline) if p not in found)


def _way_back(kernel: "Kernel", path: str, pipeline: Sequence[Any]) -> Iterator[Problem]:
    for i, step in enumerate(pipeline):
        where = f"{path}.TransformPipeline[{i}]"
        if step.type not in kernel.transform_types:
            continue
        kind = kernel.transform_types[step.type]
        if kind.inverse is None:
            yield Problem(f"{where}.Type", f"{step.type!r} cannot be inverted, which Direction: Both needs; use two field maps")
            continue
        try:
            with closing(_Closable(kind.inverse(structure(kind.config, step.config)))):
                pass
        except ConfigError as error:
            yield from (problem.under(f"{where}.Config") for problem in error.problems)


class _Closable:
    """A step, which may have a `close`."""

    def __init__(self, step: object) -> None:
        self.close: Callable[[], None] = getattr(step, "close", lambda: None)


def _destinations(entity_map: EntityMap) -> Iterator[Problem]:
    entity = entity_map.entity
    names = [*(f.name for f in entity.fields), *entity.primary_key]
    for i, field_map in enumerate(entity_map.field_maps):
        name = field_map.destination_field_name
        if name and field_map.direction != "DestToSource" and name not in names:
            fault = f"{entity.name} has no field {name!r}{did_you_mean(name, names)}"
            yield Problem(f"FieldMaps[{i}].DestinationFieldName", f"{fault}; correct the name, or add the field to the entity")


def _owners(entity_map: EntityMap) -> Iterator[Problem]:
    ways = {"Pull": "destination_field_name", "Push": "source_field_name"}
    index = {id(m): i for i, m in enumerate(entity_map.field_maps)}
    for direction, attribute in ways.items():
        owners: dict[tuple[str, int], int] = {}
        for field_map in active_field_maps(entity_map, "Pull" if direction == "Pull" else "Push"):
            name = getattr(field_map, attribute)
            i = index[id(field_map)]
            first = owners.setdefault((name, field_map.priority), i)
            if first != i and name:
                fault = f"FieldMaps[{first}] writes {name!r} too, with the same Priority"
                yield Problem(
                    f"FieldMaps[{i}].DestinationFieldName", f"{fault}; remove one, or give the one that wins a higher one"
                )


def _policies(entity_map: EntityMap) -> Iterator[Problem]:
    entity = entity_map.entity
    if entity_map.delete_behavior == "SoftDelete" and not entity.soft_delete_field:
        yield Problem("DeleteBehavior", f"SoftDelete needs a SoftDeleteField: name one at entity {entity.name!r}")
    if entity_map.conflict_resolution == "MostRecent" and not entity.updated_at_field:
        yield Problem("ConflictResolution", f"MostRecent needs an UpdatedAtField: name one at entity {entity.name!r}")


def matching(kernel: "Kernel", entity_map: EntityMap) -> tuple[MatchRules, Matcher | None]:
    """Return the kernel's part of a `MatchStrategy`, and the compiled rest; `ConfigError` with every problem."""
    strategy = entity_map.match_strategy
    if strategy and "Strategy" not in strategy:
        raise ConfigError(Problem("Strategy", f"missing (installed: {', '.join(kernel.match_types) or 'none'})"))
    problems: list[Problem] = []
    rules, matcher = MatchRules(), None
    try:
        rules = structure(MatchRules, {key: strategy[key] for key in MATCH_KEYS if key in strategy})
    except ConfigError as error:
        problems += error.problems
    name = strategy.get("Strategy")
    if isinstance(name, str):
        try:
            kind = kernel.match_types[name]
            rest = {key: value for key, value in strategy.items() if key not in MATCH_KEYS}
            matcher = kind.compile(structure(kind.config, rest), entity_map)
        except UnknownName as error:
            problems.append(Problem("Strategy", str(error)))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return rules, matcher


def _unfilled(entity_map: EntityMap) -> Iterator[Problem]:
    """A column that refuses nulls and that nothing fills would make every new row fail: better said now."""
    entity = entity_map.entity
    filled = {m.destination_field_name for m in active_field_maps(entity_map, "Pull")}
    kept = {entity.updated_at_field} | (set(entity.primary_key) if entity.key_origin != "mapped" else set())
    required = [f.name for f in entity.fields if f.is_required and f.name not in kept]
    if entity.key_origin == "mapped":
        required = list(dict.fromkeys([*(name for name in entity.primary_key if entity.field(name)), *required]))
    for name in required:
        if name not in filled:
            is_key = name in entity.primary_key
            part = "part of the primary key" if is_key else "a required column"
            remedy = "add one, or set FallbackStrategy to Skip" + (", or KeyOrigin to uuid" if is_key else "")
            yield Problem("FieldMaps", f"none fills {name!r}, {part} of {entity.table!r}: {remedy}")
