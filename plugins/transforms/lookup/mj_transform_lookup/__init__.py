"""Transform step `lookup`: a table of values."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import text_of

TEXT_OR_NULL = frozenset({str, type(None)})


@frozen
class LookupConfig:
    """What `Config` may hold."""

    map: Mapping[str, str | None]
    """By the text of a value; the key `null` also maps null."""
    default_value: str | None = None
    """For what is not in the map; without it, that is an error."""
    case_sensitive: bool = True


@frozen
class Lookup:
    """The compiled step."""

    table: Mapping[str, str | None]
    null: str | None
    default: str | None = None
    case_sensitive: bool = True

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        if TEXT_OR_NULL.issuperset(map(type, values)):
            known = {value: self.looked_up(value) for value in dict.fromkeys(values)}
            return [known[value] for value in values]
        return list(map(self.looked_up, values))

    def looked_up(self, value: Value) -> str | None:
        return self.null if value is None else self.found(text_of(value))

    def found(self, text: str) -> str | None:
        key = text if self.case_sensitive else text.casefold()
        if key in self.table:
            return self.table[key]
        if self.default is None:
            raise TransformError(f"{text!r:.60} is not in the map; add it, or a DefaultValue")
        return self.default


def compile_lookup(config: LookupConfig) -> Lookup:
    table: dict[str, str | None] = {}
    for text, result in config.map.items():
        key = text if config.case_sensitive else text.casefold()
        if table.setdefault(key, result) != result:
            raise ConfigError(Problem("Map", f"{text!r} is there twice with different values, as CaseSensitive is false"))
    return Lookup(table, table.get("null"), config.default_value, config.case_sensitive)


def way_back(config: LookupConfig) -> Lookup:
    """Return the step from values to keys; two ways to one value are a `ConfigError`."""
    compile_lookup(config)
    keys: dict[str | None, str | None] = {}
    for key, result in config.map.items():
        if result in keys or (result is not None and result == config.default_value):
            raise ConfigError(Problem("Map", f"not invertible: more than one way leads to {result!r}"))
        keys[result] = None if (key if config.case_sensitive else key.casefold()) == "null" else key
    null = keys.pop(None, None)
    return Lookup({text: key for text, key in keys.items() if text is not None}, null)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[LookupConfig]]:
    return [TransformType("lookup", LookupConfig, compile_lookup, sees="nulls", inverse=way_back)]
