"""PascalCase JSON ↔ snake_case attrs: strict types, nothing guessed, every problem at once and with its path.

The one module that imports cattrs, and not before the first value is structured.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from mjcore.capabilities import Secret
from mjcore.errors import ConfigError, MJError, Problem, UnknownName, did_you_mean
from mjcore.records import JSON
from mjcore.wording import EXPECTED, Unfit, expected

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

ACRONYMS = {"id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs", "crud": "CRUD"}
REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:\S.*")
"""`scheme:rest`, such as `env:HUBSPOT_TOKEN`."""


@cache
def pascal(name: str) -> str:
    """Return the wire's form of an attribute name: `external_id_field` → `ExternalIDField`."""
    return "".join(ACRONYMS.get(part, part[:1].upper() + part[1:]) for part in name.split("_"))


@cache
def keys(kind: Any) -> Mapping[str, str]:
    """Return wire key → attribute name of an attrs class."""
    return {pascal(a.name): a.name for a in attrs.fields(kind) if a.init}


# --- From the wire ---------------------------------------------------------------------------------

_resolver: ContextVar[Callable[[str], str] | None] = ContextVar("resolver", default=None)


def structure(kind: type[T], value: JSON, resolve: Callable[[str], str] | None = None) -> T:
    """Return `value` as a `kind`, an attrs class (or what such a class may hold).

    `resolve` turns references to secrets into their texts; without it only the form of a reference is checked, and the
    Secret holds the reference. `ConfigError` has every problem; no message repeats what may be a secret.
    """
    before = _resolver.set(resolve)
    try:
        return _converter().structure(value, kind)
    except Exception as error:  # noqa: BLE001 - `_problems` raises again what is no fault of the value
        # the cause is cut off: it holds the value
        raise ConfigError(*_problems(error, "", None)) from None
    finally:
        _resolver.reset(before)


_SCALARS: Mapping[type[Any], tuple[type[Any], ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}
"""What each takes as it is: no text becomes a number, no number a text, and a boolean is no number."""


@cache
def _converter() -> "Converter":
    from cattrs import Converter
    from cattrs.cols import is_any_set, is_mapping, is_sequence, list_structure_factory, mapping_structure_factory
    from cattrs.gen import make_dict_structure_fn, override

    def build_class(kind: Any, converter: "Converter") -> Callable[[Any], Any]:
        hints = get_type_hints(_origin(kind))
        names = {
            a.name: override(rename=pascal(a.name), struct_hook=_validated(a, hints[a.name], converter))
            for a in attrs.fields(_origin(kind))
            if a.init
        }
        build = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **cast("Any", names))
        return lambda value: build(value, kind)

    def build_list(kind: Any, converter: "Converter") -> Callable[[Any], Any]:
        build, origin = list_structure_factory(kind, converter), _origin(kind)
        concrete = origin if origin in (list, set, frozenset) else tuple
        return lambda value: concrete(build(value, kind))

    def build_mapping(kind: Any, converter: "Converter") -> Callable[[Any], Any]:
        build = mapping_structure_factory(kind, converter)
        return lambda value: build(value, kind)

    converter = Converter(detailed_validation=True)
    for scalar, types in _SCALARS.items():
        converter.register_structure_hook(scalar, _exactly(scalar, types))
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook(Secret, _secret)
    converter.register_structure_hook_func(lambda kind: _origin(kind) is Literal, _choice)
    converter.register_structure_hook_func(lambda kind: _origin(kind) in (Union, UnionType), _one_of)
    converter.register_structure_hook_factory(lambda k: is_sequence(k) or is_any_set(k), _guarded(build_list, (list, tuple)))
    converter.register_structure_hook_factory(is_mapping, _guarded(build_mapping, (Mapping,)))
    converter.register_structure_hook_factory(attrs.has, _guarded(build_class, (Mapping,)))
    return converter


def _guarded(
    factory: Callable[[Any, "Converter"], Callable[[Any], Any]], shapes: tuple[type[Any], ...]
) -> Callable[[Any, "Converter"], Callable[[Any, Any], Any]]:
    """Let cattrs build what has the right shape only: it would take a text for a list of letters."""

    def guarded(kind: Any, converter: "Converter") -> Callable[[Any, Any], Any]:
        build = factory(kind, converter)

        def hook(value: Any, _: Any) -> Any:
            if not isinstance(value, shapes):
                raise Unfit(expected(kind), value)
            return build(value)

        return hook

    return guarded


def _validated(attribute: Any, kind: Any, converter: "Converter") -> Callable[[Any, Any], Any] | None:
    """Run the attribute's validator where its path is known; one that needs the whole object runs when that is built."""
    if attribute.validator is None or attribute.converter is not None:
        return None

    def hook(value: Any, _: Any) -> Any:
        structured = converter.structure(value, kind)
        with suppress(AttributeError):
            attribute.validator(None, attribute, structured)
        return structured

    return hook


def _exactly(kind: type[Any], types: tuple[type[Any], ...]) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) not in types:
            raise Unfit(expected(kind), value)
        return value if type(value) is kind else kind(value)

    return hook


