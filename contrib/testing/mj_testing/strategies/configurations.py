"""Configurations as a metadata file has them, drawn from the annotations of a config class."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from mj_testing.strategies.values import texts
from mjcore.capabilities import Secret
from mjcore.wire import pascal

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | texts(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts(), inner, max_size=2),
)


def configurations(kind: Any, known: Sequence[Mapping[str, Any]] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Wire JSON for an attrs class, right by type though rarely by sense; values of `known` ones are mixed in."""
    hints = get_type_hints(kind)
    required, optional = dict[str, st.SearchStrategy[Any]](), dict[str, st.SearchStrategy[Any]]()
    for attribute in attrs.fields(kind):
        if attribute.init:
            name = pascal(attribute.name)
            seen = [config[name] for config in known if name in config]
            drawn = of_type(hints[attribute.name])
            drawn = st.sampled_from(seen) | drawn if seen else drawn
            (required if attribute.default is attrs.NOTHING else optional)[name] = drawn
    return st.fixed_dictionaries(required, optional=optional)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Return JSON that fits an annotation."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of([st.none() if each is NoneType else of_type(each) for each in inner])
    if attrs.has(kind):
        return configurations(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(texts(), of_type(inner[1]) if inner else ANY_JSON, max_size=4)
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        return st.lists(of_type(inner[0]) if inner else ANY_JSON, max_size=4)
    return SCALARS.get(kind, ANY_JSON)


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts(),
    int: st.integers(-3, 12) | st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Secret: st.just("env:MJ_TESTING"),
}
