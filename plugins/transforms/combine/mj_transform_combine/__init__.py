"""Transform step `combine`: several fields of a record in one text."""

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import ABSENT, Fields, Value
from mjcore.scalars import text_of

Texts = Sequence[str | None]
"""Of one field, by record; None is null or absent."""

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
        """Return the parts of each record as one text; None where none of its fields has a value."""
        columns = {path: field_texts(records, path) for path in self.reads}
        parts = [filled(part, columns, len(records)) for part in self.parts]
        rows = zip(*parts, strict=True)
        join = self.separator.join
        texts: Texts = list(map(join, rows)) if all(map(all, parts)) else [join(filter(None, row)) for row in rows]
        if columns and all(None in column for column in columns.values()):
            nothing, fields = (None,) * len(columns), zip(*columns.values(), strict=True)
            return [None if row == nothing else text for row, text in zip(fields, texts, strict=True)]
        return texts


def filled(part: Sequence[str], columns: Mapping[str, Texts], count: int) -> Texts:
    """Return one part of so many records."""
    if len(part) == 3 and not part[0] and not part[2]:
        return columns[part[1]]
    pieces = [[text or "" for text in columns[piece]] if i % 2 else [piece] * count for i, piece in enumerate(part)]
    return list(map("".join, zip(*pieces, strict=True)))


def field_texts(records: Sequence[Fields], path: str) -> Texts:
    values = [record.get(path) for record in records]
    if {str}.issuperset(map(type, values)):
        return values
    return [value if type(value) is str else field_text(record, path) for value, record in zip(values, records, strict=True)]


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
