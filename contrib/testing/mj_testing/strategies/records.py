"""Records as they come from a source, and as mapping hands them on."""

from collections.abc import Sequence
from datetime import UTC

from hypothesis import strategies as st

from mj_testing.strategies.values import values
from mjcore.records import ExternalRecord, MappedRecord, Value

NAMES = ("id", "name", "email", "amount", "address", "first name", "ünïcode", "a.b")


def records(
    fields: Sequence[str] = NAMES, of: st.SearchStrategy[Value] | None = None, ids: st.SearchStrategy[str] | None = None
) -> st.SearchStrategy[ExternalRecord]:
    """Records with up to three of the fields; a field may be null."""
    found = st.dictionaries(st.sampled_from(list(fields)), st.none() | (values() if of is None else of), max_size=3)
    return st.builds(
        ExternalRecord,
        st.integers(1, 10**12).map(str) if ids is None else ids,
        found,
        st.none() | st.datetimes(timezones=st.just(UTC)),
    )


def mapped_records(fields: Sequence[str], of: st.SearchStrategy[Value]) -> st.SearchStrategy[list[MappedRecord]]:
    """Batches of mapped records, each with an id of its own."""
    row = st.dictionaries(st.sampled_from(list(fields)), of, max_size=len(fields))
    numbered = st.lists(row, max_size=8).map(enumerate)
    return numbered.map(lambda rows: [MappedRecord(ExternalRecord(str(i), {}), row) for i, row in rows])
