"""Transform step `substring`: a piece of a text by position."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import text_of


@frozen
class SubstringConfig:
    """What `Config` may hold. Positions count code points from 0, negative ones from the end."""

    start: int
    length: int | None = None
    end: int | None = None
    """The first position that no longer belongs to the piece."""


@frozen
class Substring:
    """The compiled step."""

    config: SubstringConfig

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        start, length, end = self.config.start, self.config.length, self.config.end
        return [text_of(value)[start:end][:length] for value in values]


def compile_substring(config: SubstringConfig) -> Substring:
    if config.length is not None and config.end is not None:
        raise ConfigError(Problem("End", "given beside Length; keep one of them"))
    if config.length is not None and config.length < 0:
        raise ConfigError(Problem("Length", f"{config.length} is negative; End counts from the end"))
    return Substring(config)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[SubstringConfig]]:
    return [TransformType("substring", SubstringConfig, compile_substring)]
