"""Transform step `regex`: JavaScript regular expressions, replacing or extracting."""

from collections.abc import Iterable
from typing import Literal

from attrs import frozen

from mjcore.capabilities import Step, TransformType
from mjcore.errors import ConfigError, Problem
from mjcore.hookspecs import hookimpl


@frozen
class RegexConfig:
    """What `Config` may hold."""

    pattern: str
    replacement: str | None = None
    flags: str = ""
    mode: Literal["replace", "extract"] | None = None
    """Without it: replace when there is a replacement, else extract."""


def compile_regex(config: RegexConfig) -> Step:
    from mj_transform_regex.expression import compile_expression
    from mj_transform_regex.flags import parse_flags
    from mj_transform_regex.operations import extractor, replacer

    if config.mode == "replace" and config.replacement is None:
        raise ConfigError(Problem("Replacement", "missing: Mode is replace"))
    if config.mode == "extract" and config.replacement is not None:
        raise ConfigError(Problem("Replacement", "plays no part when Mode is extract; remove one of the two"))
    expression = compile_expression(config.pattern, parse_flags(config.flags))
    return extractor(expression) if config.replacement is None else replacer(expression, config.replacement)


@hookimpl
def mj_transform_types() -> Iterable[TransformType[RegexConfig]]:
    return [TransformType("regex", RegexConfig, compile_regex)]
