"""A transform (initials), a matcher (phone digits), a notifier (ntfy): whole plugins."""

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import Matcher, MatchType, Notice, Notifier, NotifierType, Rows, Secret, Step, TransformType
from mjcore.errors import TransformError
from mjcore.hookspecs import hookimpl
from mjcore.models import EntityMap
from mjcore.records import Fields, MappedRecord, RowKey, Value


@frozen
class Initials:
    separator: str = ""


@frozen
class InitialsStep:
    config: Initials

    def apply(self, values: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:  # noqa: ARG002 - reads its value only
        return [self.one(value) for value in values]

    def one(self, value: Value) -> str:
        if not isinstance(value, str):
            raise TransformError(f"text expected, not {type(value).__name__}")
        return self.config.separator.join(word[0] for word in value.split())


def compile_initials(config: Initials) -> Step:
    return InitialsStep(config)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[Initials]]:
    return [TransformType("initials", Initials, compile_initials)]


@frozen
class Phone:
    field_name: str = "Phone"
    digits: int = 9


@frozen
class PhoneMatcher:
    config: Phone
    fields: tuple[str, ...]

    def norm(self, value: Value) -> str:
        return re.sub(r"\D", "", value or "")[-self.config.digits :]

    def candidates(self, records: Sequence[MappedRecord], rows: Rows) -> Sequence[Sequence[RowKey]]:
        wanted: dict[str, list[RowKey]] = {self.norm(record.values.get(self.config.field_name)): [] for record in records}
        wanted.pop("", None)
        for key, (value,) in rows.scan(self.fields):  # no index can look up a part of a text
            if (digits := self.norm(value)) in wanted:
                wanted[digits].append(key)
        return [wanted.get(self.norm(record.values.get(self.config.field_name)), []) for record in records]


def compile_phone(config: Phone, entity_map: EntityMap) -> Matcher:  # noqa: ARG001 - the configuration says it all
    return PhoneMatcher(config, (config.field_name,))


@hookimpl
def mj_match_types() -> Iterable[MatchType[Phone]]:
    return [MatchType("phone", Phone, compile_phone)]


@frozen
class Ntfy:
    topic_url: Secret
    timeout: float = 10.0


@frozen
class NtfyNotifier:
    config: Ntfy

    def notify(self, notice: Notice) -> None:
        import httpx

        url, headers = self.config.topic_url.reveal(), {"Title": notice.title}
        httpx.post(url, content=notice.text, headers=headers, timeout=self.config.timeout).raise_for_status()


def open_ntfy(config: Ntfy) -> Notifier:
    return NtfyNotifier(config)


@hookimpl
def mj_notifier_types() -> Iterable[NotifierType[Ntfy]]:
    return [NotifierType("ntfy", Ntfy, open_ntfy)]
