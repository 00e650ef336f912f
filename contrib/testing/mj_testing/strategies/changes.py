"""Changes of rows, as the audit trail has them."""

from hypothesis import strategies as st

from mjcore.records import RowChange, Value


def row_changes(
    fields: tuple[str, ...] = ("Email", "Name"), of: st.SearchStrategy[Value] | None = None
) -> st.SearchStrategy[RowChange]:
    """Creates, updates and deletes of rows with a text as key."""
    values = st.none() | st.text(max_size=5) | st.integers() if of is None else of
    row = st.fixed_dictionaries(dict.fromkeys(fields, values))
    key = st.integers(1, 99).map(lambda number: (f"row-{number}",))
    nothing: st.SearchStrategy[dict[str, Value]] = st.just({})
    return st.one_of(
        st.builds(RowChange, st.just("create"), key, nothing, row, st.just("r1")),
        st.builds(RowChange, st.just("update"), key, row, row, st.just("r1")),
        st.builds(RowChange, st.just("delete"), key, row, nothing, st.just("r1")),
    )