def _instant(value: Any, _: Any) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Unfit(expected(datetime), value)
    return instant


def _day(value: Any, _: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unfit(expected(date), value) from None


def _secret(value: Any, _: Any) -> Secret:
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        raise ConfigError(f"{EXPECTED[Secret]} expected; a secret itself does not belong here")
    resolve = _resolver.get()
    try:
        return Secret(resolve(value) if resolve else value)
    except UnknownName:
        # its message holds the scheme, and that may be the beginning of a secret
        raise ConfigError(f"{EXPECTED[Secret]} expected; nothing that is installed resolves this") from None


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    for choice in choices:
        if choice == value and type(choice) is type(value):
            return choice
    near = did_you_mean(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else ""
    raise Unfit(expected(kind), value, near)


def _one_of(value: Any, kind: Any) -> Any:
    """Return what the first alternative makes of the value; the only alternative to null keeps its own errors."""
    alternatives = [k for k in get_args(kind) if k is not NoneType]
    if value is None and len(alternatives) < len(get_args(kind)):
        return None
    if len(alternatives) == 1:
        return _converter().structure(value, alternatives[0])
    for alternative in alternatives:
        try:
            return _converter().structure(value, alternative)
        except Exception as error:  # noqa: BLE001 - `_problems` raises again what is no fault of the value
            list(_problems(error, "", None))
    raise Unfit(expected(kind), value)


# --- What went wrong -------------------------------------------------------------------------------


def _problems(error: Exception, path: str, owner: Any) -> Iterator[Problem]:
    """Yield every fault below `path`; `owner` is the class that holds the value. Raises what is none."""
    from cattrs.errors import BaseValidationError, ClassValidationError, ForbiddenExtraKeysError

    if isinstance(error, BaseValidationError):
        inner = error.cl if isinstance(error, ClassValidationError) else owner
        for part in error.exceptions:
            yield from _problems(part, path + _step(part), inner)
    elif isinstance(error, Unfit):
        yield _problem(path, error.message(private=owner is not None and _holds_secrets(owner)))
    elif isinstance(error, ForbiddenExtraKeysError):
        known = keys(_origin(error.cl))
        for key in sorted(map(str, error.extra_fields)):
            yield _problem(f"{path}.{key}", unknown_key(key, known))
    elif isinstance(error, KeyError) and hasattr(error, "__notes__"):
        yield _problem(path, "missing")
    elif isinstance(error, ConfigError):
        yield from (problem.under(path.removeprefix(".")) for problem in error.problems)
    elif isinstance(error, ValueError | TypeError | MJError) and owner is not None:
        # messages of attrs' own validators begin with the attribute, which the path names, and some hold the value
        text = "not valid" if len(error.args) > 1 and _holds_secrets(owner) else str(error.args[0] if error.args else error)
        yield _problem(path, re.sub(r"^'\w+' ", "", text))
    else:
        raise error


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return what to say of a key that is none."""
    return "unknown" + (did_you_mean(key, known) or f" (known: {', '.join(known) or 'none'})")


def _problem(path: str, message: str) -> Problem:
    return Problem(path.removeprefix("."), message)


def _step(part: Exception) -> str:
    """Return where cattrs found a fault: `.Key`, `[index]`, or nothing for the object as a whole."""
    from cattrs.errors import AttributeValidationNote, IterableValidationNote

    for note in getattr(part, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return f".{pascal(note.name)}"
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
    return ""


def _origin(kind: Any) -> Any:
    return get_origin(kind) or kind


@cache
def _holds_secrets(kind: Any) -> bool:
    hints = get_type_hints(_origin(kind))
    return any(hint is Secret or Secret in get_args(hint) for hint in hints.values())


# --- To the wire -----------------------------------------------------------------------------------


def unstructure(value: Any, *, omit_defaults: bool = False) -> JSON:
    """Return any model or result as JSON: ISO 8601 times, decimals as text, sets sorted, secrets as ***."""
    match value:
        case Secret():
            return "***"
        case None | bool() | int() | float() | str() if not isinstance(value, Enum):
            return cast("JSON", value)
        case Enum():
            return unstructure(value.value)
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return {str(key): unstructure(item, omit_defaults=omit_defaults) for key, item in value.items()}
        case set() | frozenset():
            return [unstructure(item, omit_defaults=omit_defaults) for item in sorted(value, key=str)]
        case list() | tuple():
            return [unstructure(item, omit_defaults=omit_defaults) for item in value]
    if attrs.has(type(value)):
        return _unstructure_object(value, omit_defaults=omit_defaults)
    return str(value)


def _unstructure_object(value: Any, *, omit_defaults: bool) -> Mapping[str, JSON]:
    items = [(a, getattr(value, a.name)) for a in attrs.fields(type(value)) if a.init]
    shown = [(a.name, item) for a, item in items if not (omit_defaults and item == _default(a))]
    return {pascal(name): unstructure(item, omit_defaults=omit_defaults) for name, item in shown}


def _default(attribute: "attrs.Attribute[Any]") -> Any:
    default: Any = attribute.default
    return default.factory() if callable(getattr(default, "factory", None)) else default
