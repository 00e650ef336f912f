"""Dates and times: from text by one pattern, or ISO 8601, to text by another."""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from mj_transform_format.locales import locale_named
from mj_transform_format.patterns import Reader, Writer, reader, writer
from mj_transform_format.tokens import EPOCH
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Value
from mjcore.scalars import text_of

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_DAY = frozenset({"century", "year", "month", "day", "week", "weekday"})
_TIME = frozenset({"year", "month", "day", "hour"})


@frozen
class Dates:
    """Reads moments, as ISO 8601 where no reader is given, and writes them."""

    reader: Reader | None
    writer: Writer
    zone: ZoneInfo | None

    def convert(self, value: Value) -> str:
        return self.writer.write(self.read(value))

    def read(self, value: Value) -> datetime:
        """Return the moment: an instant in the zone if one is named; else as it was given, naive where nothing tells."""
        if self.reader and not isinstance(value, date):
            return self.located(self.reader.read(text_of(value).strip()), self.reader.gives)
        given = value if isinstance(value, date) else read_iso(text_of(value).strip())
        if not isinstance(given, datetime):
            moment, told = datetime(given.year, given.month, given.day), _DAY  # noqa: DTZ001 - a day has no zone
        else:
            moment, told = given, _DAY | _TIME | ({"zone"} if given.tzinfo else set())
        if missing := self.writer.needs - self.told(told):
            raise TransformError(f"{given} does not tell the {' and '.join(sorted(missing))}")
        return self.located(moment, told)

    def told(self, gives: AbstractSet[str]) -> AbstractSet[str]:
        """Return what is known of a moment: the zone, too, of a time on a day."""
        return gives | {"zone"} if self.zone and gives >= _TIME else gives

    def located(self, moment: datetime, gives: AbstractSet[str]) -> datetime:
        if self.zone is None or not gives >= _TIME:
            return moment
        return shown(moment, self.zone) if moment.tzinfo else placed(moment, self.zone)


def date_format(input_format: str | None, output_format: str, locale: str, zone: str | None) -> Callable[[Value], str]:
    """Return the function from a date, or the text of one, to its text; it raises `TransformError`."""
    return _compiled(("InputFormat", input_format), ("OutputFormat", output_format), locale, zone).convert


def date_way_back(input_format: str | None, output_format: str, locale: str, zone: str | None) -> Callable[[Value], str]:
    """Return the function from `output_format` to `input_format`; it raises `TransformError` where that would lose anything."""
    if input_format is None:
        raise ConfigError(Problem("InputFormat", "not invertible: it must say what to write"))
    there = _compiled(("InputFormat", input_format), ("OutputFormat", output_format), locale, zone)
    back = _compiled(("OutputFormat", output_format), ("InputFormat", input_format), locale, zone)
    if there.reader and back.reader and (lost := there.reader.gives - back.reader.gives):
        raise ConfigError(Problem("OutputFormat", f"not invertible: it does not tell the {' and '.join(sorted(lost))}"))

    def convert(value: Value) -> str:
        moment = back.read(value)
        text = back.writer.write(moment)
        if not _same(there.read(text), moment):
            raise TransformError(f"{moment} is more than {input_format} can say")
        return text

    return convert


def _compiled(source: tuple[str, str | None], target: tuple[str, str], locale_name: str, zone_name: str | None) -> Dates:
    locale = locale_named(locale_name)
    key, text = source
    dates = Dates(
        None if text is None else reader(key, text.strip(), locale),
        writer(*target, locale),
        None if zone_name is None else zone_named(zone_name),
    )
    if dates.reader and (missing := dates.writer.needs - dates.told(dates.reader.gives)):
        remedy = "; Zone can name it" if missing == {"zone"} else ""
        raise ConfigError(Problem(target[0], f"asks for the {' and '.join(sorted(missing))}, which {key} does not tell{remedy}"))
    return dates


def read_iso(text: str) -> date:
    """Return a day or a time in ISO 8601."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise TransformError(f"{text!r:.60} is not ISO 8601; InputFormat says how it is written")
    try:
        return datetime.fromisoformat(text) if match["time"] else date.fromisoformat(text)
    except ValueError as error:
        raise TransformError(f"{text!r:.60} does not exist: {error}") from None


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(Problem("Zone", f"{name!r} is no IANA time zone, such as Europe/Paris")) from None


def placed(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time as an instant; the first of two, where clocks go back."""
    instant = local.replace(tzinfo=zone)
    if shown(instant, zone).replace(tzinfo=None) != local:
        raise TransformError(f"{local} does not exist in {zone.key}: clocks skip it")
    return instant


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return an instant as the clocks of the zone show it."""
    try:
        return instant.astimezone(UTC).astimezone(zone)  # by way of UTC, where every time exists
    except OverflowError:
        raise TransformError(f"{instant} is out of range in {zone.key}") from None


def _same(one: datetime, other: datetime) -> bool:
    """Return whether two moments are one: Python calls no time that clocks repeat equal to one of another zone."""
    if one.tzinfo is None or other.tzinfo is None:
        return one == other
    return one - EPOCH == other - EPOCH
