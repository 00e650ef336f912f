"""Transform step `split`: one part of a delimited text."""

from collections.abc import Iterable, Sequence
from sys import maxsize

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import texts_of


@frozen
class SplitConfig:
    """What `Config` may hold."""

    delimiter: str
    index: int
    """Counts from 0; negative from the end."""
    trim_whitespace: bool = False


@frozen
class Split:
    """The compiled step."""

    config: SplitConfig

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        texts, index, delimiter = texts_of(values), self.config.index, self.config.delimiter
        most = min(index + 1, maxsize) if index >= 0 else -1  # what is behind the wanted part need not be divided
        try:
            parts = [text.split(delimiter, most)[index] for text in texts]
        except IndexError:
            return [self.part(text) for text in texts]  # finds the one
        return list(map(str.strip, parts)) if self.config.trim_whitespace else parts

    def part(self, text: str) -> str:
        parts = text.split(self.config.delimiter)
        try:
            part = parts[self.config.index]
        except IndexError:
            raise TransformError(f"no part {self.config.index}: {text!r:.60} has {len(parts)}") from None
        return part.strip() if self.config.trim_whitespace else part


def compile_split(config: SplitConfig) -> Split:
    if not config.delimiter:
        raise ConfigError(Problem("Delimiter", "empty; name the text between the parts"))
    return Split(config)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[SplitConfig]]:
    return [TransformType("split", SplitConfig, compile_split)]
