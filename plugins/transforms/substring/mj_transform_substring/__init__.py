"""Transform step `substring`: a piece of a text by position."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import texts_of


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

    piece: slice
    head: slice | None = None
    """Of the piece, where its end cannot be told from the start."""

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        piece, head = self.piece, self.head
        if head is None:
            return [text[piece] for text in texts_of(values)]
        return [text[piece][head] for text in texts_of(values)]


def compile_substring(config: SubstringConfig) -> Substring:
    if config.length is not None and config.end is not None:
        raise ConfigError(Problem("End", "given beside Length; keep one of them"))
    if config.length is not None and config.length < 0:
        raise ConfigError(Problem("Length", f"{config.length} is negative; End counts from the end"))
    if config.length is None:
        return Substring(slice(config.start, config.end))
    if config.start >= 0:
        return Substring(slice(config.start, config.start + config.length))
    return Substring(slice(config.start, None), slice(config.length))


@hookimpl
def mj_transform_types() -> Iterable[TransformType[SubstringConfig]]:
    return [TransformType("substring", SubstringConfig, compile_substring)]
