"""Transform step `split`: one part of a delimited text."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import text_of


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
        return [self.part(text_of(value)) for value in values]

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
