"""Values as sources send them: every type, and the texts that have broken programs before."""

from datetime import UTC, timedelta, timezone

from hypothesis import strategies as st

from mjcore.records import Value

AWKWARD = (
    "", " ", "\t\n", "\u00a0", "\u200b", "0", "-0", "00", "007", "1.50", "1e5", "1e999", "1,5", "٣", "½", "NaN", "inf", "null",
    "None", "true", "no", "2026-02-30", "2026-03-29T02:30:00", "1900-01-01", "0000-00-00", "12/13/2026", "+1 (555) 010-0123",
    "ß", "İ", "ﬁ", "e\u0301",
    "👩‍👩‍👧", "\u202eabc", "\0", "a\0b", "'; DROP TABLE x; --", "$&", "\\", "%s", "{{x}}", "a,b;c|d", "<b>",
    "x" * 5000,
)  # fmt: skip
"""Texts that look like something else, or are longer or odder than programs expect."""


def texts() -> st.SearchStrategy[str]:
    """Text without lone surrogates, awkward ones often."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(AWKWARD)


def scalars() -> st.SearchStrategy[Value]:
    """Single values of every type that a provider may send, never null."""
    zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-12)), None])
    moments = st.datetimes(timezones=zones)
    numbers = st.integers() | st.floats() | st.decimals(allow_nan=True)
    return texts() | st.booleans() | numbers | st.dates() | moments


def values() -> st.SearchStrategy[Value]:
    """Values of every type, lists and objects too, never null at the top."""
    return st.recursive(scalars(), _containers, max_leaves=4)


def _containers(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    either = inner | st.none()
    return st.lists(either, max_size=3) | st.dictionaries(texts(), either, max_size=3)
