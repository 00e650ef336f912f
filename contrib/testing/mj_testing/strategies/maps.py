"""Pipelines and field maps, as the kernel compiles them."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from mjcore.models import FieldMap, OnError, TransformStep


def pipelines(
    steps: Mapping[str, Sequence[Mapping[str, Any]]], *, longest: int = 3
) -> st.SearchStrategy[tuple[TransformStep, ...]]:
    """Pipelines of these steps: configurations by the name of the transform."""
    known = [(name, config) for name, configs in steps.items() for config in configs]
    policies: st.SearchStrategy[OnError] = st.sampled_from(["Fail", "Null", "Skip"])
    step = st.builds(lambda found, on_error: TransformStep(found[0], found[1], on_error), st.sampled_from(known), policies)
    return st.lists(step, min_size=1, max_size=longest).map(tuple)


def field_maps(
    steps: Mapping[str, Sequence[Mapping[str, Any]]], fields: Sequence[str] = ("name", "email", "amount")
) -> st.SearchStrategy[tuple[FieldMap, ...]]:
    """Field maps with pipelines of these steps, each into a destination field of its own."""
    one = st.tuples(st.sampled_from(list(fields)), pipelines(steps))
    numbered = st.lists(one, min_size=1, max_size=4).map(enumerate)
    return numbered.map(lambda found: tuple(FieldMap(source, f"Field{i}", steps) for i, (source, steps) in found))
