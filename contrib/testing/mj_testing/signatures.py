"""Hooks of a plugin beside their specifications: which there are, and where their annotations differ."""

import inspect
import sys
from collections.abc import Generator, Iterator
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mj_testing.proof import broken, raised
from mjcore import hookspecs


def module_of(plugin: Any) -> ModuleType:
    """Return the module that a plugin is, or that its class is from."""
    return plugin if isinstance(plugin, ModuleType) else sys.modules[type(plugin).__module__]


def hooks(plugin: Any) -> list[str]:
    """Return the names of a plugin's hooks."""
    return [name for name in dir(plugin) if name.startswith("mj_") and hasattr(inspect.getattr_static(plugin, name), "mj_impl")]


def differences(plugin: Any, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield (argument, annotation of the plugin, annotation of the hookspec) where they differ; what is not annotated fits."""
    function = getattr(plugin, name)
    options = function.mj_impl
    spec = getattr(hookspecs, options["specname"] or name, None)
    if spec is None or not inspect.isroutine(function):
        return
    wanted = get_type_hints(spec)
    for argument, given in _hints(function).items():
        if argument not in wanted:
            continue  # of a newer kernel
        expected, kind = wanted[argument], given
        if argument == "return" and (options["wrapper"] or options["hookwrapper"]):
            kind = _result(given)
        if not _fits(kind, expected, result=argument == "return"):
            yield argument, _name(given), _name(expected)


def _hints(function: Any) -> dict[str, Any]:
    try:
        return get_type_hints(function, localns=dict(vars(hookspecs)))
    except (NameError, TypeError) as error:
        broken(hook=function.__name__, seen=f"its annotations cannot be read: {raised(error)}")


def _result(given: Any) -> Any:
    """Return what a wrapper returns: annotated as Generator[None, Result, Result]."""
    if get_origin(given) is Generator and (args := get_args(given))[1] == args[2]:
        return args[2]
    return given


def _fits(given: Any, expected: Any, *, result: bool) -> bool:
    """Return whether an annotation says the same, or of a result something narrower."""
    if given == expected or expected is Any:
        return True
    choices = get_args(expected) if get_origin(expected) in (Union, UnionType) else ()
    if choices and result:
        return any(_fits(given, choice, result=True) for choice in choices)
    outer, inner = get_origin(expected) or expected, get_origin(given) or given
    if not isinstance(outer, type) or not isinstance(inner, type) or not (issubclass(inner, outer) if result else inner is outer):
        return False
    pairs = zip(get_args(given), get_args(expected), strict=False)
    return all(_fits(one, other, result=result) for one, other in pairs)


def _name(annotation: Any) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type) and not get_args(annotation)
        else str(annotation).replace("typing.", "")
    )
