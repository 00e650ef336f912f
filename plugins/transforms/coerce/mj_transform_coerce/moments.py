"""Days and instants from text, and back."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from mj_transform_coerce.patterns import Moment, Pattern
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.records import Value

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(?P<fraction>\.[0-9]{1,6}0*)?)?(?P<offset>Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_LONGEST_FRACTION = len(".123456")


@frozen
class Moments:
    """Reads and writes days and instants: ISO 8601, or as a pattern says."""

    pattern: Pattern | None
    zone: ZoneInfo | None

    def to_date(self, value: Value) -> date:
        """Return the day that is written; of an instant, the day that it has in the zone."""
        moment = self.read(value)
        if not isinstance(moment, datetime):
            return moment
        return moment.date() if moment.tzinfo is None else self.shown(moment).date()

    def to_datetime(self, value: Value) -> datetime:
        """Return an instant, with the offset or zone that it was given in."""
        moment = self.read(value)
        if not isinstance(moment, datetime):
            raise TransformError(f"{moment} is a day, no instant")
        return moment if moment.tzinfo else self.placed(moment)

    def date_reader(self, shape: str) -> Callable[[str], date] | None:
        """Return what reads all texts of one shape, their digits written as 0, as `to_date` does; None where nothing does."""
        read, kind = self._reader(shape)
        match kind:
            case "day":
                return read
            case "local":
                return lambda text: read(text).date()
            case "instant" if shape.endswith("Z") and self.zone and self.zone.key == "UTC":
                return lambda text: read(text).date()
            case "instant":
                return lambda text: self.shown(read(text)).date()
        return None

    def datetime_reader(self, shape: str) -> Callable[[str], datetime] | None:
        """Return what reads all texts of one shape, their digits written as 0, as `to_datetime` does; None where nothing does."""
        read, kind = self._reader(shape)
        match kind:
            case "instant":
                return read
            case "local":
                return lambda text: self.placed(read(text))
        return None

    def _reader(self, shape: str) -> tuple[Callable[[str], Any], str]:
        if self.pattern:
            return self.pattern.reader(shape)
        match = _ISO.fullmatch(shape)
        if match is None or len(match["fraction"] or "") > _LONGEST_FRACTION:
            return read_iso, ""
        if match["time"]:
            return datetime.fromisoformat, "instant" if match["offset"] else "local"
        return date.fromisoformat, "day"

    def read(self, value: Value) -> Moment:
        if isinstance(value, str):
            text = value.strip()
            return self.pattern.read(text) if self.pattern else read_iso(text)
        if isinstance(value, date):
            return value
        raise TransformError(f"a date as text expected, not {type(value).__name__}")

    def placed(self, local: datetime) -> datetime:
        """Return a local time as an instant in the zone; the first of two, where clocks go back."""
        if self.zone is None:
            raise TransformError(f"{local} has no time zone; Zone names the one that is meant")
        instant = local.replace(tzinfo=self.zone)
        if self.shown(instant).replace(tzinfo=None) != local:
            raise TransformError(f"{local} does not exist in {self.zone.key}: clocks skip it")
        return instant

    def shown(self, instant: datetime) -> datetime:
        """Return an instant as the clocks of the zone show it."""
        if self.zone is None:
            raise TransformError(f"{instant} is an instant; Zone names the zone whose day is meant")
        try:
            return instant.astimezone(UTC).astimezone(self.zone)  # by way of UTC, where every time exists
        except OverflowError:
            raise TransformError(f"{instant} is out of range in {self.zone.key}") from None

    def date_text(self, value: Value) -> str:
        day = Moments(None, self.zone).to_date(value)
        return self.pattern.write(day) if self.pattern else day.isoformat()

    def datetime_text(self, value: Value) -> str:
        instant = Moments(None, self.zone).to_datetime(value)
        if self.pattern is None:
            return instant.isoformat()
        text = self.pattern.write(self.shown(instant) if self.zone else instant)
        if self.to_datetime(text).astimezone(UTC) != instant.astimezone(UTC):
            raise TransformError(f"{instant} is more than {self.pattern.text} can say")
        return text


def read_iso(text: str) -> Moment:
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
