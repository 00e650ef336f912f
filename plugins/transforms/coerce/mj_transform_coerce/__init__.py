"""Transform step `coerce`: text to number, boolean, date or instant, exactly or not at all."""

from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import frozen

from mj_transform_coerce.columns import Convert, ConvertAll, by_shape, by_text
from mj_transform_coerce.moments import Moments, zone_named
from mj_transform_coerce.patterns import parse_pattern
from mj_transform_coerce.values import Booleans, number_reader, to_number
from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import text_of, texts_of


@frozen
class CoerceConfig:
    """What `Config` may hold."""

    target_type: Literal["string", "number", "boolean", "date", "datetime"]
    true_values: tuple[str, ...] | None = None
    """Default: true, yes, 1. Letter case does not count."""
    false_values: tuple[str, ...] | None = None
    """Default: false, no, 0. Letter case does not count."""
    input_format: str | None = None
    """How dates and datetimes are written, such as `MM/DD/YYYY HH:mm`. Default: ISO 8601."""
    zone: str | None = None
    """IANA name: where times without an offset are meant, and whose day an instant becomes."""


@frozen
class Coerce:
    """The compiled step, or its way back."""

    convert: Convert
    convert_texts: ConvertAll | None = None
    """The same for many values, all of them texts."""

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        if self.convert_texts and {str}.issuperset(map(type, values)):
            return self.convert_texts(values)
        return list(map(self.convert, values))


def compile_coerce(config: CoerceConfig) -> Coerce:
    refuse_idle_keys(config)
    match config.target_type:
        case "string":
            return Coerce(text_of, texts_of)
        case "number":
            return Coerce(to_number, by_shape(number_reader, to_number))
        case "boolean":
            read = booleans(config).read
            return Coerce(read, by_text(read))
        case "date":
            given = moments(config)
            return Coerce(given.to_date, by_shape(given.date_reader, given.to_date))
        case "datetime":
            given = moments(config)
            return Coerce(given.to_datetime, by_shape(given.datetime_reader, given.to_datetime))


def way_back(config: CoerceConfig) -> Coerce:
    """Return the step to text that the way there turns into the very same value."""
    refuse_idle_keys(config)
    match config.target_type:
        case "string":
            return Coerce(text_of)
        case "number":
            return Coerce(lambda value: text_of(to_number(value)))
        case "boolean":
            return Coerce(booleans(config).write)
        case "date":
            if config.input_format is not None and "HH" in parse_pattern(config.input_format).tokens:
                raise ConfigError(Problem("InputFormat", "not invertible: a day has no HH"))
            return Coerce(moments(config).date_text)
        case "datetime":
            return Coerce(moments(config).datetime_text)


def refuse_idle_keys(config: CoerceConfig) -> None:
    """Refuse keys that would change nothing."""
    used_by = {
        "TrueValues": (config.true_values, ("boolean",)),
        "FalseValues": (config.false_values, ("boolean",)),
        "InputFormat": (config.input_format, ("date", "datetime")),
        "Zone": (config.zone, ("date", "datetime")),
    }
    problems = [
        Problem(key, f"only for TargetType {' and '.join(types)}, not {config.target_type}")
        for key, (given, types) in used_by.items()
        if given is not None and config.target_type not in types
    ]
    if problems:
        raise ConfigError(*problems)


def booleans(config: CoerceConfig) -> Booleans:
    true = ("true", "yes", "1") if config.true_values is None else config.true_values
    false = ("false", "no", "0") if config.false_values is None else config.false_values
    return Booleans.of(true, false)


def moments(config: CoerceConfig) -> Moments:
    pattern = None if config.input_format is None else parse_pattern(config.input_format)
    zone = None if config.zone is None else zone_named(config.zone)
    if pattern and config.target_type == "datetime":
        pattern.require("HH", *(() if zone else ("Z",)))
    if pattern and config.target_type == "date" and "Z" in pattern.tokens and zone is None:
        raise ConfigError(Problem("Zone", "missing: an instant is different days in different zones"))
    return Moments(pattern, zone)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[CoerceConfig]]:
    return [TransformType("coerce", CoerceConfig, compile_coerce, inverse=way_back)]
