"""Transform step `custom`: a JavaScript expression, in a sandbox."""

from collections.abc import Iterable

from attrs import frozen

from mjcore.capabilities import Step, TransformType
from mjcore.hookspecs import hookimpl


@frozen
class CustomConfig:
    """What `Config` may hold."""

    expression: str
    """Over `value` and `record`."""


def compile_custom(config: CustomConfig) -> Step:
    from mj_transform_custom.step import compiled

    return compiled(config.expression)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[CustomConfig]]:
    return [TransformType("custom", CustomConfig, compile_custom, sees="absent")]
