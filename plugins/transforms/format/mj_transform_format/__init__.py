"""Transform step `format`: dates, numbers, currencies and phone numbers as text."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from attrs import frozen

from mj_transform_format.repeated import repeated
from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value


@frozen
class FormatConfig:
    """What `Config` may hold."""

    format_type: Literal["date", "number", "currency", "phone"]
    output_format: str
    """date: tokens such as `YYYY-MM-DD`. number, currency: a CLDR pattern such as `#,##0.00`. phone: E164 and others."""
    input_format: str | None = None
    """date: tokens; default: ISO 8601. number, currency: the locale that writes the text; default: plain digits."""
    locale: str = "en"
    """Of names, separators and symbols; its country is the region of phone numbers without a country code."""
    zone: str | None = None
    """date: IANA name: where times without an offset are meant, and where instants are shown."""
    currency: str | None = None
    """currency: ISO 4217 code. Default: that of the locale's country."""


@frozen
class Format:
    """The compiled step, or its way back."""

    convert: Callable[[Value], str]

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        return [self.convert(value) for value in values]


def compile_format(config: FormatConfig) -> Format:
    refuse_idle_keys(config)
    return Format(repeated(conversion(config)))


def conversion(config: FormatConfig) -> Callable[[Value], str]:
    match config.format_type:
        case "date":
            from mj_transform_format.dates import date_format

            return date_format(config.input_format, config.output_format, config.locale, config.zone)
        case "phone":
            from mj_transform_format.phones import phone_format

            return phone_format(config.output_format, config.locale)
        case "number":
            from mj_transform_format.numbers import number_format

            return number_format(config.input_format, config.output_format, config.locale)
        case "currency":
            from mj_transform_format.numbers import currency_format

            return currency_format(config.input_format, config.output_format, config.locale, config.currency)


def way_back(config: FormatConfig) -> Format:
    """Return the step from `OutputFormat` to `InputFormat`: of dates, where neither says less than the other."""
    refuse_idle_keys(config)
    if config.format_type != "date":
        raise ConfigError(Problem("FormatType", f"not invertible: {config.format_type}"))
    from mj_transform_format.dates import date_way_back

    return Format(date_way_back(config.input_format, config.output_format, config.locale, config.zone))


def refuse_idle_keys(config: FormatConfig) -> None:
    """Refuse keys that would change nothing."""
    used_by = {
        "InputFormat": (config.input_format, ("date", "number", "currency")),
        "Zone": (config.zone, ("date",)),
        "Currency": (config.currency, ("currency",)),
    }
    problems = [
        Problem(key, f"only for FormatType {' and '.join(types)}, not {config.format_type}")
        for key, (given, types) in used_by.items()
        if given is not None and config.format_type not in types
    ]
    if problems:
        raise ConfigError(*problems)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[FormatConfig]]:
    return [TransformType("format", FormatConfig, compile_format, inverse=way_back)]
