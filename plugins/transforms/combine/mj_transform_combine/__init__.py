"""Transform step `combine`: several fields of a record in one text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import ABSENT, Fields, Value
from mjcore.scalars import text_of

FIELD = re.compile(r"\{\{\s*([^{}\s][^{}]*?)\s*\}\}")


@frozen
class CombineConfig:
    """What `Config` may hold."""

    parts: tuple[str, ...]
    """`{{Field}}` is a field of the record, a dotted path too; all else stands for itself."""
    separator: str = ""
    """Between the parts that are not empty."""


@frozen
class Combine:
    """The compiled step. The value of the mapped field itself plays no part."""

    parts: tuple[tuple[str, ...], ...]
    """Each part as literal, field, literal, field, … literal."""
    separator: str
    reads: tuple[str, ...]

    def apply(self, _: Sequence[Value], records: Sequence[Fields]) -> Sequence[Value]:
        return [self.combined(record) for record in records]

    def combined(self, record: Fields) -> str | None:
        """Return the parts as one text; None where none of the fields has a value."""
        texts: dict[str, str | None] = {}
        for path in self.reads:
            value = record.get(path)
            texts[path] = value if type(value) is str else field_text(record, path)
        found = texts.values()
        if None in found and set(found) == {None}:
            return None
        parts = [
            texts[part[1]] if len(part) == 3 and not part[0] and not part[2] else self.filled(part, texts) for part in self.parts
        ]
        return self.separator.join([part for part in parts if part])

    def filled(self, part: Sequence[str], texts: Mapping[str, str | None]) -> str:
        return "".join([(texts[piece] or "") if i % 2 else piece for i, piece in enumerate(part)])


def field_text(record: Fields, path: str) -> str | None:
    """Return the text of a field, or of what a dotted path reaches in nested values; None when null or absent."""
    value: Value = record
    for name in [path] if path in record else path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or value is ABSENT:
        return None
    try:
        return text_of(value)
    except TransformError as error:
        raise TransformError(f"{path}: {error}") from None


def compile_combine(config: CombineConfig) -> Combine:
    if not config.parts:
        raise ConfigError(Problem("Parts", "empty; such as ['{{FirstName}}', ' ', '{{LastName}}']"))
    parts = tuple(tuple(FIELD.split(part)) for part in config.parts)
    for i, part in enumerate(parts):
        if any("{{" in literal or "}}" in literal for literal in part[::2]):
            raise ConfigError(Problem(f"Parts[{i}]", f"{config.parts[i]!r}: a field is written {{{{Name}}}}"))
    reads = dict.fromkeys(path for part in parts for path in part[1::2])
    return Combine(parts, config.separator, tuple(reads))


@hookimpl
def mj_transform_types() -> Iterable[TransformType[CombineConfig]]:
    return [TransformType("combine", CombineConfig, compile_combine, sees="absent")]
