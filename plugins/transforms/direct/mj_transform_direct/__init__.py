"""Transform step `direct`: the value as it is."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mjcore.capabilities import TransformType
from mjcore.hookspecs import hookimpl
from mjcore.records import JSON, Fields, Value


@frozen
class DirectConfig:
    """What `Config` may hold."""

    default_value: JSON = None
    """Takes the place of null; an absent value stays absent."""


@frozen
class Direct:
    """The compiled step."""

    config: DirectConfig

    def apply(self, values: Sequence[Value], _: Sequence[Fields]) -> Sequence[Value]:
        default = self.config.default_value
        return values if default is None else [default if value is None else value for value in values]


def way_back(_: DirectConfig) -> Direct:
    """Return the step without its default, which says nothing about the other side."""
    return Direct(DirectConfig())


@hookimpl
def mj_transform_types() -> Iterable[TransformType[DirectConfig]]:
    return [TransformType("direct", DirectConfig, Direct, sees="nulls", inverse=way_back)]
