"""Transform step `text`: trim, change case, collapse spaces, fold to ASCII."""

from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import frozen

from mj_transform_text.operations import OPERATIONS
from mjcore.capabilities import TransformType
from mjcore.hookspecs import hookimpl
from mjcore.records import Fields, Value
from mjcore.scalars import texts_of


@frozen
class TextConfig:
    """What `Config` may hold."""

    operation: Literal["trim", "lower", "upper", "title", "collapse", "ascii"]


@frozen
class Text:
    """The compiled step."""

    config: TextConfig

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        operation = OPERATIONS[self.config.operation]
        return list(map(operation, texts_of(values)))


@hookimpl
def mj_transform_types() -> Iterable[TransformType[TextConfig]]:
    return [TransformType("text", TextConfig, Text)]
